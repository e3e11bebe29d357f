"""Reciprocal rank fusion by hand-computed values."""

import pytest

from retrieval.fusion import Fusion, combine, fuse


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
