"""The service desk as the dialogue sees it: it goes before the recommender, and has the last word.

An implementation is in `agent.service`. Without a desk a turn is about items only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from agent.jobs import NewJob
from agent.languages.carrying import Carried
from agent.plan import Plan
from agent.pressed import Press
from agent.service.values import DeskState, Service
from agent.state import State
from retrieval.catalog import Facet, Item


@dataclass(frozen=True, slots=True)
class ClientTool:
    """A function that the client offers to call itself, as OpenAI's `tools` describe it.

    Args:
        parameters: JSON schema of its arguments.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a client's own tool answered."""

    tool: str
    content: str


@dataclass(frozen=True, slots=True)
class Extras:
    """What comes with an utterance.

    Args:
        context: What tools may be called with (a customer's number); never stored, never logged.
        tools: Functions the client offers to call.
        results: What those answered that were asked for in the turn before.
        repeated: Whether the utterance is that of the turn before, since the user said nothing
            but results came: the desk tells those, and nothing is left for the recommender.
        once: Key and fingerprint of the request, so that the same one is taken once.
        payer: Id of the API key that the turn is counted for; empty: nobody's.
        after: The number of turns that the session must have had.
        press: What was pressed: the plan of the turn, whatever its words say.
        language: What the turn is answered in, and those after it; None: as the one before.
    """

    context: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[ClientTool, ...] = ()
    results: tuple[ToolResult, ...] = ()
    repeated: bool = False
    once: Once | None = None
    payer: str = ""
    after: int | None = None
    press: Press | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Once:
    """An idempotency key.

    Args:
        key: SHA-256 (hex) of who sent it and the key they chose.
        fingerprint: SHA-256 (hex) of the request; another request under the key is refused.
    """

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class DeskRequest:
    """One utterance at the desk.

    Args:
        utterance: As it may be stored: personal data masked.
        raw: As it was said; for arguments of tools only, never stored, logged or shown to a model.
        slate: The items on show, best first; focus: those spoken of last.
        carried: Where the user did not write English, how that became `utterance` and `raw`.
    """

    session_id: str
    utterance: str
    raw: str
    state: State
    slate: Sequence[Item] = ()
    focus: Sequence[Item] = ()
    facets: Sequence[Facet] = ()
    extras: Extras = field(default_factory=Extras)
    carried: Carried | None = None

    def said(self, words: str) -> str:
        """Return some words of the utterance as the user wrote them."""
        return words if self.carried is None else self.carried.said(words)


@dataclass(frozen=True, slots=True)
class Attended:
    """What the desk made of an utterance.

    Args:
        rest: What is left for the recommender: the utterance with what the desk took care of
            blanked out, so that places in it stay; empty where nothing is left.
        state: What the desk remembers from now on.
        service: What it did; None where it did nothing.
        words: What it says, before anything that is said about items.
        jobs: Work to do once the turn is stored, and only then.
    """

    rest: str
    state: DeskState
    service: Service | None = None
    words: tuple[str, ...] = ()
    jobs: tuple[NewJob, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the recommender made of the rest.

    Args:
        plan: What it did; its acts `answer` and `handoff` are the desk's.
        found: How many items it shows; None where the turn shows none.
    """

    plan: Plan
    found: int | None


@runtime_checkable
class Sorts(Protocol):
    """Tells what of an utterance is a desk's own, and does nothing about it."""

    def pass_over(self, request: DeskRequest) -> Attended:
        """Return what is left for the recommender, without a word or a deed."""
        ...


@dataclass(frozen=True, slots=True)
class Silent:
    """A desk in a turn that was had before, elsewhere: what is its own is done and said already."""

    desk: Sorts

    def attend(self, request: DeskRequest) -> Attended:
        """Leave out what the desk would take care of."""
        return self.desk.pass_over(request)

    def conclude(self, request: DeskRequest, attended: Attended, outcome: Outcome) -> Attended:
        """Add nothing."""
        return attended


class Desk(Protocol):
    """Answers about the shop, calls tools, hands over to people."""

    def attend(self, request: DeskRequest) -> Attended:
        """Take care of what in an utterance is about the shop; never raises for what is said."""
        ...

    def conclude(self, request: DeskRequest, attended: Attended, outcome: Outcome) -> Attended:
        """Add what follows from the outcome: a hand-over after failures, or that a plan asks for.

        `attended` comes back with more in it; its `rest` no longer counts.
        """
        ...
