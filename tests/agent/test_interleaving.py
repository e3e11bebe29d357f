"""Slates of two rankings: what is drafted, what may not change, and what is stored of it."""

from dataclasses import replace
from random import Random

import pytest

from agent.dialogue import respond
from agent.exploring import Explore
from agent.feedback import FeedbackEvent
from agent.interleaving import MOST_CHARACTERS, policy_of, team_draft
from agent.planner import RulePlanner
from agent.recommend import recommend
from agent.state import Constraint, Need, Preference, Sorting, State
from agent.voice import Voice
from finetune.experiments.logs import teams_of, winners
from tests.agent.choosing import Liking
from tests.agent.talking import say, shown
from tests.agent.test_dialogue_voices import OneVoice, stored

SHIRTS = Constraint(facet="type", role="category", values=("Shirts",))
CHEAP = Constraint(facet="price", role="price", high=60.0)
BY_TEXT = Need(constraints=(SHIRTS,), preferences=(Preference(text="soft cotton"),))
BY_PRIOR = Need(constraints=(SHIRTS, CHEAP))
SORTED = Need(constraints=(SHIRTS,), sorting=Sorting(facet="price", direction="down"))
UNFIT = Need(constraints=(SHIRTS, CHEAP.model_copy(update={"high": 1.0})))

DEAR = Liking(lambda item: 20.0 * item.fields["price"], name="dear")
THRIFTY = Liking(lambda item: -20.0 * item.fields["price"], name="thrifty")
PLANNER = RulePlanner()


def ids(found):
    return [one.item.id for one in found.candidates]


def mixed(shop, need, ours=DEAR, theirs=THRIFTY, seed=0, **options):
    rival = Voice("thrifty", PLANNER, chooser=theirs)
    state, rng = State(need=need), Random(seed)
    return recommend(shop, state, k=3, chooser=ours, rival=rival, rng=rng, **options)


@pytest.mark.parametrize("need", [BY_TEXT, BY_PRIOR])
def test_slate_is_drafted_from_both_rankings(clothes, need):
    a, b = (
        ids(recommend(clothes, State(need=need), k=3, chooser=chooser))
        for chooser in (DEAR, THRIFTY)
    )
    assert a != b
    drafts = {team_draft(a, b, 3, seed) for seed in range(50)}
    expected = {(one.items, policy_of(one.teams, "thrifty")) for one in drafts}
    found = [mixed(clothes, need, seed=seed) for seed in range(30)]
    seen = {(tuple(ids(one)), one.policy) for one in found}
    assert len(seen) > 1
    assert seen <= expected
    assert all(one.propensities == dict.fromkeys(ids(one), 1.0) for one in found)
    assert found[0] == mixed(clothes, need, seed=0)


def test_scores_are_those_of_who_picked(clothes):
    found = mixed(clothes, BY_TEXT)
    letters = found.policy.removeprefix("interleave:").partition("+")[0]
    for one, letter in zip(found.candidates, letters, strict=True):
        reward = (DEAR if letter == "A" else THRIFTY).rewards(BY_TEXT, [one.item], ())[0]
        assert found.features[one.item.id]["chosen"] == round(reward, 3)


@pytest.mark.parametrize("chooser", [None, DEAR])
def test_equal_rankings_show_what_one_would(clothes, chooser):
    plain = recommend(clothes, State(need=BY_TEXT), k=3, chooser=chooser)
    found = mixed(clothes, BY_TEXT, ours=chooser, theirs=chooser)
    assert found.candidates == plain.candidates
    assert found.policy.startswith("interleave:")


@pytest.mark.parametrize("need", [SORTED, UNFIT])
def test_asked_for_order_and_ways_out_stand(clothes, need):
    assert mixed(clothes, need) == recommend(clothes, State(need=need), k=3)


def test_interleaved_slates_are_not_explored(clothes):
    explored = mixed(clothes, BY_TEXT, policy=Explore(1.0))
    assert explored == mixed(clothes, BY_TEXT)


def test_name_of_policy_fits_the_store():
    assert policy_of(("A", "B"), "taste-2-9f8e7d6c") == "interleave:AB+taste-2-9f8e7d6c"
    assert len(policy_of(("A",) * 10, "x" * 80)) == MOST_CHARACTERS


@pytest.fixture
def rivals(parts):
    """Parts whose voice likes high prices and has a rival that likes low ones."""
    dear, thrifty = (Voice(one.name, PLANNER, chooser=one) for one in (DEAR, THRIFTY))
    return replace(parts, router=OneVoice(replace(dear, rival=thrifty)))


def test_click_counts_for_who_picked(rivals):
    for place in (0, 1):
        session = rivals.store.create_session()
        done = say(rivals, session, "shoes")
        (slate,) = stored(rivals, session).slates
        drafted = teams_of(slate)
        assert drafted.items == tuple(shown(done))
        assert slate.policy == policy_of(drafted.teams, "thrifty")
        assert {one.propensity for one in slate.items} == {1.0}
        clicked = drafted.items[place]
        rivals.store.add_feedback(FeedbackEvent(slate_id=slate.id, item_id=clicked, kind="click"))
        logged = [stored(rivals, session)]
        assert done.voice == "dear"
        assert list(winners(logged, ("dear", "thrifty"))) == [drafted.teams[place]]
        assert list(winners(logged, ("thrifty", "dear"))) == []


def test_turn_that_broke_off_is_drafted_again(rivals):
    session = rivals.store.create_session()
    events = respond(rivals, session, "shoes")
    slate = next(event.slate for event in events if event.kind == "items")
    events.close()
    assert shown(say(rivals, session, "shoes")) == [one.item_id for one in slate.items]
