"""The worked example of docs/service.md: its files, commands and conversation are run."""

import re
import shlex
import threading
from http.server import HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.worker import Worker
from ui import wiring
from ui.background import quick_jobs
from ui.cli import main
from ui.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs/service.md").read_text(encoding="utf-8")
BASE = "http://localhost:9000"


def block(language, holding=""):
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)
    return next(one for one in blocks if holding in one)


@pytest.fixture
def receiver(monkeypatch):
    """The page's own receiver, on a free port."""
    for name in ("SHOP_SECRET", "DESK_SECRET"):
        made = CliRunner().invoke(main, ["tools", "secret"])
        monkeypatch.setenv(name, made.output.strip())
    scope = {"__name__": "receiver"}
    exec(compile(block("python"), "receiver.py", "exec"), scope)
    got = []

    class Quiet(scope["Shop"]):
        def log_message(self, form, *args):
            got.append(args[0])

    server = HTTPServer(("localhost", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}", got
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def shop(folder, receiver, tmp_path, monkeypatch):
    """The project of the page, with its files."""
    monkeypatch.chdir(tmp_path)
    url, _ = receiver
    Path("shop.yaml").write_text(block("yaml"), encoding="utf-8")
    own = block("toml").replace(BASE, url)
    (folder / "service.toml").write_text(own.split("[tools.shop]")[0], encoding="utf-8")
    yield folder
    (folder / "service.toml").write_text(own, encoding="utf-8")


def commands(text):
    """Return commands of a console block with what they print."""
    parts = re.split(r"^\$ ", text, flags=re.M)[1:]
    return [(part.split("\n")[0], part.split("\n", 1)[1].strip()) for part in parts]


def test_documented_commands_print_what_is_shown(shop, receiver):
    url, _ = receiver
    for command, printed in commands(block("console", "tools add")):
        if command.startswith("export"):
            continue
        words = [word.replace(BASE, url) for word in shlex.split(command)[1:]]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output
        assert result.output.startswith(printed.replace(BASE, url))


def test_documented_conversation_is_had(shop, receiver, monkeypatch):
    url, got = receiver
    added = CliRunner().invoke(
        main, ["tools", "add", "shop.yaml", "--url", url, "--project", str(shop)]
    )
    assert added.exit_code == 0, added.output
    (shop / "service.toml").write_text(block("toml").replace(BASE, url), encoding="utf-8")
    project = wiring.open_project(shop, Settings())
    monkeypatch.setattr(project.parts.desk.escalation, "_hours", None)  # always open
    session = wiring.session(project, None)
    turns = re.findall(r"you> (.*)\n(.*)", block("text", "you>"))
    assert len(turns) == 5
    for said, answered in turns:
        assert wiring.turn(project, session, said).reply == answered
    Worker(project.parts.store, quick_jobs(project, Settings())).run_due()
    assert got[-1] == "POST /handover HTTP/1.1"
    project.close()
    shown = CliRunner().invoke(main, ["handovers", "list", str(shop)]).output
    assert "delivered" in shown


def test_opening_is_that_of_the_file(shop):
    (shop / "service.toml").write_text(
        "\n".join(block("toml").split("[handover]")[:1]), encoding="utf-8"
    )
    project = wiring.open_project(shop, Settings())
    assert project.parts.desk.opening("en").suggestions == [
        "Blue shirts under 60", "Where is my order?",
    ]  # fmt: skip
    project.close()


def test_variable_that_is_not_set_stops_the_start(shop, monkeypatch):
    monkeypatch.delenv("DESK_SECRET")
    result = CliRunner().invoke(main, ["ask", str(shop), "hello"])
    assert result.exit_code == 1
    assert "DESK_SECRET, which is not set" in result.output


@pytest.mark.parametrize(
    ("value", "said"), [("short", "no base64 of 16 bytes"), ("whsec_%%%", "no base64")]
)
def test_secret_that_is_none_stops_the_start(shop, monkeypatch, value, said):
    monkeypatch.setenv("DESK_SECRET", value)
    assert said in CliRunner().invoke(main, ["ask", str(shop), "hello"]).output


def test_servers_own_variables_are_not_sent(shop, monkeypatch):
    monkeypatch.setenv("ATTUNE_LLM_KEY", "x")
    text = block("toml").replace('"DESK_SECRET"', '"ATTUNE_LLM_KEY"').split("[tools.shop]")[0]
    (shop / "service.toml").write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["ask", str(shop), "hello"])
    assert "ATTUNE_LLM_KEY, which is the server's own" in result.output


def test_settings_of_unknown_tools_stop_the_start(shop):
    (shop / "service.toml").write_text("[tools.shopp]\ntimeout_s = 2\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["ask", str(shop), "hello"])
    assert "[tools.shopp] names no file of tools; there are: none" in result.output
