"""Limits on what one person teaches: held for everybody, told for everybody, the same each time."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.keys import key_of
from finetune.errors import DataError
from finetune.events.caps import TIMELESS, Limits, capped, most_each, teaches
from tests.finetune.events.making import START, event, session

FREE = {"per_session": 10**6, "per_user": 10**6, "share": 1.0, "turns": 10**6, "per_second": inf,
        "copies": 10**6}  # fmt: skip


def clicks(id, count, every=60.0, **fields):
    return [event(id, at=n * every, name=f"{id}-e{n:03}", **fields) for n in range(count)]


def user(name, count, every=60.0, sessions=1):
    """Return sessions of a user with so many clicks each, about some wish of theirs."""
    ids = [f"{name}{n}" for n in range(sessions)]
    return [session(id, name, (f"wish of {id}",), clicks(id, count, every)) for id in ids]


def taught(done):
    return Counter(
        one.user or one.id for one in done.sessions for event in one.events if teaches(event)
    )


def test_ordinary_use_passes_untouched():
    sessions = [one for n in range(20) for one in user(f"u{n}", 4)]
    done = capped(sessions)
    assert done.sessions == tuple(sessions)
    assert (done.report.given, done.report.kept, done.report.cuts) == (80, 80, ())
    assert done.report.largest == 4 / 80


def test_flood_in_a_session_keeps_the_newest():
    done = capped(user("ann", 30), Limits(**{**FREE, "per_session": 10}))
    assert [one.id for one in done.sessions[0].events] == [f"ann0-e{n:03}" for n in range(20, 30)]
    (cut,) = done.report.cuts
    assert (cut.key, cut.reason, cut.given, cut.kept) == (key_of("ann"), "session", 30, 10)


def test_flood_over_sessions_is_of_one_user():
    limits = Limits(**{**FREE, "per_user": 25})
    done = capped([*user("ann", 10, sessions=5), *user("bob", 10)], limits)
    assert taught(done) == {"ann": 25, "bob": 10}
    (cut,) = done.report.cuts
    assert (cut.key, cut.reason, cut.given, cut.kept) == (key_of("ann"), "user", 50, 25)


def test_sessions_without_user_are_people_of_their_own():
    sessions = [session(id, None, events=clicks(id, 10)) for id in ("s1", "s2")]
    done = capped(sessions, Limits(**{**FREE, "per_user": 6}))
    assert taught(done) == {"s1": 6, "s2": 6}
    assert {cut.key for cut in done.report.cuts} == {key_of("s1"), key_of("s2")}


def test_nobody_has_more_than_a_share():
    sessions = [*user("ann", 300), *(one for n in range(30) for one in user(f"u{n}", 10))]
    done = capped(sessions, Limits(**{**FREE, "share": 0.1, "least": 5}))
    counts = taught(done)
    assert counts["ann"] == 33
    assert done.report.largest <= 0.1
    assert all(counts[f"u{n}"] == 10 for n in range(30))


def test_few_people_keep_their_least():
    done = capped([*user("ann", 80), *user("bob", 20)], Limits(**{**FREE, "share": 0.1}))
    assert taught(done) == {"ann": 50, "bob": 20}
    assert done.report.cuts[0].reason == "share"


@given(st.lists(st.integers(0, 60), max_size=12), st.floats(0.05, 1), st.integers(1, 20))
def test_share_is_the_largest_that_holds(counts, share, least):
    own = {str(n): count for n, count in enumerate(counts)}
    holds = lambda c: c <= share * sum(min(n, c) for n in counts)  # noqa: E731
    top = max([*counts, 0])
    best = max((c for c in range(least, top + 1) if holds(c)), default=least)
    assert most_each(own, share, least) == max(best, least)


def test_bots_are_left_out_and_named():
    bot = user("bot", 40, every=0.1)
    quick = user("quick", 29, every=0.1)
    done = capped([*bot, *quick], Limits(**{**FREE, "per_second": 3.0}))
    assert taught(done) == {"quick": 29}
    assert done.report.suspects == (key_of("bot"),)
    assert [one.id for one in done.sessions] == ["bot0", "quick0"]


def test_rate_is_over_all_sessions_of_a_user():
    done = capped(user("bot", 8, every=0.5, sessions=5), Limits(**{**FREE, "per_second": 3.0}))
    assert done.report.suspects == (key_of("bot"),)
    assert done.report.kept == 0


def test_slow_crowds_are_no_bots():
    done = capped(user("ann", 200, every=1.0), Limits(**{**FREE, "per_second": 3.0}))
    assert done.report.cuts == ()


def copies(count, kinds=("click", "select", "purchase"), drift=0.0):
    """Return sessions of different users alike but for when they began and, maybe, their pace."""
    return [
        session(f"s{n}", f"u{n}",
                events=[event(f"s{n}", kind=kind, at=30 + 5 * n + place * (2 + n * drift),
                              name=f"s{n}-{kind}")
                        for place, kind in enumerate(kinds)])
        for n in range(count)
    ]  # fmt: skip


def test_same_story_counts_once():
    done = capped(copies(6))
    assert taught(done) == {"u0": 3}
    assert {cut.reason for cut in done.report.cuts} == {"copies"}
    assert set(done.report.suspects) == {key_of(f"u{n}") for n in range(1, 6)}


@pytest.mark.parametrize(
    ("count", "kinds", "drift"),
    [
        (4, ("click", "select", "purchase"), 0.0),
        (9, ("click", "select"), 0.0),
        (9, ("click", "select", "purchase"), 0.3),
    ],
    ids=["few", "short", "at another pace"],
)
def test_coincidence_is_no_copy(count, kinds, drift):
    assert capped(copies(count, kinds, drift)).report.cuts == ()


def test_simulated_users_need_no_time():
    sessions = [*copies(9), *user("quick", 90, every=0.0)]
    assert capped(sessions, TIMELESS).report.kept == 9 * 3 + 50
    assert capped(sessions, TIMELESS).report.suspects == ()


def test_old_sessions_of_a_talker_go_whole():
    long = [
        session(f"s{n}", "ann", ("a", "b", "c"), clicks(f"s{n}", 1)).model_copy(
            update={"created": START + timedelta(days=n)}
        )
        for n in range(4)
    ]
    done = capped(long, Limits(**{**FREE, "turns": 7}))
    assert [one.id for one in done.sessions] == ["s2", "s3"]
    (cut,) = done.report.cuts
    assert (cut.reason, cut.given, cut.kept) == ("turns", 12, 6)
    assert capped(long[:1], Limits(**{**FREE, "turns": 1})).sessions == tuple(long[:1])


def test_what_does_not_teach_is_left_alone():
    events = [
        *clicks("s1", 5, kind="impression"),
        *[event("s1", kind="select", at=n, consent=False, name=f"x{n}") for n in range(5)],
        event("s1", kind="purchase", at=400),
    ]
    done = capped([session("s1", events=events)], Limits(**{**FREE, "per_session": 1}))
    assert len(done.sessions[0].events) == 11
    assert (done.report.given, done.report.kept) == (1, 1)


@given(st.permutations(range(8)))
def test_order_of_sessions_does_not_matter(order):
    sessions = [*user("ann", 30, sessions=3), *user("bob", 9, sessions=2), *user("bot", 40, 0.1),
                *copies(2)]  # fmt: skip
    limits = Limits(per_session=20, per_user=40, share=0.4, least=3, copies=2)
    straight = capped(sessions, limits)
    shuffled = capped([sessions[place] for place in order], limits)
    assert shuffled.report == straight.report
    assert {one.id: one for one in shuffled.sessions} == {one.id: one for one in straight.sessions}


def test_nothing_given_is_nothing_kept():
    done = capped([])
    assert (done.sessions, done.report.kept, done.report.largest) == ((), 0, 0.0)


def test_reports_name_nobody():
    told = repr(capped([*user("ann", 900), *user("bot", 50, 0.01)]).report)
    assert "ann" not in told
    assert "bot" not in told


@pytest.mark.parametrize(("name", "value"), [("per_user", 0), ("share", 1.5), ("share", 0),
                                             ("per_second", float("nan"))])  # fmt: skip
def test_impossible_limits_are_named(name, value):
    with pytest.raises(DataError, match=f"limit {name}={value!r}: expected more than 0"):
        Limits(**{name: value})
