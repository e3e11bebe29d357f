"""Figures of feedback: counted by hand, named by key, and suspicious where they should be."""

from __future__ import annotations

import json

import pytest

from agent.feedback import Kind
from agent.keys import key_of
from finetune.events.report import report
from tests.finetune.events.making import event, session, slate

ONE = session(
    "s1", "ann", ("blue shirt", "red shirt"),
    [event("s1"), event("s1", kind="impression", at=20), event("s1", 2, "select", consent=False)],
)  # fmt: skip
TWO = session("s2", None, events=[event("s2", kind="impression")])


def test_everything_is_counted():
    found = report([ONE, TWO])
    assert (found.sessions, found.users, found.anonymous, found.refused) == (2, 1, 1, 1)
    assert (found.turns, found.slates, found.events) == (3, 3, 4)
    assert found.with_feedback == pytest.approx(2 / 3)
    assert found.consent == pytest.approx(3 / 4)
    assert {kind: n for kind, n in found.kinds.items() if n} == {
        "impression": 2, "click": 1, "select": 1
    }  # fmt: skip
    assert list(found.kinds) == list(Kind.__args__)
    assert found.days == {"2026-03-01": {"sessions": 2, "events": 4}}


def test_top_contributors_are_keys():
    sessions = [session(f"s{n}", f"u{n}", events=[event(f"s{n}", at=at) for at in range(n)])
                for n in range(8)]  # fmt: skip
    found = report(sessions)
    assert [one.events for one in found.top] == [7, 6, 5, 4, 3]
    assert found.top[0].key == key_of("u7")
    assert found.top[0].share == pytest.approx(7 / 28)


def test_empty_store_has_a_report():
    found = report([])
    assert (found.sessions, found.with_feedback, found.consent, found.chances) == (0, 0.0, None, ())
    json.dumps(found.to_json())


def test_report_is_json():
    text = json.dumps(report([ONE, TWO]).to_json())
    assert "ann" not in text
    assert json.loads(text)["suspects"] == []


def test_chances_of_a_policy():
    even = session("s1", policy="explore", propensity=0.25)
    (found,) = report([even]).chances
    assert (found.policy, found.slates, found.lowest, found.mean) == ("explore", 1, 0.25, 0.25)
    assert (found.rare, found.effective) == (0.0, pytest.approx(1.0))


def test_few_rare_items_shrink_the_sample():
    rare = session("s1", policy="explore", propensity=0.001)
    many = [session(f"t{n}", policy="explore", propensity=0.9) for n in range(99)]
    (found,) = report([rare, *many]).chances
    assert found.rare == pytest.approx(0.01)
    assert found.effective == pytest.approx(0.0123, abs=0.001)
    assert report([rare, *many]).doubts[0].startswith("policy 'explore': a few rare items outweigh")


@pytest.mark.parametrize(
    ("slates", "said"),
    [
        ({"policy": "greedy", "propensity": 0.5}, "'greedy' always shows the same, yet"),
        ({"policy": "explore", "propensity": 1.0}, "'explore' shows every item with chance 1"),
    ],
)
def test_odd_chances_are_doubted(slates, said):
    (doubt,) = report([session("s1", **slates)]).doubts
    assert said in doubt


def test_interleaved_slates_are_one_policy():
    mixed = [session(f"m{n}", policy=f"interleave:{team}+taste") for n, team in enumerate("ABB")]
    made = report(mixed)
    assert [(one.policy, one.slates) for one in made.chances] == [("interleave", 3)]
    assert made.doubts == ()


def test_good_data_is_not_doubted():
    assert report([ONE, TWO, session("s3", policy="explore", propensity=0.3)]).doubts == ()


def test_bots_are_doubted():
    events = [event("s1", at=n / 10, name=f"e{n}") for n in range(50)]
    found = report([session("s1", "bot", events=events), TWO])
    assert f"{key_of('bot')} gave more than 3 events a second" in found.doubts
    assert found.to_json()["suspects"] == [key_of("bot")]


def test_slate_of_nothing_is_counted():
    empty = TWO.model_copy(update={"slates": (slate("x", None, TWO.created, items=()),)})
    assert report([empty]).slates == 1
