"""`attune knowledge` as an owner uses it."""

import json

import pytest
from click.testing import CliRunner

from ui import wiring
from ui.cli import main
from ui.knowledge import add_demo_pages
from ui.settings import Settings


@pytest.fixture
def run(folder, monkeypatch):
    monkeypatch.setenv("ATTUNE_ENCODER", "hashing-64")
    return lambda *args: CliRunner().invoke(
        main, ["knowledge", *map(str, args), "--project", str(folder)]
    )


@pytest.fixture
def pages(tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "gifts.md").write_text("# Gifts\n\n## Do you wrap gifts?\n\nYes, for €3.50 each.\n")
    (folder / "faq.csv").write_text("question,answer\nDo you sell tea?,Only green tea.\n")
    return folder


def test_pages_are_added_listed_asked_and_removed(run, pages):
    assert run("list").output == ""
    assert run("add", pages).output == "2 sources, 2 passages\n"
    assert run("add", pages).output == "2 sources, 2 passages, 2 of them unchanged\n"
    assert run("list").output == "faq.csv  1 passages\ngifts.md  1 passages\n"
    answer = run("ask", "do you wrap gifts? who are you?").output
    assert answer.startswith(
        "Yes, for €3.50 each.\n    (gifts.md, line 5, Gifts › Do you wrap gift"
    )
    assert answer.endswith("I don't know: who are you?\n")
    assert run("remove", "gifts.md").output == "1 sources removed, 1 passages\n"
    assert run("ask", "do you wrap gifts?").output == "I don't know: do you wrap gifts?\n"


def test_json_is_one_object(run, pages):
    assert json.loads(run("add", pages, "--json").output)["passages"] == 2
    listed = json.loads(run("list", "--json").output)["sources"]
    assert listed[0] == {"name": "faq.csv", "passages": 1, "url": None, "past": 0}
    answer = json.loads(run("ask", "do you sell tea?", "--json").output)
    assert answer["quotes"][0]["text"] == "Only green tea."
    assert answer["unanswered"] == []


def test_pages_that_no_longer_hold_are_listed_as_such(run, pages):
    (pages / "old.md").write_text("# Tea, valid until 31 December 2021\n\nOnly black tea.\n")
    run("add", pages)
    assert "old.md  1 passages, 1 of them past and not quoted" in run("list").output


def test_bad_files_are_told_and_the_rest_taken(run, pages):
    (pages / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    done = run("add", pages)
    assert done.exit_code == 3
    assert done.stdout == "2 sources, 2 passages\n"
    assert "not taken: 'broken.pdf': it is damaged" in done.stderr
    only = run("add", pages / "broken.pdf")
    assert (only.exit_code, only.stdout) == (1, "")


def test_nothing_to_add_says_so(run, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run("add", tmp_path / "empty")
    assert done.exit_code == 1
    assert "nothing to add" in done.stderr


def test_unknown_sources_and_projects_are_named(run, tmp_path):
    assert "no source 'no.md' is indexed" in run("remove", "no.md").stderr
    missing = CliRunner().invoke(main, ["knowledge", "list", "--project", str(tmp_path / "no")])
    assert missing.exit_code == 1
    assert "no project at" in missing.stderr


def test_a_chat_answers_from_the_demo_pages(folder, monkeypatch):
    settings = Settings(encoder="hashing-64", llm="none")
    add_demo_pages(folder, settings)
    project = wiring.open_project(folder, settings)
    session = project.parts.store.create_session()
    done = wiring.turn(project, session, "how do i delete my account?")
    assert done.service is not None
    assert done.service.quotes[0].source == "orders-and-account.csv"
    assert "Delete account" in done.reply
    project.close()
