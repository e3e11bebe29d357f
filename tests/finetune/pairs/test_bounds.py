import pytest

from finetune.events.caps import Limits
from finetune.pairs.bounds import bounded
from finetune.pairs.keys import key_of
from finetune.pairs.make import PairsConfig, make_pairs


@pytest.fixture
def loud(talk):
    """Return a session that clicks twenty times."""
    one = talk(id="loud", user="loud").says("dresses", shows=("d1", "d2", "d3"))
    for _ in range(20):
        one.does("click", "d3")
    return one.session


@pytest.fixture
def quiet(talk):
    one = talk(id="quiet", user=None).says("dresses under 60", shows=("d3", "d1"))
    return one.does("click", "d1").session


def test_sessions_within_limits_stay_whole(quiet):
    sessions, caps = bounded(lambda: iter([quiet]))
    assert list(sessions) == [quiet]
    assert caps.cuts == ()


def test_report_tells_what_limits_cut(loud, quiet, retriever):
    sessions, caps = bounded(lambda: [loud, quiet], Limits(per_session=5))
    report = make_pairs(sessions, retriever, PairsConfig(least=1), caps).report
    assert report["caps"] == {
        "given": 21, "kept": 6, "largest_share": 5 / 6, "suspects": [],
        "cuts": [{"key": key_of("loud"), "reason": "session", "given": 20, "kept": 5}],
    }  # fmt: skip


def test_session_that_came_meanwhile_waits(loud, quiet):
    seen = iter([[quiet], [quiet, loud]])
    sessions, _ = bounded(lambda: next(seen))
    assert list(sessions) == [quiet]


def test_flood_of_one_user_is_cut(loud, quiet):
    sessions, _ = bounded(lambda: [loud, quiet], Limits(per_session=5))
    kept = list(sessions)
    assert [len(one.events) for one in kept] == [5, 1]
    assert [one.slates for one in kept] == [loud.slates, quiet.slates]
