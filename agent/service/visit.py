"""One utterance at the desk, under way: what was heard, said and done so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.desk import Attended, DeskRequest
from agent.jobs import NewJob
from agent.plan import Mention
from agent.service.clauses import Clause
from agent.service.values import DeskState, Handover, Offer, Pending, Quote, Service, ToolUse
from agent.wording import say

MOST_EARLIER = 3


@dataclass(slots=True)
class Visit:
    """What the desk does in a turn, piece by piece.

    Args:
        taken: The clauses that the desk takes care of.
        state: What was remembered from the turn before; `pending` is what will be.
        person: Whether a person is asked for in this turn, so that none need be offered.
    """

    request: DeskRequest
    state: DeskState
    mentions: tuple[Mention, ...] = ()
    taken: list[Clause] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    offered: list[Offer] = field(default_factory=list)
    tools: list[ToolUse] = field(default_factory=list)
    handover: Handover | None = None
    person: bool = False
    jobs: list[NewJob] = field(default_factory=list)

    @classmethod
    def again(cls, request: DeskRequest, attended: Attended) -> Visit:
        """Return a visit that goes on from what was attended to."""
        made = attended.service or Service()
        return cls(
            request, attended.state, words=list(attended.words), quotes=list(made.quotes),
            asked=list(made.asked), unanswered=list(made.unanswered), tools=list(made.tools),
            offered=list(made.offered), handover=made.handover, jobs=list(attended.jobs),
        )  # fmt: skip

    @property
    def turn(self) -> int:
        """The number of this turn."""
        return self.request.state.turn + 1

    def say(self, key: str, **values: object) -> None:
        """Say a sentence of the table."""
        text = say(f"service.{key}", self.turn, self.request.state.language, **values)
        if text and text not in self.words:
            self.words.append(text)

    def remember(self, **changes: object) -> None:
        """Change what is remembered."""
        self.state = self.state.model_copy(update=changes)

    def ask_on(self, question: str) -> None:
        """Remember a question to the shop, which one of the next turn may lean on."""
        others = [one for one in (self.state.question, *self.state.earlier) if one]
        self.remember(question=question, earlier=tuple(dict.fromkeys(others))[:MOST_EARLIER])

    def wait_for(self, pending: Pending | None) -> None:
        """Remember the tool that waits, or that none does."""
        self.remember(pending=pending)

    def _typed(self, parts: list[str]) -> tuple[str, ...]:
        return tuple(self.request.said(part) for part in parts)

    def attended(self, rest: str) -> Attended:
        """Return what was made of the utterance."""
        did = self.asked or self.quotes or self.unanswered or self.tools or self.handover
        service = Service(
            asked=self._typed(self.asked), quotes=tuple(self.quotes), tools=tuple(self.tools),
            unanswered=self._typed(self.unanswered), offered=tuple(self.offered),
            handover=self.handover,
        )  # fmt: skip
        return Attended(
            rest,
            self.state,
            service if did else None,
            joined(self.words, say("grammar.sentence", 0, self.request.state.language)),
            tuple(self.jobs),
        )


def joined(words: list[str], blank: str = " ") -> tuple[str, ...]:
    """Return sentences so that they read as one text when put together."""
    spaced = []
    for place, text in enumerate(words):
        text = text.strip()
        spaced.append(text if place == len(words) - 1 else f"{text}{blank}")
    return tuple(spaced)
