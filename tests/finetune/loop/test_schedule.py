"""Rounds again and again: how long, from when on, and what a failure does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.store import Store
from finetune.errors import DataError, LoopError
from finetune.loop import schedule
from finetune.loop.rounds import Ending, Round
from finetune.loop.schedule import duration, learned_until, repeat
from finetune.registry import Registry

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def ended(number: int, ending: Ending) -> Round:
    return Round(number, ending, ("why",), NOW + timedelta(hours=number))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("12h", 43200), ("1d", 86400), ("1.5 h", 5400), ("1W", 604800)],
)  # fmt: skip
def test_durations_are_read(text: str, seconds: float) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "1", "d", "1y", "-1d", "0d", "1d2h"])
def test_other_durations_are_told(text: str) -> None:
    with pytest.raises(LoopError, match="no length of time"):
        duration(text)


def test_rounds_without_pairs_have_learned_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = [ended(1, "refused"), ended(2, "promoted"), ended(3, "too few pairs")]
    monkeypatch.setattr(schedule, "rounds", lambda folder: found)
    assert learned_until(tmp_path) == NOW + timedelta(hours=2)
    monkeypatch.setattr(schedule, "rounds", lambda folder: found[2:])
    assert learned_until(tmp_path) is None


class Clock:
    """A clock that only sleeping and work move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> tuple[Clock, list[Any]]:
    clock, results = Clock(), list[Any]()

    def one_round(learner: Any, store: Any) -> Round:
        clock.now += 40
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result  # type: ignore[no-any-return]

    monkeypatch.setattr(schedule, "one_round", one_round)
    return clock, results


def test_rounds_begin_at_their_times(work: tuple[Clock, list[Any]]) -> None:
    clock, results = work
    results += [ended(1, "refused"), ended(2, "promoted"), ended(3, "promoted")]
    told: list[Any] = []
    repeat(None, None, timedelta(minutes=1), told.append, sleep=clock.sleep, clock=clock, most=3)  # type: ignore[arg-type]
    assert clock.slept == [20, 20]
    assert [one.number for one in told] == [1, 2, 3]


def test_long_rounds_are_followed_at_once(work: tuple[Clock, list[Any]]) -> None:
    clock, results = work
    results += [ended(1, "promoted"), ended(2, "promoted")]
    repeat(None, None, timedelta(seconds=30), print, sleep=clock.sleep, clock=clock, most=2)  # type: ignore[arg-type]
    assert clock.slept == [0]


def test_failure_is_told_and_the_next_round_comes(work: tuple[Clock, list[Any]]) -> None:
    clock, results = work
    results += [DataError("disk full"), ended(1, "promoted")]
    told: list[Any] = []
    repeat(None, None, timedelta(minutes=1), told.append, sleep=clock.sleep, clock=clock, most=2)  # type: ignore[arg-type]
    assert [str(told[0]), told[1].ending] == ["disk full", "promoted"]


def test_bugs_end_the_schedule(work: tuple[Clock, list[Any]]) -> None:
    clock, results = work
    results += [ZeroDivisionError("bug")]
    with pytest.raises(ZeroDivisionError):
        repeat(None, None, timedelta(minutes=1), print, sleep=clock.sleep, clock=clock, most=1)  # type: ignore[arg-type]


def test_round_reads_since_the_last_and_forgets_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = tmp_path / "rounds" / "round-0001" / "pairs"
    made.mkdir(parents=True)
    (made / "report.json").write_text("{}")
    seen: dict[str, Any] = {}
    monkeypatch.setattr(schedule, "learned_until", lambda folder: NOW)
    monkeypatch.setattr(schedule, "forget_deleted", lambda store, **more: seen.update(more))
    monkeypatch.setattr(
        schedule, "run_round", lambda learner, sessions: seen.update(from_=sessions)
    )
    store = Store(f"sqlite:///{tmp_path / 'sessions.db'}")
    monkeypatch.setattr(Store, "logged", lambda self, since: since)
    with Registry(tmp_path / "adapters") as registry:
        schedule.one_round(SimpleNamespace(folder=tmp_path / "rounds", registry=registry), store)  # type: ignore[arg-type]
    assert seen["pairs"] == [made]
    assert seen["from_"] == NOW
    store.close()
