"""Experiments read from sessions: explored slates, arms by voice, interleaved slates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.feedback import FeedbackEvent, Kind
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn, Shown
from agent.plan import Plan
from agent.state import State
from finetune.errors import DataError
from finetune.experiments.interleaving import compare
from finetune.experiments.logs import arms, by_voice, ranked_log, winners
from finetune.experiments.off_policy import estimate

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def session(
    id: str,
    slates: list[tuple[str, dict[str, float]]],
    events: list[tuple[int, str, Kind]] = [],  # noqa: B006
    voice: str = "base",
    user: str | None = None,
) -> LoggedSession:
    turns, shown = [], []
    for number, (policy, items) in enumerate(slates, start=1):
        own = tuple(
            Shown(item_id=item, rank=rank, score=0.0, fields={}, propensity=chance)
            for rank, (item, chance) in enumerate(items.items(), start=1)
        )
        turns.append(LoggedTurn(
            id=f"{id}t{number}", number=number, time=NOW, utterance="x", reply="",
            plan=Plan(acts=()), state=State(turn=number), slate_id=f"{id}s{number}", voice=voice,
        ))  # fmt: skip
        shown.append(LoggedSlate(
            id=f"{id}s{number}", turn_id=f"{id}t{number}", policy=policy, time=NOW, items=own
        ))  # fmt: skip
    given = tuple(
        FeedbackEvent(slate_id=f"{id}s{number}", item_id=item, kind=kind, time=NOW)
        for number, item, kind in events
    )
    return LoggedSession(
        id=id, user=user, created=NOW, turns=tuple(turns), slates=tuple(shown), events=given
    )


def test_only_explored_slates_are_taken() -> None:
    explored = ("explore:0.5+base", {"a": 0.5, "b": 0.25})
    log = ranked_log(
        [session("1", [("greedy", {"a": 1.0}), explored], [(2, "b", "click")])],
        lambda session, turn: ("b", "a"), ranks=3,
    )  # fmt: skip
    assert log.propensity.tolist() == [[0.5, 0.25, 1.0]]
    assert log.reward.tolist() == [[0.0, 1.0, 0.0]]
    assert log.target.tolist() == [[0.0, 0.0, 0.0]]


def test_better_ranking_is_told_from_explored_slates() -> None:
    """People take "good" wherever it is; half of the slates show it second, half first."""
    sessions = [
        session(
            str(number),
            [("explore:1", dict.fromkeys(("good", "bad") if number % 2 else ("bad", "good"), 0.5))],
            [(1, "good", "select")] if number % 2 or number % 4 == 0 else [],
        )
        for number in range(200)
    ]
    good = estimate(ranked_log(sessions, lambda *_: ("good", "bad"), ranks=2))
    bad = estimate(ranked_log(sessions, lambda *_: ("bad", "good"), ranks=2))
    assert good.value == pytest.approx(1.0)
    assert bad.value == pytest.approx(0.5, abs=0.1)
    assert good.trusted
    assert bad.high < good.low


def test_unsupported_target_is_told() -> None:
    sessions = [
        session(str(n), [("explore:1", {"a": 0.5}), ("explore:1", {"b": 0.5})]) for n in range(50)
    ]
    found = estimate(ranked_log(sessions, lambda *_: ("never shown",), ranks=1))
    assert (found.value, found.supported, found.trusted) == (0.0, 0.0, False)


def test_no_explored_slate_is_an_error() -> None:
    with pytest.raises(DataError, match="set ATTUNE_EXPLORE"):
        ranked_log([session("1", [("greedy", {"a": 1.0})])], lambda *_: ("a",))


def test_users_count_once_in_their_arm() -> None:
    bought: list[tuple[int, str, Kind]] = [(1, "a", "purchase")]
    slate = [("greedy", {"a": 1.0})]
    sessions = [
        session("1", slate, bought, "base", "ann"),
        session("2", slate, [], "base", "ann"),
        session("3", slate, bought, "tuned", "bob"),
        session("4", slate, [(1, "a", "click")], "tuned"),
        session("5", slate, bought, "other"),
    ]
    found = arms(sessions, "base", "tuned")
    assert (found.control, found.trial) == ((0.5,), (1.0, 0.0))
    assert by_voice(sessions) == {"base": 2, "tuned": 2, "other": 1}


def test_sessions_that_changed_voices_are_left_out() -> None:
    mixed = session("1", [("greedy", {"a": 1.0})] * 2)
    turns = (mixed.turns[0], mixed.turns[1].model_copy(update={"voice": "tuned"}))
    found = arms([mixed.model_copy(update={"turns": turns})], "base", "tuned")
    assert (found.control, found.trial) == ((), ())


def test_interleaved_slates_are_counted() -> None:
    items = {"a": 1.0, "b": 1.0}
    sessions = [
        session("1", [("interleave:AB+x", items)], [(1, "b", "click")]),
        session("2", [("interleave:BA+x", items)], [(1, "b", "click"), (1, "a", "click")]),
        session("3", [("interleave:AB", items)]),
        session("4", [("interleave:ABA", items)], [(1, "b", "click")]),
        session("5", [("greedy", items)], [(1, "b", "click")]),
    ]
    seen = compare(winners(sessions))
    assert (seen.wins_a, seen.wins_b, seen.ties) == (0, 1, 1)


def test_slates_of_other_pairs_are_left_out() -> None:
    slates = [("interleave:A+x", {"a": 1.0})]
    clicked: list[tuple[int, str, Kind]] = [(1, "a", "click")]
    sessions = [session(voice, slates, clicked, voice) for voice in ("base", "other")]
    assert list(winners(sessions)) == ["A", "A"]
    assert list(winners(sessions, ("base", "x"))) == ["A"]
    assert list(winners(sessions, ("base", "x-2"))) == []


def test_interleaved_sessions_are_in_no_arm() -> None:
    sessions = [
        session("1", [("greedy", {"a": 1.0})], [(1, "a", "purchase")]),
        session("2", [("interleave:A+x", {"a": 1.0})]),
    ]
    assert arms(sessions, "base", "x").control == (1.0,)
