"""Sessions as a store would give them, made by hand: what is said, shown and done is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn, Shown
from agent.plan import Act, Plan
from agent.state import Need, Preference, State

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ITEMS = ("a", "b", "c")


def slate(id, turn_id, time, items=ITEMS, policy="greedy", propensity=1.0):
    shown = tuple(
        Shown(
            item_id=item, rank=rank, score=1 / rank, propensity=propensity,
            fields={"title": f"Item {item}", "price": 10.0 * rank, "tags": ("x", "y")},
        )
        for rank, item in enumerate(items, start=1)
    )  # fmt: skip
    return LoggedSlate(id=id, turn_id=turn_id, policy=policy, time=time, items=shown)


def turn(id, number, time, query):
    need = Need(preferences=(Preference(text=query),) if query else ())
    return LoggedTurn(
        id=f"{id}-t{number}", number=number, time=time, utterance=f"show me {query}",
        reply="Here.", plan=Plan(acts=(Act(act="refine"),)), slate_id=f"{id}-l{number}",
        state=State(turn=number, need=need, slate=ITEMS),
    )  # fmt: skip


def event(id, number=1, kind="click", item="a", at=30.0, name=None, **fields):
    """Return feedback on the slate of a turn, some seconds after the session began."""
    return FeedbackEvent(
        id=name or f"{id}-{number}-{kind}-{item}-{at:g}",
        slate_id=f"{id}-l{number}",
        item_id=item,
        kind=kind,
        time=START + timedelta(minutes=number, seconds=at),
        **fields,
    )


def session(id="s1", user="ann", queries=("blue shirt",), events=(), **slates):
    """Return a session with a turn and a slate of three items for each query."""
    times = [START + timedelta(minutes=n) for n in range(1, len(queries) + 1)]
    return LoggedSession(
        id=id, user=user, created=START,
        turns=tuple(turn(id, n, time, query)
                    for n, (time, query) in enumerate(zip(times, queries, strict=True), start=1)),
        slates=tuple(slate(f"{id}-l{n}", f"{id}-t{n}", time, **slates)
                     for n, time in enumerate(times, start=1)),
        events=tuple(sorted(events, key=lambda one: (one.time, one.id))),
    )  # fmt: skip
