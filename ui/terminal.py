"""The chat loop at a terminal or over a pipe: lines in, rendered turns out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console
from rich.text import Text as Styled

from agent.dialogue import Parts, respond
from agent.errors import AgentError
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

logger = logging.getLogger(__name__)

PROMPT = "you> "

SPOKEN = {
    "/undo": "undo",
    "/more": "show me more",
    "/reset": "start over",
}
"""Commands that stand for something to say."""

HELP = """\
Say what you are looking for, in your own words. Then change it as you go:
  "only in blue", "under 60", "not leather", "something like the second one but cheaper",
  "compare 1 and 3", "why the first?", "any colour is fine", "I'll take number two"
/why N    why item N was chosen      /more     other items
/state    your wishes so far         /undo     take the last change back
/reset    start over                 /session  the id to come back with
/help     this text                  /quit     leave"""


@dataclass(slots=True)
class Chat:
    """One session at one terminal."""

    parts: Parts
    session_id: str
    console: Console
    last: Done | None = field(default=None)

    @property
    def view(self) -> View:
        """Return what rendering needs to know of the catalog as it is now."""
        return make_view(self.parts)

    def show(self, *lines: Line) -> None:
        """Print lines, wrapped at a terminal and whole in a file or pipe."""
        show(self.console, *lines)

    def state(self) -> State:
        """Return the session's state as stored."""
        return self.parts.store.load(self.session_id).state


def make_view(parts: Parts) -> View:
    """Return what rendering needs to know of the catalog."""

    def title(id: str) -> str:
        found = parts.retriever.get_many([id])
        return found[0].title if found else id

    return View(parts.retriever.facets, parts.retriever.currency, title)


def show(console: Console, *lines: Line) -> None:
    """Print lines, wrapped with a hanging indent at a terminal, whole in a file or pipe."""
    width = console.width if console.is_terminal else None
    for line in lines:
        for row in laid_out(line, width):
            console.print(row, soft_wrap=True)


def chat(parts: Parts, name: str, session_id: str, stream: TextIO, console: Console) -> None:
    """Talk until the input ends: read lines, take turns, show them."""
    one = Chat(parts, session_id, console)
    _greet(one, name)
    for text in _lines(stream, console):
        if not text.strip():
            continue
        if text.strip().lower() in ("/quit", "/exit", "/q"):
            break
        _answer(one, text)
    console.print(f"session {session_id}", style="dim", soft_wrap=True, highlight=False)


def _lines(stream: TextIO, console: Console) -> Iterator[str]:
    """Yield what is typed; piped input is shown as it is read."""
    if not stream.isatty():
        for line in stream:
            console.print(Styled(f"{PROMPT}{plain(line).rstrip()}", "bold"), soft_wrap=True)
            yield line
        return
    import readline  # noqa: F401 (gives input() a history and cursor keys)

    while True:
        try:
            yield input(PROMPT)
        except (EOFError, KeyboardInterrupt):
            console.print()
            return


def _greet(one: Chat, name: str) -> None:
    console, retriever = one.console, one.parts.retriever
    count = retriever.index.count()
    console.print(Styled(f"Attune · {name} · {count:,} items", "bold"), soft_wrap=True)
    state = one.state()
    if state.turn:
        one.show(Line(Styled(f"Session {one.session_id} goes on.")), wishes_line(state, one.view))
        return
    desk = one.parts.desk
    opening = desk.opening() if isinstance(desk, Greets) else None
    for text in opening_texts(opening):
        one.show(Line(Styled(plain(text))))
    offered = opening is not None and opening.suggestions
    tried = "" if offered else f'Try "{suggestion(retriever.facets)}". '
    one.show(Line(Styled(f"{tried}/help lists what else you can do.", "dim")))


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
        one.show(Line(Styled("! stopped; nothing of this turn was kept", "red"), hang=2))
    except Exception:
        # A bug must not end the conversation: the turn is lost, the session is as it was.
        logger.exception("a turn failed")
        told = "! something went wrong on our side; this turn was not kept, please go on"
        one.show(Line(Styled(told, "red"), hang=2))
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
        one.show(*[Line(Styled(line)) for line in HELP.split("\n")])


def take_turn(one: Chat, text: str) -> None:
    """Take one turn and show its events as they come."""
    written: list[str] = []
    for event in respond(one.parts, one.session_id, text):
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
    show(console, *turn_lines(done, make_view(parts)))
