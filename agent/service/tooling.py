"""Tools at the desk: one is chosen, its arguments are asked for, a yes is waited for, it is called.

What changes anything is called once, after a clear yes in the turn after the question. Arguments
as they were said stay in memory; what is stored has personal data masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from agent.desk import DeskRequest
from agent.privacy.fields import masked_answer
from agent.privacy.port import MASKS_NOTHING, Masker
from agent.service.memory import Memory
from agent.service.numbers import NUMBER_OF, Others, further, named, says_only, told_by
from agent.service.topics import Heard
from agent.service.values import Pending, ToolUse
from agent.service.visit import Visit
from agent.tools.calling import Answer, Caller, ToolFailed
from agent.tools.filling import fill, read
from agent.tools.matching import ENOUGH, Match, Matcher
from agent.tools.schemas import fits
from agent.tools.spec import Argument, Tool, client_tool
from agent.tools.telling import fields, spoken, tell
from agent.wording import clean, listing, title_of
from retrieval.catalog import Item

_TOLD = 0.15
"""How much likelier a tool is whose argument is told: "track A-1234". None that changes anything:
who only tells a number wants nothing cancelled."""

_AGAIN = 0.6
"""The same, of the tool that was used in the turn before: "and A-1235?"."""

MOST_TOLD = 600
"""Characters of a tool's answer that are said."""

_POINTS = re.compile(r"\b(?:it|this|that|them|these|those)\b")


@dataclass(frozen=True)
class ToolDesk:
    """Uses the tools of a project. Shared between threads.

    Args:
        now: The present moment where the shop is.
    """

    tools: tuple[Tool, ...]
    matcher: Matcher
    caller: Caller
    now: Callable[[], datetime]
    masker: Masker = MASKS_NOTHING
    memory: Memory = field(default_factory=Memory)

    def best(self, request: DeskRequest, text: str) -> Match | None:
        """Return the tool that a clause means, where it means one."""
        today = self.now().date()
        offered = _offered(request)
        told = {tool.name: told_by(tool, text, today) for tool in (*self.tools, *offered)}
        ranked = self.matcher.rank(text, offered)
        for written in {named(text, *one) for one in told.values() if one} - {text}:
            ranked += [replace(m, by_number=True) for m in self.matcher.rank(written, offered)]
        bare = all(says_only(text, one[1]) for one in told.values() if one)
        again = request.state.desk.used_tool if bare else ""
        found = [
            replace(match, score=match.score + (_AGAIN if match.tool.name == again else _TOLD))
            if not match.tool.changes and told[match.tool.name]
            else match
            for match in ranked
        ]
        best = max(found, key=lambda match: match.score, default=None)
        return best if best is not None and best.score >= ENOUGH else None

    def tool(self, request: DeskRequest, name: str) -> Tool | None:
        """Return a tool of the project or the client by name."""
        return next((t for t in (*self.tools, *_offered(request)) if t.name == name), None)

    def begin(
        self, visit: Visit, heard: Heard, said: str, beside: Sequence[tuple[Heard, str]] = ()
    ) -> None:
        """Use the tool that a clause means, as far as what is known goes.

        Args:
            said: The clause with personal data in it.
            beside: Clauses that may tell an argument ("it's A-1234"); those that do are taken.
        """
        tool = self.tool(visit.request, heard.tool or "")
        assert tool is not None
        visit.asked.append(heard.clause.text)
        items = items_spoken_of(visit, heard)
        values = self.filled(visit, tool, said, {}, items)
        values = {**self._at_hand(visit, tool, heard), **values}
        today = self.now().date()
        for other, raw in beside:
            for argument in tool.arguments:
                if argument.name in values or not is_firm(argument):
                    continue
                found = read(argument, raw, today)
                if found is not None and fits(found, argument.schema):
                    values[argument.name] = found
                    visit.taken.append(other.clause)
        self.go_on(visit, tool, values, further(tool, said, values))

    def _at_hand(self, visit: Visit, tool: Tool, heard: Heard) -> dict[str, Any]:
        """Return what a tool was called with just now: "cancel it", once its number was told.

        What was asked about and left alone in this turn is at hand too: "rather change its
        address".
        """
        points = _POINTS.search(heard.clause.text.lower()) is not None
        left = any(use.status == "cancelled" for use in visit.tools)
        used = visit.state.used if left else visit.request.state.desk.used if points else {}
        firm = [one.name for one in tool.arguments if is_firm(one) and not one.item]
        return {name: used[name] for name in firm if name in used}

    def take_results(self, visit: Visit) -> None:
        """Say what the client's own tools answered."""
        for result in visit.request.extras.results:
            text = self.masker.mask(clean(_readable(result.content), MOST_TOLD))
            visit.tools.append(
                ToolUse(tool=result.tool[:64], status="done", result={"content": text})
            )
            visit.say("tool_said", text=text)

    def filled(
        self,
        visit: Visit,
        tool: Tool,
        said: str,
        known: Mapping[str, Any],
        items: Sequence[Item],
    ) -> dict[str, Any]:
        """Return the arguments that are known or said."""
        return fill(
            tool, said, known=known, context=visit.request.extras.context,
            items=[item.id for item in items], today=self.now().date(),
        )  # fmt: skip

    def go_on(
        self, visit: Visit, tool: Tool, values: Mapping[str, Any], others: Others = ()
    ) -> None:
        """Ask for what is missing, then for a yes, or call.

        Args:
            others: What the same is to be done with after that, one thing at a time.
        """
        missing = lacking(tool, values)
        if missing is not None:
            self.ask(visit, tool, values, missing, others=others)
        elif tool.is_clients:
            use = ToolUse(tool=tool.name, status="requested", arguments=self._masked(values))
            visit.tools.append(use.called_with(values))
            visit.say("tool_requested", what=_what(tool))
        elif tool.confirms:
            self._confirm(visit, tool, values, others)
        else:
            self.call(visit, tool, values, others)

    def ask(
        self,
        visit: Visit,
        tool: Tool,
        values: Mapping[str, Any],
        missing: Argument,
        tries: int = 1,
        others: Others = (),
    ) -> None:
        """Ask for an argument, and wait for it."""
        self._wait(visit, tool, values, missing.name, tries, others)
        use = ToolUse(
            tool=tool.name,
            status="missing",
            arguments=self._masked(values),
            lacking=(missing.name,),
        )
        visit.tools.append(use)
        if missing.ask:
            visit.words.append(missing.ask)
        elif missing.item:
            visit.say("tool_ask_item")
        else:
            visit.say("tool_ask", label=missing.label)

    def _confirm(self, visit: Visit, tool: Tool, values: Mapping[str, Any], others: Others) -> None:
        self._wait(visit, tool, values, None, others=others)
        visit.tools.append(
            ToolUse(tool=tool.name, status="confirm", arguments=self._masked(values))
        )
        shown = self._shown(visit, tool, values)
        asked = tell([tool.confirm], {}, shown) if tool.confirm else ""
        if asked:
            visit.words.append(asked)
            visit.say("tool_confirm_how")
            return
        listed = listing([f"{_label(tool, name)}: {text}" for name, text in shown.items()])
        visit.say("tool_confirm", what=_what(tool), args=f" ({listed})" if listed else "")

    def _wait(
        self,
        visit: Visit,
        tool: Tool,
        values: Mapping[str, Any],
        waits_for: str | None,
        tries: int = 1,
        others: Others = (),
    ) -> None:
        self.memory.keep(visit.request.session_id, tool.name, values)
        plain = tuple(one for one in others if self._masked(one) == one)
        visit.wait_for(
            Pending(
                tool=tool.name, arguments=self._masked(values), waits_for=waits_for,
                turn=visit.turn, tries=tries, others=plain,
            )
        )  # fmt: skip

    def call(
        self, visit: Visit, tool: Tool, values: Mapping[str, Any], others: Others = ()
    ) -> None:
        """Call a tool, say what it answers, and go on with the next thing where it did."""
        if self._called(visit, tool, values) and others:
            self.go_on(visit, tool, {**values, **others[0]}, others[1:])

    def _called(self, visit: Visit, tool: Tool, values: Mapping[str, Any]) -> bool:
        """Call a tool and say what it answers; return whether it gave a usable answer."""
        self.memory.forget(visit.request.session_id)
        masked = self._masked(values)
        try:
            answer = self.caller.call(tool, values, _key(visit, tool, values))
        except ToolFailed as error:
            visit.tools.append(
                ToolUse(tool=tool.name, status="failed", arguments=masked, error=str(error))
            )
            visit.remember(tool_failures=visit.state.tool_failures + 1)
            unsure = tool.changes and error.sent
            visit.say("tool_failed_changing" if unsure else "tool_failed", what=_what(tool))
            return False
        visit.remember(tool_failures=0, used=_plain(values, masked), used_tool=tool.name)
        result = self._safe(answer)
        use = ToolUse(tool=tool.name, status="done", arguments=masked, result=result)
        visit.tools.append(use)
        told = tell(answer.said.say, result.get("body"), self._shown(visit, tool, values))
        if not told and answer.status >= 400:
            visit.say("tool_nothing", what=_what(tool))
        elif told:
            visit.say("tool_said", text=clean(told, MOST_TOLD))
        else:
            visit.say("tool_done", what=_what(tool))
        return True

    def _safe(self, answer: Answer) -> dict[str, Any]:
        """Return an answer as it may be stored and shown."""
        return {"status": answer.status, "body": masked_answer(answer.body, self.masker)}

    def drop(self, visit: Visit, tool: Tool, known: Mapping[str, Any], key: str) -> None:
        """Leave a tool alone, and say so."""
        self.memory.forget(visit.request.session_id)
        masked = self._masked(known)
        visit.remember(used=_plain(known, masked))
        use = ToolUse(tool=tool.name, status="cancelled", arguments=masked)
        visit.tools.append(use)
        visit.say(key, what=_what(tool))

    def _shown(self, visit: Visit, tool: Tool, values: Mapping[str, Any]) -> dict[str, str]:
        """Return arguments as they are said: items by title, personal data masked."""
        titles = {item.id: title_of(item) for item in (*visit.request.slate, *visit.request.focus)}
        shown = {}
        for argument in tool.arguments:
            if argument.name in values and not _is_silent(visit, argument):
                value = self._masked_value(values[argument.name])
                text = titles.get(str(value)) if argument.item else None
                shown[argument.name] = text or spoken(value)
        return {name: text for name, text in shown.items() if text}

    def _masked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._masked_value(value) for name, value in values.items()}

    def _masked_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.masker.mask(value)
        if isinstance(value, dict):
            return {key: self._masked_value(one) for key, one in value.items()}
        return [self._masked_value(one) for one in value] if isinstance(value, list) else value


def _offered(request: DeskRequest) -> tuple[Tool, ...]:
    """Return the functions that the client offers, as far as they can be asked about."""
    found = []
    for one in request.extras.tools:
        try:
            found.append(client_tool(one.name, one.description, one.parameters))
        except (ValueError, TypeError, AttributeError, KeyError):
            continue
    return tuple(found)


def items_spoken_of(visit: Visit, heard: Heard) -> list[Item]:
    """Return the items that a clause speaks of: by reference, or as "it"."""
    begin, end = heard.clause.begin, heard.clause.end
    known = {item.id: item for item in (*visit.request.slate, *visit.request.focus)}
    ids = [
        id
        for mention in visit.mentions
        if mention.kind in ("reference", "item") and begin <= mention.start and mention.end <= end
        for id in mention.items
    ]
    named = [known.get(id) or Item(id, id) for id in dict.fromkeys(ids)]
    if named or not _POINTS.search(heard.masked):
        return named
    return list(visit.request.focus[:1] or visit.request.slate[:1])


def _plain(values: Mapping[str, Any], masked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that hold nothing personal."""
    return {name: value for name, value in values.items() if masked.get(name) == value}


def is_firm(argument: Argument) -> bool:
    """Return whether an argument's values have a shape that nothing else has."""
    schema = argument.schema
    shaped = "pattern" in schema or "format" in schema or "enum" in schema
    return shaped or any(re.search(r"\d", str(one)) for one in schema.get("examples", ()))


def lacking(tool: Tool, values: Mapping[str, Any]) -> Argument | None:
    """Return the first argument that has to be asked for."""
    return next((a for a in tool.arguments if a.required and a.name not in values), None)


def _is_silent(visit: Visit, argument: Argument) -> bool:
    """Return whether an argument came with the request and means nothing to the user."""
    return argument.context in visit.request.extras.context


def _what(tool: Tool) -> str:
    """Return what a tool does, as it stands in a sentence."""
    text = clean(tool.summary, 120)
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _label(tool: Tool, name: str) -> str:
    argument = tool.argument(name)
    if argument is None:
        return name
    return (
        (NUMBER_OF.sub("", argument.label).strip() or "item") if argument.item else argument.label
    )


def _key(visit: Visit, tool: Tool, values: Mapping[str, Any]) -> str:
    """Return the same key for the same call of the same turn, also when the turn is taken again."""
    told = repr((visit.request.session_id, visit.turn, tool.name, sorted(values.items())))
    return f"att_{sha256(told.encode()).hexdigest()[:40]}"


def _readable(content: str) -> str:
    """Return what a client's tool answered as a line of text."""
    import json

    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return content
    return fields(value) or content
