"""Drift: told when people change, not told when they don't."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn, Shown
from agent.plan import Act, ActName, Mention, Plan
from agent.state import State
from finetune.errors import DataError
from finetune.experiments.drift import SIGNALS, drift

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def session(
    seed: int, acts: tuple[ActName, ...] = ("recommend", "refine"), unknown: float = 0.1
) -> LoggedSession:
    chance = random.Random(seed)
    turns, slates, events = [], [], []
    for number in range(1, chance.randint(2, 4) + 1):
        strange = chance.random() < unknown
        mention = Mention(
            id="U1" if strange else "V1", kind="unknown" if strange else "value", start=0, end=3,
            text="red", facet=None if strange else chance.choice(("colour", "category")),
        )  # fmt: skip
        plan = Plan(acts=(Act(act=chance.choice(acts)),), mentions=(mention,))
        slate = f"s{seed}-{number}"
        turns.append(LoggedTurn(
            id=f"t{seed}-{number}", number=number, time=NOW, utterance="red ones please", reply="",
            plan=plan, state=State(turn=number), slate_id=slate,
        ))  # fmt: skip
        items = tuple(Shown(item_id=str(r), rank=r, score=1.0, fields={}) for r in (1, 2, 3))
        slates.append(
            LoggedSlate(id=slate, turn_id=turns[-1].id, policy="greedy", time=NOW, items=items)
        )
        if chance.random() < 0.5:
            rank = str(chance.choice((1, 1, 2, 3)))
            events.append(FeedbackEvent(slate_id=slate, item_id=rank, kind="click", time=NOW))
    return LoggedSession(
        id=f"x{seed}", user=None, created=NOW + timedelta(seconds=seed), turns=tuple(turns),
        slates=tuple(slates), events=tuple(events),
    )  # fmt: skip


def test_same_people_do_not_drift() -> None:
    found = drift([session(seed) for seed in range(80)], [session(100 + s) for s in range(80)])
    assert not found.drifted
    assert (found.before, found.now) == (80, 80)


def test_new_words_and_acts_are_told() -> None:
    changed = [session(100 + seed, ("undo", "reject", "refine"), unknown=0.7) for seed in range(80)]
    found = drift([session(seed) for seed in range(80)], changed)
    told = {change.signal: change for change in found.changes if change.drifted}
    assert {"acts", "unknown words", "repairs"} <= set(told)
    assert "ranks chosen" not in told
    value, before, now = told["unknown words"].moved[0]
    assert before < 0.3 < now or (value == "all known" and now < 0.5 < before)


def test_largest_change_comes_first() -> None:
    found = drift(
        [session(s) for s in range(40)], [session(50 + s, unknown=0.9) for s in range(40)]
    )
    assert [one.psi for one in found.changes] == sorted(
        (c.psi for c in found.changes), reverse=True
    )


def test_rare_values_are_counted_together() -> None:
    facets = [session(seed) for seed in range(30)]
    odd = [
        one.model_copy(update={"turns": tuple(
            turn.model_copy(update={"plan": Plan(acts=turn.plan.acts, mentions=(
                Mention(id="V1", kind="value", start=0, end=1, text="x", facet=f"f{place}-{seed}"),
            ))})
            for place, turn in enumerate(one.turns)
        )})
        for seed, one in enumerate(facets)
    ]  # fmt: skip
    found = drift(facets, odd)
    assert "facets spoken of" in {change.signal for change in found.changes if change.drifted}


def test_every_signal_reads_an_empty_session() -> None:
    empty = session(1).model_copy(update={"turns": (), "slates": (), "events": ()})
    assert {
        name: list(signal(empty)) for name, signal in SIGNALS.items() if list(signal(empty))
    } == {"turns per session": ["0"]}


def test_too_few_sessions_are_told() -> None:
    with pytest.raises(DataError, match="3 sessions in the present time: expected at least 20"):
        drift([session(seed) for seed in range(20)], [session(seed) for seed in range(3)])
