from __future__ import annotations

import io

import pytest

from agent.errors import StoreError
from agent.service.openings import Opening
from ui import terminal
from ui.terminal import chat, make_console


@pytest.fixture
def talk(project):
    session = project.parts.store.create_session()

    def run(*lines: str, session=session, language=None) -> str:
        out = io.StringIO()
        stream = io.StringIO("".join(f"{line}\n" for line in lines))
        chat(project.parts, "shop", session, stream, make_console(out), language)
        return out.getvalue()

    run.session = session
    return run


def test_conversation_over_a_pipe(talk):
    said = talk("blue shirts", "under 40")
    first, second = said.split("you> under 40")
    assert "you> blue shirts" in first
    assert "Fjord linen shirt" in first
    assert "Fjord linen shirt" not in second
    assert " 1. Harbour oxford shirt  €34.95" in second
    assert "wishes: blue · shirts · " in second


def test_greeting_suggests_what_exists(talk):
    assert talk().startswith("Attune · shop · 12 items\nTry ")


def test_an_opening_takes_the_place_of_the_suggestion(talk, project, monkeypatch):
    opening = Opening(text="Hello!", suggestions=["Blue shirts", "Returns?"])
    monkeypatch.setattr(type(project.parts.desk), "opening", lambda self, language: opening)
    assert talk().split("\n")[1:4] == [
        "Hello!",
        'Try "Blue shirts" · "Returns?"',
        "/help lists what else you can do.",
    ]


def test_session_goes_on(talk):
    talk("blue shirts")
    again = talk("/state")
    assert f"Session {talk.session} goes on." in again
    assert again.count("wishes: blue · shirts") == 2
    assert again.rstrip().endswith(f"session {talk.session}")


def test_blank_lines_are_skipped(talk):
    assert "you> \n!" not in talk("", "   ", "jackets")


@pytest.mark.parametrize("word", ["/quit", "/exit", " /QUIT "])
def test_quit_ends_before_the_rest(talk, word):
    assert "jackets" not in talk(word, "jackets").split("you>", 2)[-1]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/help", "something like the second one"),
        ("/nonsense", "/quit     leave"),
        ("/why", "/quit     leave"),
        ("/session", "session "),
    ],
)
def test_command_is_answered(talk, command, expected):
    assert expected in talk(command)


def test_undo_takes_back_a_wish(talk):
    said = talk("shirts", "only blue", "/undo")
    assert "wishes: shirts · blue" in said or "wishes: blue · shirts" in said
    assert said.split("you> /undo")[1].count("wishes: shirts\n") == 1


def test_why_asks_about_an_item(talk):
    assert "Harbour oxford shirt" in talk("blue shirts under 40", "/why 1").split("you> /why 1")[1]


def test_error_does_not_end_it(talk):
    said = talk("x" * 30_000, "blue shirts")
    assert "\n! " in said
    assert "Fjord linen shirt" in said


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (StoreError("the disk is full"), "! the disk is full"),
        (RuntimeError("secret detail"), "! something went wrong on our side"),
        (KeyboardInterrupt(), "! stopped"),
    ],
)
def test_failed_turn_is_told(talk, monkeypatch, error, told):
    def fail(*_args):
        raise error

    monkeypatch.setattr(terminal, "respond", fail)
    said = talk("blue shirts", "/state")
    assert told in said
    assert "secret detail" not in said
    assert "wishes: none yet" in said


@pytest.mark.parametrize(
    "text", ["🧥🧥🧥", "\x1b[2J\x07", "ich suche ein blaues Hemd", "[bold]", "\\"]
)
def test_odd_input_is_answered(talk, text):
    said = talk(text, "blue shirts")
    assert "\x1b" not in said
    assert "Harbour oxford shirt" in said


def test_pipe_has_no_colour(talk):
    assert "\x1b[" not in talk("blue shirts")


def test_terminal_wraps_and_colours(project, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = io.StringIO()
    console = terminal.Console(
        file=out, force_terminal=True, width=40, color_system="standard", markup=False,
        highlight=False, legacy_windows=False,
    )  # fmt: skip
    session = project.parts.store.create_session()
    chat(project.parts, "shop", session, io.StringIO("blue shirts\n"), console)
    assert "\x1b[" in out.getvalue()
    rows = terminal.Styled.from_ansi(out.getvalue()).plain.split("\n")
    assert max(len(row) for row in rows if not row.startswith("session")) <= 40


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    console = make_console(out)
    terminal.show(console, terminal.Line(terminal.Styled("x", "red")))
    assert out.getvalue() == "x\n"


def test_chat_is_in_the_language_asked_for(talk):
    told = talk("蓝色的衬衫，60以下", "/state", "/help", language="zh")
    assert "共 " in told.split("\n")[0]
    assert "您> 蓝色的衬衫，60以下" in told
    assert "您想要：" in told
    assert "不超过 €60" in told
    assert "撤销上一步" in told
    assert "对话编号 " in told
