import itertools
import math
from collections import Counter
from random import Random

import pytest

from agent.exploring import GREEDY, Explore, place_chances, plackett_luce, slate_rng, strengths

SCORES = (1.9, 1.7, 1.65, 1.2, 0.9, 0.4)


def by_permutations(weights, k):
    """Return the chances of places at ranks, summed over every order of k draws."""
    chances = [[0.0] * len(weights) for _ in range(k)]
    for order in itertools.permutations(range(len(weights)), k):
        left, chance = sum(weights), 1.0
        for place in order:
            chance *= weights[place] / left
            left -= weights[place]
        for rank, place in enumerate(order):
            chances[rank][place] += chance
    return chances


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (4, 4), (6, 3), (7, 5)])
def test_chances_equal_brute_force(n, k):
    weights = [Random(n * k + at).uniform(0.05, 4) for at in range(n)]
    for ours, theirs in zip(place_chances(weights, k), by_permutations(weights, k), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_chances_equal_what_is_drawn():
    weights, rng, n = strengths(SCORES, 1.0), Random(5), 20_000
    drawn = Counter()
    for _ in range(n):
        drawn.update(enumerate(plackett_luce(weights, 4, rng)))
    for rank, row in enumerate(place_chances(weights, 4)):
        for place, chance in enumerate(row):
            deviation = math.sqrt(chance * (1 - chance) / n)
            assert abs(drawn[rank, place] / n - chance) < 4.5 * deviation


def test_each_rank_shows_somebody():
    chances = place_chances(strengths(range(12), 0.5), 12)
    assert [sum(row) for row in chances] == pytest.approx([1.0] * 12)
    assert [sum(column) for column in zip(*chances, strict=True)] == pytest.approx([1.0] * 12)


def test_propensities_are_how_often_slates_come():
    policy, n = Explore(0.3, head=4), 20_000
    told, seen = {}, Counter()
    for seed in range(n):
        drawn = policy.draw(SCORES, 3, Random(seed))
        for rank, (place, chance) in enumerate(zip(drawn.places, drawn.propensities, strict=True)):
            assert told.setdefault((rank, place), chance) == chance
            seen[rank, place] += 1
    assert len(told) == 12
    for at, chance in told.items():
        assert seen[at] / n == pytest.approx(chance, abs=4.5 * math.sqrt(0.25 / n))


@pytest.mark.parametrize(
    ("policy", "scores", "k", "places"),
    [
        (GREEDY, SCORES, 4, (0, 1, 2, 3)),
        (GREEDY, SCORES[:2], 4, (0, 1)),
        (Explore(0.0), SCORES, 4, (0, 1, 2, 3)),
        (Explore(1.0), (), 4, ()),
        (Explore(1.0), (0.5,), 4, (0,)),
    ],
)  # fmt: skip
def test_slates_without_chance_have_propensity_one(policy, scores, k, places):
    drawn = policy.draw(scores, k, Random(1))
    assert (drawn.places, drawn.propensities) == (places, (1.0,) * len(places))


def test_items_behind_the_head_stay_in_place():
    drawn = Explore(1.0, head=3).draw(SCORES, 5, Random(3))
    assert sorted(drawn.places[:3]) == [0, 1, 2]
    assert drawn.places[3:] == (3, 4)
    assert drawn.propensities[3:] == (1.0, 1.0)
    assert all(0 < chance < 1 for chance in drawn.propensities[:3])


def test_slate_can_be_drawn_again():
    draw = [Explore(1.0).draw(SCORES, 5, slate_rng("session", 3)) for _ in range(2)]
    assert draw[0] == draw[1]
    others = {Explore(1.0).draw(SCORES, 5, slate_rng("session", turn)) for turn in range(9)}
    assert len(others) > 5


def test_temperature_and_scale_of_scores():
    cold, hot = (place_chances(strengths(SCORES, t), 1)[0] for t in (0.1, 10.0))
    assert cold[0] > 0.8 > hot[0] > hot[-1] > 0.12
    assert strengths([10 * s + 3 for s in SCORES], 1.0) == pytest.approx(strengths(SCORES, 1.0))
    assert strengths([2.0, 2.0], 1.0) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"share": 1.5}, "share must be 0 to 1, got 1.5"),
        ({"share": 0.1, "head": 40}, "head must be 2 to 12, got 40"),
        ({"share": 0.1, "temperature": 0.0}, "temperature must be above 0, got 0.0"),
    ],
)
def test_impossible_policy_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Explore(**wrong)


def test_names_are_what_slates_store():
    assert (GREEDY.name, Explore(0.1).name) == ("greedy", "explore:0.1")
