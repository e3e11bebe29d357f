"""Fusion by ranks and by scores, by hand-computed values."""

import pytest

from retrieval.fusion import PRIOR, Fusion, combine, fuse


def test_agreement_beats_first_place():
    assert list(fuse([["a", "b", "c"], ["d", "b", "e"]])) == ["b", "a", "d", "c", "e"]


def test_scores_are_reciprocal_ranks():
    assert fuse([["a", "b"], ["b"]], constant=1) == {"b": 1 / 3 + 1 / 2, "a": 1 / 2}


@pytest.mark.parametrize(
    ("weights", "first"), [([1.0, 0.0], "a"), ([0.0, 1.0], "b"), ([2.0, 1.0], "a")]
)
def test_weights_decide_between_rankings(weights, first):
    assert next(iter(fuse([["a"], ["b"]], weights))) == first


@pytest.mark.parametrize("rankings", [[], [[]], [[], []]])
def test_nothing_fuses_to_nothing(rankings):
    assert fuse(rankings) == {}


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, float("nan")]])
def test_wrong_weights_are_refused(weights):
    with pytest.raises(ValueError, match="expected 2 weights"):
        fuse([["a"], ["b"]], weights)


def test_one_ranking_leads_and_the_other_fills_up():
    meaning, words = [("a", 0.9), ("b", 0.8)], [("c", 5.0), ("b", 2.0)]
    only_words = [key for key, _ in combine(meaning, words, Fusion(dense=0.0))]
    only_meaning = [key for key, _ in combine(meaning, words, Fusion(lexical=0.0))]
    assert (only_words, only_meaning) == (["c", "b", "a"], ["a", "b", "c"])


@pytest.mark.parametrize("values", [(-1, 1), (1, float("nan")), (0, 0), (1, 1, -60)])
def test_impossible_fusion_is_refused(values):
    with pytest.raises(ValueError, match="0"):
        Fusion(*values)


def test_convex_scales_between_lowest_and_best():
    meaning, words = [("a", 0.6), ("b", 0.2)], [("c", 8.0), ("b", 2.0)]
    found = dict(combine(meaning, words, Fusion(0.5, 0.5, by="scores")))
    assert found["a"] == pytest.approx(0.5)
    assert found["b"] == pytest.approx(0.5 * 1.2 / 1.6 + 0.5 * 2 / 8)
    assert found["c"] == pytest.approx(0.5 * 1.2 / 1.6 + 0.5)
    assert list(found) == ["c", "a", "b"]


def test_convex_sees_how_far_scores_are_apart():
    words = [("b", 9.0), ("a", 1.0)]
    near, far = [("a", 0.81), ("b", 0.8)], [("a", 0.8), ("b", -0.5)]
    fusion = Fusion(0.9, 0.1, by="scores")
    assert [combine(meaning, words, fusion)[0][0] for meaning in (near, far)] == ["b", "a"]


@pytest.mark.parametrize(
    ("dense", "lexical", "order"), [(0.0, 1.0, ["c", "b", "a"]), (1.0, 0.0, ["a", "b", "c"])]
)
def test_convex_with_one_weight_keeps_its_order(dense, lexical, order):
    meaning, words = [("a", 0.9), ("b", 0.8)], [("c", 5.0), ("b", 2.0)]
    found = combine(meaning, words, Fusion(dense, lexical, by="scores"))
    assert [key for key, _ in found] == order


@pytest.mark.parametrize(
    ("meaning", "words", "found"),
    [
        ([], [], []),
        ([("a", 0.5)], [], ["a"]),
        ([], [("a", 3.0), ("b", 1.0)], ["a", "b"]),
        ([("a", -1.0), ("b", -1.0)], [], ["a", "b"]),
    ],
)
def test_convex_takes_empty_and_opposite_lists(meaning, words, found):
    assert [key for key, _ in combine(meaning, words, PRIOR)] == found


def test_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="by ranks or by scores, got 'votes'"):
        Fusion(by="votes")
