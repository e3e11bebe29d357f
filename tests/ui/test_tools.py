"""`attune tools` and `attune handovers` on the command line."""

import json

import pytest
from click.testing import CliRunner

from tests.agent.tools.shop_api import API
from ui import wiring
from ui.cli import main
from ui.settings import Settings


@pytest.fixture
def run(folder, tmp_path):
    """Run a command of `attune tools` over the project."""
    (tmp_path / "shop.json").write_text(json.dumps(API), encoding="utf-8")
    return lambda *words: CliRunner().invoke(main, ["tools", *words, "--project", str(folder)])


def test_tools_are_added_listed_and_removed(run, tmp_path):
    assert run("list").output == "no tools; attune tools add FILE --url BASE\n"
    added = run("add", str(tmp_path / "shop.json"), "--url", "http://localhost:9")
    assert added.output.splitlines()[0] == (
        "order_status: GET http://localhost:9/orders/{order_id}"
    )
    tools = json.loads(run("list", "--json").output)["tools"]
    assert [tool["name"] for tool in tools][:2] == ["order_status", "cancel_order"]
    assert tools[0]["arguments"] == [
        {"name": "order_id", "in": "path", "required": True, "type": "string"}
    ]
    assert run("remove", "shop").output == "removed shop.json\n"
    assert run("remove", "shop").exit_code == 1


def test_tried_text_calls_nothing(run, tmp_path):
    run("add", str(tmp_path / "shop.json"), "--url", "http://localhost:9")
    meant = json.loads(run("try", "where is my order A-1234?", "--json").output)
    assert (meant["tool"], meant["arguments"]) == ("order_status", {"order_id": "A-1234"})
    assert run("try", "blue shirts").output.startswith("no tool is meant\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "missing.json"), "cannot be read"),
        (("add", "shop.json", "--url", "ftp://x"), "https"),
    ],
)
def test_wrong_file_or_url_is_one_line(run, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 1
    assert said in result.output
    assert len(result.output.splitlines()) == 1


def test_no_project_is_told(tmp_path):
    result = CliRunner().invoke(main, ["tools", "list", "--project", str(tmp_path / "none")])
    assert "no project at" in result.output


def test_handovers_are_listed_shown_and_closed(folder):
    (folder / "service.toml").write_text("[handover]\n", encoding="utf-8")
    project = wiring.open_project(folder, Settings())
    session = wiring.session(project, None)
    wiring.turn(project, session, "blue shirts")
    id = wiring.turn(project, session, "can I talk to a person?").service.handover.id
    project.close()

    def run(name, *rest):
        return CliRunner().invoke(main, ["handovers", name, str(folder), *rest])

    assert run("list").output.splitlines()[1].split()[:3] == [id, "waiting", "asked"]
    shown = run("show", id).output
    assert "user: blue shirts" in shown
    assert "Harbour oxford shirt" in shown
    assert json.loads(run("show", id, "--json").output)["id"] == id
    assert run("close", id).output == "1 closed\n"
    assert run("list", "--status", "waiting").output == "no hand-overs\n"
    assert json.loads(run("list", "--json").output)["handovers"][0]["status"] == "closed"
    assert "no hand-over 'nope'" in run("close", "nope").output
