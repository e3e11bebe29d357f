"""The chat loop at a terminal or over a pipe: lines in, rendered turns out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console
from rich.text import Text as Styled

from agent.desk import Extras
from agent.dialogue import Parts, respond
from agent.errors import AgentError
from agent.quick import examples
from agent.service.openings import Greets
from agent.state import State
from agent.turn import Done, Items, StreamEvent, Text
from retrieval.errors import RetrievalError
from ui.render import (
    Line,
    View,
    closing_lines,
    laid_out,
    plain,
    reply_lines,
    slate_lines,
    suggestion,
    turn_lines,
    wishes_line,
)
from ui.service_lines import opening_texts
from ui.terminal_words import told

logger = logging.getLogger(__name__)

PROMPT = "you> "

SPOKEN = {
    "/undo": "undo",
    "/more": "show me more",
    "/reset": "start over",
}
"""Commands that stand for something to say."""


@dataclass(slots=True)
class Chat:
    """One session at one terminal.

    Args:
        language: What is spoken in it; None: what the session is in.
    """

    parts: Parts
    session_id: str
    console: Console
    language: str | None = None
    last: Done | None = field(default=None)

    @property
    def view(self) -> View:
        """Return what rendering needs to know of the catalog as it is now."""
        return make_view(self.parts, self.spoken)

    @property
    def spoken(self) -> str:
        """Return the code of the language that is spoken."""
        return self.language or self.state().language

    def told(self, name: str, **values: object) -> str:
        """Return a sentence of the terminal's own."""
        return told(name, self.spoken, **values)

    def show(self, *lines: Line) -> None:
        """Print lines, wrapped at a terminal and whole in a file or pipe."""
        show(self.console, *lines)

    def state(self) -> State:
        """Return the session's state as stored."""
        return self.parts.store.load(self.session_id).state


def make_view(parts: Parts, language: str = "en") -> View:
    """Return what rendering needs to know of the catalog."""

    def title(id: str) -> str:
        found = parts.retriever.get_many([id])
        return found[0].title if found else id

    tongue = parts.languages.tongue(language)
    return View(parts.retriever.facets, parts.retriever.currency, title, tongue)


def show(console: Console, *lines: Line) -> None:
    """Print lines, wrapped with a hanging indent at a terminal, whole in a file or pipe."""
    width = console.width if console.is_terminal else None
    for line in lines:
        for row in laid_out(line, width):
            console.print(row, soft_wrap=True)


def chat(
    parts: Parts,
    name: str,
    session_id: str,
    stream: TextIO,
    console: Console,
    language: str | None = None,
) -> None:
    """Talk until the input ends: read lines, take turns, show them.

    Args:
        language: What is spoken from here on; None: what the session is in.
    """
    one = Chat(parts, session_id, console, parts.languages.asked(language))
    _greet(one, name)
    for text in _lines(stream, console, one.told("prompt")):
        if not text.strip():
            continue
        if text.strip().lower() in ("/quit", "/exit", "/q"):
            break
        _answer(one, text)
    told_id = one.told("session", session=session_id)
    console.print(told_id, style="dim", soft_wrap=True, highlight=False)


def _lines(stream: TextIO, console: Console, prompt: str = PROMPT) -> Iterator[str]:
    """Yield what is typed; piped input is shown as it is read."""
    if not stream.isatty():
        for line in stream:
            console.print(Styled(f"{prompt}{plain(line).rstrip()}", "bold"), soft_wrap=True)
            yield line
        return
    import readline  # noqa: F401 (gives input() a history and cursor keys)

    while True:
        try:
            yield input(prompt)
        except (EOFError, KeyboardInterrupt):
            console.print()
            return


def _greet(one: Chat, name: str) -> None:
    console, retriever = one.console, one.parts.retriever
    count = retriever.index.count()
    head = one.told("head", catalog=name, count=f"{count:,}")
    console.print(Styled(head, "bold"), soft_wrap=True)
    state = one.state()
    if state.turn:
        one.show(
            Line(Styled(one.told("goes_on", session=one.session_id))), wishes_line(state, one.view)
        )
        return
    desk = one.parts.desk
    opening = desk.opening(one.spoken) if isinstance(desk, Greets) else None
    for text in opening_texts(opening, one.spoken):
        one.show(Line(Styled(plain(text))))
    offered = opening is not None and opening.suggestions
    tried = "" if offered else one.told("try", words=_suggested(one))
    one.show(Line(Styled(f"{tried}{one.told('hint')}", "dim")))


def _suggested(one: Chat) -> str:
    """Return something to begin with, in the language that is spoken."""
    retriever, tongue = one.parts.retriever, one.view.tongue
    said = () if tongue.code == "en" else examples(retriever, tongue)
    return said[0].text if said else suggestion(retriever.facets)


def _answer(one: Chat, text: str) -> None:
    """Take a turn or run a command; what goes wrong is told, and the session goes on."""
    try:
        if text.lstrip().startswith("/"):
            _command(one, text.split())
        else:
            take_turn(one, text)
    except (AgentError, RetrievalError) as error:
        one.show(Line(Styled(f"! {error}", "red"), hang=2))
    except KeyboardInterrupt:
        one.show(Line(Styled(one.told("stopped"), "red"), hang=2))
    except Exception:
        # A bug must not end the conversation: the turn is lost, the session is as it was.
        logger.exception("a turn failed")
        one.show(Line(Styled(one.told("wrong"), "red"), hang=2))
    one.console.print()


def _command(one: Chat, words: list[str]) -> None:
    name, rest = words[0].lower(), words[1:]
    if name in SPOKEN:
        take_turn(one, SPOKEN[name])
    elif name == "/why" and len(rest) == 1 and rest[0].lstrip("#").isdigit():
        take_turn(one, f"why number {rest[0].lstrip('#')}?")
    elif name == "/state":
        one.show(wishes_line(one.state(), one.view))
    elif name == "/session":
        one.show(Line(Styled(one.session_id)))
    else:
        one.show(*[Line(Styled(line)) for line in one.told("help").strip().split("\n")])


def take_turn(one: Chat, text: str) -> None:
    """Take one turn and show its events as they come."""
    written: list[str] = []
    for event in respond(one.parts, one.session_id, text, Extras(language=one.language)):
        _show_event(one, event, written)


def _show_event(one: Chat, event: StreamEvent, written: list[str]) -> None:
    match event:
        case Items():
            one.show(*slate_lines(event.slate, one.view))
        case Text():
            written.append(event.delta)
        case Done():
            one.show(*reply_lines("".join(written)), *closing_lines(event, one.view))


def make_console(stream: TextIO | None = None) -> Console:
    """Return a console that never reads text as markup; NO_COLOR and pipes turn colour off."""
    return Console(file=stream, markup=False, highlight=False, emoji=False)


def print_turn(done: Done, parts: Parts, console: Console) -> None:
    """Print a whole turn."""
    show(console, *turn_lines(done, make_view(parts, done.state.language)))
