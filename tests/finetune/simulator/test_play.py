from collections import Counter
from dataclasses import replace

import pytest

from agent.dialogue import Parts
from agent.exploring import Explore
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.voice import Voice
from finetune.contestant import Contestant
from finetune.errors import FinetuneError
from finetune.simulator import Population, differences, simulate
from finetune.simulator.play import parts_of, play
from finetune.simulator.users import draw_users
from finetune.simulator.wording import by_phrases
from tests.finetune.simulator.shop import RULES

PLAIN = Population()
BACKWARDS = Population(
    dialect={"avoid": ("{v} is what I love",)}, speaks=1.0, avoids=1.0, notices=1.0, wishes=(2, 2),
    changes=0.0, typos=0.0, vague=0.0, margin=-9.0, patience=(5, 5), consent=1.0,
)  # fmt: skip
"""Who rules out what they seem to praise: read the wrong way round by anyone who does not know."""


def kept(outcomes):
    return [replace(one, session="") for one in outcomes.users]


def test_same_seed_same_outcomes(retriever, store):
    first = simulate(RULES, retriever, store, PLAIN, 10, 3)
    assert kept(first) == kept(simulate(RULES, retriever, store, PLAIN, 10, 3))
    assert kept(first) != kept(simulate(RULES, retriever, store, PLAIN, 10, 4))


def test_exploring_slates_follow_the_seed(retriever, store):
    often = Explore(0.9)
    first = simulate(RULES, retriever, store, PLAIN, 6, 3, policy=often)
    again = simulate(RULES, retriever, store, PLAIN, 6, 3, policy=often)
    assert kept(first) == kept(again)
    assert kept(first) != kept(simulate(RULES, retriever, store, PLAIN, 6, 3))
    chances = {i.propensity for s in store.logged() for slate in s.slates for i in slate.items}
    assert min(chances) < 1.0


def test_equals_do_not_differ(retriever, store):
    first = simulate(RULES, retriever, store, PLAIN, 6, 3)
    again = simulate(RULES, retriever, store, PLAIN, 6, 3)
    assert {one.mean for one in differences(first, again).values()} == {0.0}


def test_other_users_cannot_be_compared(retriever, store):
    first = simulate(RULES, retriever, store, PLAIN, 2, 3)
    with pytest.raises(FinetuneError, match="same users"):
        differences(first, simulate(RULES, retriever, store, PLAIN, 2, 4))


def test_users_end_within_patience(retriever, store):
    hasty = replace(PLAIN, patience=(2, 2), margin=-9.0)
    found = simulate(RULES, retriever, store, hasty, 10, 0)
    failed = [one for one in found.users if not one.success]
    assert failed
    assert {(one.turns, len(one.transcript)) for one in failed} == {(3, 2)}


def test_feedback_is_stored_consent_kept(retriever, store):
    found = simulate(RULES, retriever, store, replace(PLAIN, consent=0.5), 20, 0)
    by_session = {one.session: one.consent for one in found.users}
    events = [(s.id, event) for s in store.logged() for event in s.events]
    assert {"click", "select", "rating", "dwell"} <= {event.kind for _, event in events}
    assert all(event.consent == by_session[id] for id, event in events)
    assert {event.consent for _, event in events} == {True, False}


def test_events_lie_within_their_session(retriever, store):
    simulate(RULES, retriever, store, PLAIN, 8, 0)
    for session in store.logged():
        shown = {slate.id: slate.time for slate in session.slates}
        assert all(event.time >= shown[event.slate_id] for event in session.events)
        assert session.user.startswith("sim-0-")


def test_misread_dialect_is_corrected_next(retriever, store):
    found = simulate(RULES, retriever, store, BACKWARDS, 12, 0)
    pairs = Counter()
    for session, outcome in zip(store.logged(), found.users, strict=True):
        assert session.id == outcome.session
        for turn, line, after in zip(
            session.turns, outcome.transcript, outcome.transcript[1:], strict=False
        ):
            if line.move == "avoid" and line.misread:
                pairs[after.move] += 1
                assert "what I love" not in after.text
                assert not [e for e in session.events if e.slate_id == turn.slate_id]
    assert pairs["repair"] >= 4
    assert set(pairs) == {"repair"}


def test_repairs_are_understood(retriever, store):
    found = simulate(RULES, retriever, store, BACKWARDS, 12, 0)
    repaired = [line.misread for one in found.users for line in one.transcript
                if line.move == "repair"]  # fmt: skip
    assert repaired.count(False) > 3 * repaired.count(True)


def test_titles_stay_hidden(retriever, store):
    found = simulate(RULES, retriever, store, replace(PLAIN, vague=0.8), 30, 1)
    assert [one.user for one in found.users if one.leaked] == []


def test_leaking_users_are_left_out(retriever, store):
    def telling(move, user, slate, random):
        names = user.name.endswith(("-1", "-3"))
        return user.target.title if names else by_phrases(move, user, slate, random)

    found = simulate(RULES, retriever, store, PLAIN, 5, 0, wording=telling)
    assert [one.leaked for one in found.users] == [False, True, False, True, False]
    report = found.to_json()
    assert (report["n"], report["leaked"]) == (3, 2)
    assert len(found.values("success")) == 3


def test_nothing_counts_where_all_leak(retriever, store):
    found = simulate(
        RULES, retriever, store, PLAIN, 2, 0, wording=lambda _, user, *rest: user.target.title
    )
    with pytest.raises(FinetuneError, match="every user named the target"):
        found.estimates()


def test_violating_slates_are_caught(retriever, world, store, monkeypatch):
    from agent import dialogue

    made = dialogue.recommend

    def careless(*args, **options):
        found = made(*args, **options)
        others = retriever.search("", k=40)
        return replace(found, candidates=tuple(others[-5:]), relaxations=())

    monkeypatch.setattr(dialogue, "recommend", careless)
    user = next(u for u in draw_users(world, PLAIN, 20, 0) if not u.wide and len(u.wishes) > 2)
    outcome = play(parts_of(RULES, retriever, store), world, user)
    assert outcome.violations >= 3


def test_parts_are_taken_as_they_are(retriever, store):
    parts = Parts(store, retriever, Linker.build(retriever), RulePlanner(retriever.facets), page=1)
    found = simulate(parts, retriever, store, PLAIN, 4, 0)
    assert found.name == "rules"
    assert {len(line.items) for one in found.users for line in one.transcript} <= {0, 1}


def test_contestant_is_named_on_turns(retriever, store):
    named = Contestant("trial", lambda r: Voice("x", RulePlanner(r.facets)))
    assert simulate(named, retriever, store, PLAIN, 1, 0).name == "trial"
