"""The turn after a question of a tool: its answer is taken, or the tool is left alone.

Only the very next turn answers. Anything but a clear yes is none, and what is said besides goes its
usual way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.service.numbers import further
from agent.service.tooling import ToolDesk, is_firm, items_spoken_of, lacking
from agent.service.topics import Heard, lowered, says
from agent.service.values import Pending
from agent.service.visit import Visit
from agent.tools.filling import read, read_answer
from agent.tools.spec import Argument, Tool

TRIES = 2
"""How often the same argument is asked for."""

_MASKED = re.compile(r"\[[a-z_ -]+\]")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A tool that waits, in the turn that may answer it.

    Args:
        raw: The clauses with personal data in them.
    """

    desk: ToolDesk
    visit: Visit
    tool: Tool
    pending: Pending
    known: Mapping[str, Any]
    heard: Sequence[Heard]
    raw: Sequence[str]


def resume(desk: ToolDesk, visit: Visit, heard: Sequence[Heard], raw: Sequence[str]) -> None:
    """Go on with the tool that waits; the clauses that answer it are taken.

    Args:
        raw: The clauses with personal data in them.
    """
    pending = visit.state.pending
    visit.wait_for(None)
    if pending is None or pending.turn != visit.request.state.turn or not heard:
        return
    tool = desk.tool(visit.request, pending.tool)
    if tool is None:
        return
    known = desk.memory.recall(visit.request.session_id, tool.name)
    if known is None:
        known = {name: one for name, one in pending.arguments.items() if not _is_masked(one)}
    waiting = _Waiting(desk, visit, tool, pending, known, heard, raw)
    if pending.waits_for is None:
        _on_confirmation(waiting)
    else:
        _on_argument(waiting)


def _on_confirmation(one: _Waiting) -> None:
    """Call the tool after a clear yes; ask again where an argument is corrected."""
    if is_yes(one.heard):
        one.visit.taken.append(one.heard[0].clause)
        values = one.desk.filled(one.visit, one.tool, "", one.known, ())
        if lacking(one.tool, values) is None:
            one.desk.call(one.visit, one.tool, values, one.pending.others)
        else:
            one.desk.go_on(one.visit, one.tool, values, one.pending.others)
        return
    changed = _corrected(one)
    if changed:
        one.visit.taken += [heard.clause for heard in one.heard if not heard.wishes]
        one.desk.go_on(one.visit, one.tool, {**one.known, **changed}, one.pending.others)
        return
    one.desk.drop(one.visit, one.tool, one.known, "tool_not_done")
    _take_leave(one)


def _on_argument(one: _Waiting) -> None:
    """Take the argument that was asked for, ask once more, or leave the tool."""
    argument = one.tool.argument(one.pending.waits_for or "")
    if argument is None:
        return
    if says("leave", lowered(one.heard[0].clause.text)):
        one.desk.drop(one.visit, one.tool, one.known, "tool_left")
        _take_leave(one)
        return
    found = _argument(one, argument)
    if found is not None:
        place, value = found
        polite = [heard for heard in one.heard if says("courtesy", heard.masked)]
        one.visit.taken += [heard.clause for heard in (one.heard[place], *polite)]
        known = {**one.known, argument.name: value}
        values = one.desk.filled(one.visit, one.tool, one.raw[place], known, ())
        others = one.pending.others or further(one.tool, one.raw[place], values)
        one.desk.go_on(one.visit, one.tool, values, others)
    elif one.pending.tries >= TRIES or any(_is_new(heard) for heard in one.heard):
        one.desk.drop(one.visit, one.tool, one.known, "tool_left")
    else:
        one.visit.taken += [heard.clause for heard in one.heard]
        one.visit.say("tool_not_understood", label=argument.label)
        tries = one.pending.tries + 1
        one.desk.ask(one.visit, one.tool, one.known, argument, tries, one.pending.others)


def _argument(one: _Waiting, argument: Argument) -> tuple[int, Any] | None:
    """Return which clause tells an argument, and its value."""
    for place, heard in enumerate(one.heard):
        if argument.item:
            items = items_spoken_of(one.visit, heard)
            if items:
                return place, items[0].id
            continue
        free = argument.type == "string" and not is_firm(argument)
        if free and (_is_new(heard) or _tells_another(one, argument, one.raw[place])):
            continue
        value = read_answer(argument, one.raw[place], one.desk.now().date())
        if value is not None:
            return place, value
    return None


def _corrected(one: _Waiting) -> dict[str, Any]:
    """Return arguments of a certain shape that are said anew instead of a yes."""
    found = {}
    today = one.desk.now().date()
    for argument in one.tool.arguments:
        if not is_firm(argument) or argument.name not in one.known:
            continue
        values = (read(argument, text, today) for text in one.raw)
        value = next((value for value in values if value is not None), None)
        if value is not None and value != one.known[argument.name]:
            found[argument.name] = value
    return found


def _tells_another(one: _Waiting, asked: Argument, text: str) -> bool:
    """Return whether a text is nothing but the value of another argument: a number again."""
    bare = text.strip(" .!\"'")
    firm = (other for other in one.tool.arguments if other is not asked and is_firm(other))
    return any(read(other, bare, one.desk.now().date()) == bare for other in firm)


def _is_masked(value: Any) -> bool:
    """Return whether a stored argument holds only the kind of what was said."""
    return isinstance(value, str) and _MASKED.search(value) is not None


def _is_new(heard: Heard) -> bool:
    """Return whether a clause is about something else than what was asked."""
    text = heard.masked
    if any(says(name, text) for name in ("shopping", "person", "shop_frame")):
        return True
    return heard.tool is not None and says("question", text)


def is_yes(heard: Sequence[Heard]) -> bool:
    """Return whether the first clause is a clear yes that nothing after it takes back."""
    if not says("yes", lowered(heard[0].clause.text)):
        return False
    return not any(
        one.clause.opening.startswith("but") or says("unless", lowered(one.clause.text))
        for one in heard[1:]
    )


def _take_leave(one: _Waiting) -> None:
    """Take the first clause where it says no and nothing else."""
    heard = one.heard[0]
    text = lowered(heard.clause.text)
    short = says("no", text) and len(text.split()) <= 3 and not heard.wishes
    if says("leave", text) or short:
        one.visit.taken.append(heard.clause)
