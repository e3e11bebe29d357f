"""What was learned from choices, in the ranking and on slates."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.choosing import HEAD, WEIGHT, weighed
from agent.exploring import Explore
from agent.ranking import WEIGHTS, Ranked
from agent.recommend import recommend
from agent.state import Constraint, Likeness, Need, Preference, Sorting, State
from retrieval.catalog import Item
from retrieval.filters import matches
from retrieval.query import Candidate
from tests.agent.choosing import Liking

SHIRTS = Constraint(facet="type", role="category", values=("Shirts",))
CHEAP = Constraint(facet="price", role="price", high=60.0)
BY_TEXT = Need(constraints=(SHIRTS,), preferences=(Preference(text="soft cotton"),))
BY_PRIOR = Need(constraints=(SHIRTS,))
BY_LIKENESS = Need(constraints=(CHEAP,), like=Likeness(item_id="1"))
SORTED = Need(constraints=(SHIRTS,), sorting=Sorting(facet="price", direction="down"))
UNFIT = Need(constraints=(SHIRTS, CHEAP.model_copy(update={"high": 1.0})))
ALL = pytest.mark.parametrize("need", [BY_TEXT, BY_PRIOR, BY_LIKENESS])


def ranked(*scores):
    return [Ranked(Candidate(Item(str(at), "x"), s, None, None), {"relevance": s})
            for at, s in enumerate(scores)]  # fmt: skip


def ids(found):
    return [one.item.id for one in getattr(found, "candidates", found)]


@given(
    st.lists(st.floats(-50, 50), min_size=2, max_size=20),
    st.floats(-100, 100),
    st.integers(1, HEAD),
)
def test_equal_rewards_change_nothing(scores, reward, head):
    before = ranked(*sorted(scores, reverse=True))
    assert weighed(before, (reward,) * min(head, len(scores))) == before


@given(st.lists(st.integers(-12, 12), min_size=3, max_size=HEAD))
def test_higher_rewards_come_first_among_equals(rewards):
    after = weighed(ranked(*[1.0] * len(rewards)), rewards)
    order = [rewards[int(id)] for id in ids(after)]
    assert order == sorted(rewards, reverse=True)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=HEAD))
def test_rewards_move_scores_in_bounds(rewards):
    after = weighed(ranked(*[1.0] * len(rewards)), rewards)
    assert all(abs(one.score - 1.0) <= WEIGHT for one in after)


def test_reward_of_the_middle_counts_nothing():
    after = weighed(ranked(3.0, 2.0, 1.0, 0.5), (7.0, 9.0, 8.0))
    assert {one.item.id: one.score for one in after}["2"] == 1.0
    assert [one.features.get("chosen") for one in after] == [7.0, 9.0, 8.0, None]


def test_liked_item_overtakes_its_neighbours():
    assert ids(weighed(ranked(1.0, 0.9, 0.8, 0.7), (0.0, 0.0, 20.0, 0.0))) == ["2", "0", "1", "3"]


def test_taste_never_outweighs_the_words():
    has_words = WEIGHTS["all_words"] + WEIGHTS["words"]
    after = weighed(ranked(has_words, 0.0), (-1e6, 1e6))
    assert ids(after) == ["0", "1"]


@ALL
def test_recommendations_follow_what_is_chosen(clothes, need):
    before = recommend(clothes, State(need=need), k=6)
    scores = [one.score for one in before.candidates]
    close = min(range(1, 6), key=lambda at: abs(scores[at - 1] - scores[at]))
    liked = ids(before)[close]
    chooser = Liking(lambda item: 30.0 * (item.id == liked))
    after = recommend(clothes, State(need=need), k=6, chooser=chooser)
    assert ids(after).index(liked) < close
    assert (before.policy, after.policy) == ("greedy", "greedy+taste")
    assert after.features[liked]["chosen"] == 30.0
    assert "chosen" not in before.features[liked]


@ALL
def test_chooser_without_an_opinion_is_silent(clothes, need):
    before = recommend(clothes, State(need=need))
    assert recommend(clothes, State(need=need), chooser=Liking(lambda item: -3.0)) == before


def test_chooser_sees_what_fits_and_is_wanted(clothes):
    chooser = Liking(lambda item: 0.0)
    need = BY_TEXT.model_copy(update={"rejected": ("1", "2")})
    recommend(clothes, State(need=need), chooser=chooser)
    ((asked, shown),) = chooser.asked
    assert asked == need
    assert set(shown) == {"3", "4", "5", "6", "7", "8"}


@pytest.mark.parametrize("need", [SORTED, UNFIT], ids=["sorted", "nothing fits"])
def test_order_that_was_asked_for_stands(clothes, need):
    chooser = Liking(lambda item: float(item.id))
    before = recommend(clothes, State(need=need))
    after = recommend(
        clothes, State(need=need), chooser=chooser, policy=Explore(1.0), rng=Random(1)
    )
    assert ids(after) == ids(before)
    assert (chooser.asked, after.policy, set(after.propensities.values())) == ([], "greedy", {1.0})


@ALL
def test_explored_slates_hold_every_constraint(clothes, need):
    seen = set()
    for seed in range(40):
        found = recommend(clothes, State(need=need), k=3, policy=Explore(1.0), rng=Random(seed))
        assert all(matches(need.filter(), item) for item in found.items)
        assert found.policy == "explore:1"
        assert set(found.propensities) == set(ids(found))
        assert all(0 < chance < 1 for chance in found.propensities.values())
        seen.add(tuple(ids(found)))
    assert len(seen) > 10


@ALL
def test_unexplored_slates_are_the_greedy_ones(clothes, need):
    greedy = recommend(clothes, State(need=need), k=3)
    policy = Explore(0.1)
    same = [
        ids(recommend(clothes, State(need=need), k=3, policy=policy, rng=Random(seed)))
        == ids(greedy)
        for seed in range(40)
    ]
    assert sum(same) > 30
    assert set(greedy.propensities.values()) == {1.0}


def test_long_names_fit_the_store(clothes):
    chooser = Liking(lambda item: float(item.id), name="a" * 200)
    found = recommend(clothes, State(need=BY_TEXT), chooser=chooser)
    assert found.policy == "greedy+" + "a" * 57
