"""What a store holds of a session, as one value: turns, slates with chances, and feedback.

Everything that learns or judges from use (pairs, rankers, off-policy estimates, gates) reads these
values, from a store (`agent.store.Store.logged`) or from a file. This module reads no database.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator

from agent.feedback import FeedbackEvent
from agent.plan import Plan
from agent.service.values import Service
from agent.state import State
from agent.turn import Reason, Relaxation, Value, Written, tupled


class Shown(Value):
    """One item as shown.

    Args:
        fields: The item as it was then: facets by name, and its title, description and currency.
        propensity: Chance with which the policy put this item at this rank, more than 0, at most 1.
    """

    item_id: str
    rank: int
    score: float
    fields: Annotated[dict[str, Any], AfterValidator(tupled)]
    reasons: tuple[Reason, ...] = ()
    propensity: float = 1.0


class LoggedSlate(Value):
    """A slate as shown, best first.

    Args:
        turn_id: The turn it answered; None for a feed.
        policy: How it was chosen, e.g. "greedy".
    """

    id: str
    turn_id: str | None
    policy: str
    time: datetime | None
    items: tuple[Shown, ...]

    def item(self, id: str) -> Shown:
        """Return an item by its id; KeyError if it was not shown."""
        for shown in self.items:
            if shown.item_id == id:
                return shown
        raise KeyError(id)


class LoggedTurn(Value):
    """A turn as stored; `state` is the state after it.

    Args:
        voice: What took it: an adapter, a model without one, or "rules"; None where not known.
    """

    id: str
    number: int
    time: datetime
    utterance: str
    reply: str
    plan: Plan
    state: State
    slate_id: str | None
    claims: tuple[Reason, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    notes: tuple[str, ...] = ()
    written: tuple[Written, ...] = ()
    voice: str | None = None
    service: Service | None = None


class LoggedSession(Value):
    """One session with all that happened in it, each list oldest first.

    Args:
        user: Whose it was, as the client named them; None where it did not.
        events: Feedback on any of its slates, whether or not learning from it is allowed.
    """

    id: str
    user: str | None
    created: datetime
    turns: tuple[LoggedTurn, ...]
    slates: tuple[LoggedSlate, ...]
    events: tuple[FeedbackEvent, ...]

    def before(self, turn: LoggedTurn) -> State:
        """Return the state that a turn began with."""
        earlier = [one for one in self.turns if one.number < turn.number]
        return earlier[-1].state if earlier else State()

    def slate(self, id: str) -> LoggedSlate:
        """Return a slate by its id; KeyError if the session has none such."""
        for slate in self.slates:
            if slate.id == id:
                return slate
        raise KeyError(id)

    def consented(self) -> LoggedSession:
        """Return the session with only the events that may be learned from."""
        return self.model_copy(update={"events": tuple(e for e in self.events if e.consent)})
