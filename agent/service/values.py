"""What the service desk did in a turn, as values: quotes, uses of tools, a hand-over.

They are part of the turn (`agent.turn.Done.service`), stored and sent with it. This module does
not know how they come about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PrivateAttr


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Quote(_Value):
    """Words of the shop's own pages, exactly as they stand there.

    Args:
        source: The page or file, as the owner named it, e.g. "returns.md".
        title: The heading the words stand under.
        place: Where in the source: "page 3", "row 12", or empty.
        url: Where the page can be read, where that is known.
        score: How well it answers, 0 to 1.
    """

    text: str
    source: str
    title: str = ""
    place: str = ""
    url: str | None = None
    score: float = 0.0


class Offer(_Value):
    """A page that may hold the answer; nothing of it is claimed.

    Args:
        id: Of the passage, as the shelf names it.
        title: What it is called to the user: the heading it stands under.
        question: What was asked.
    """

    id: str
    title: str
    question: str = ""
    source: str = ""
    url: str | None = None


ToolStatus = Literal["missing", "confirm", "done", "failed", "cancelled", "requested"]
"""missing: an argument was asked for. confirm: the user was asked whether to go on. done, failed:
it was called. cancelled: the user said no, or something else. requested: left to the client, whose
own tool it is."""


class ToolUse(_Value):
    """One step with a tool.

    Args:
        arguments: What it is called with; personal data is masked.
        lacking: Arguments that were asked for.
        result: What it answered, where it was called.
        error: Why it failed, in words for an operator: a status, a timeout.

    What a client's own tool is to be called with as it was said goes to that client in the answer
    to the request that said it. It is no field: nothing that stores, sends or logs a turn has it.
    """

    tool: str
    status: ToolStatus
    arguments: dict[str, Any] = {}
    lacking: tuple[str, ...] = ()
    result: dict[str, Any] | None = None
    error: str = ""
    _said: dict[str, Any] | None = PrivateAttr(None)

    def called_with(self, values: Mapping[str, Any]) -> ToolUse:
        """Return the same with its arguments as they were said, in this process only."""
        use = self.model_copy()
        use._said = dict(values)
        return use

    @property
    def said(self) -> Mapping[str, Any]:
        """The arguments as they were said; masked ones where this was read from the store."""
        return self.arguments if self._said is None else self._said


HandoverReason = Literal["asked", "failures", "rule"]


class Handover(_Value):
    """That a person takes over.

    Args:
        reason: The user asked for it, nothing worked several times, or a rule of the owner.
        detail: Which rule; never the user's words.
        open: Whether anybody is there now, by the business hours.
    """

    id: str
    reason: HandoverReason
    detail: str = ""
    open: bool = True


class Service(_Value):
    """What the desk did in a turn.

    Args:
        asked: The parts of the utterance that it took care of.
        unanswered: Those of them that the shop's pages do not answer.
        offered: Pages the user was asked to choose from, since none certainly answers.
    """

    asked: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    unanswered: tuple[str, ...] = ()
    offered: tuple[Offer, ...] = ()
    tools: tuple[ToolUse, ...] = ()
    handover: Handover | None = None


class Pending(_Value):
    """A tool that waits for an argument or a yes.

    Args:
        arguments: What is known so far. Personal data among it is masked, and asked for again.
        waits_for: The argument that was asked for; None where a yes is.
        turn: The number of the turn that asked; only the next one can answer.
        tries: How often the same was asked.
        others: Arguments that the same is to be done with after that.
    """

    tool: str
    arguments: dict[str, Any] = {}
    waits_for: str | None = None
    turn: int = 0
    tries: int = 1
    others: tuple[dict[str, Any], ...] = ()


class DeskState(_Value):
    """What the desk remembers of a session.

    Args:
        failures: Turns in a row that brought nothing.
        tool_failures: Calls of tools in a row that failed.
        handover: Id of the hand-over that is open.
        told: Whether the user was told, since, that a person has been asked for.
        offered: Whether a person was offered in the turn before.
        question: What the shop was asked last in the turn before, for "and to Austria?".
        earlier: What else it was asked there, the latest first.
        offers: The pages that were offered in the turn before, as they were numbered.
        alone: Whether the desk took the whole turn before, so that "never mind" is said to it.
        used: What a tool was called with in the turn before, for "cancel it"; nothing personal.
        used_tool: Which tool that was, for "and A-1235?".
    """

    pending: Pending | None = None
    failures: int = 0
    tool_failures: int = 0
    handover: str | None = None
    told: bool = False
    offered: bool = False
    question: str = ""
    earlier: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    alone: bool = False
    used: dict[str, Any] = {}
    used_tool: str = ""
