"""Sessions in which nobody has more to say than the limits allow, read one at a time.

`finetune.events.caps` must see all of them at once to know how much each person gave; what it
needs of a session is small, so it is shown that, and the sessions are read once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agent.logged import LoggedSession
from agent.plan import Plan
from agent.state import State
from finetune.events.caps import CapReport, Limits, capped, teaches


def bounded(
    read: Callable[[], Iterable[LoggedSession]], limits: Limits | None = None
) -> tuple[Iterator[LoggedSession], CapReport]:
    """Return the sessions within the limits, and what was left out.

    Args:
        read: Reads the sessions, the same each time; those that are new the second time are left
            for the next run.
    """
    done = capped((_outline(session) for session in read()), limits)
    kept = {one.id: {event.id for event in one.events} for one in done.sessions}
    return (_within(one, kept[one.id]) for one in read() if one.id in kept), done.report


def _outline(session: LoggedSession) -> LoggedSession:
    """Return a session without what was shown and understood: the larger part of it by far."""
    update = {"plan": Plan(acts=()), "state": State(), "claims": (), "reply": "", "relaxations": ()}
    turns = tuple(turn.model_copy(update=update) for turn in session.turns)
    return session.model_copy(update={"turns": turns, "slates": ()})


def _within(session: LoggedSession, kept: set[str]) -> LoggedSession:
    events = tuple(one for one in session.events if one.id in kept or not teaches(one))
    return session.model_copy(update={"events": events})
