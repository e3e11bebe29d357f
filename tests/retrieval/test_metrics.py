"""Measures of rankings by hand-computed values."""

from math import isnan, log2

import pytest

from retrieval.metrics import (
    average_precision,
    condensed,
    dcg,
    exponential,
    linear,
    mean_interval,
    mrr,
    ndcg_at_k,
    paired_bootstrap,
    recall_at_k,
    reciprocal_rank,
)

RATINGS = {"a": 3.0, "b": 1.0, "c": 0.0}


def test_gain_of_ratings():
    assert [exponential(rating) for rating in (0, 1, 2, 3)] == [0, 1, 3, 7]
    assert linear(2.5) == 2.5


def test_dcg_discounts_by_log_rank():
    assert dcg([3, 2, 1], 3) == pytest.approx(3 + 2 / log2(3) + 1 / 2)
    assert dcg([3, 2, 1], 1) == 3
    assert dcg([], 10) == 0


def test_ndcg_of_best_order_is_one():
    assert ndcg_at_k(["a", "b", "c"], RATINGS, 10) == 1
    assert ndcg_at_k(["a", "b"], RATINGS, 2) == 1


def test_ndcg_by_hand():
    best = 7 + 1 / log2(3)
    assert ndcg_at_k(["b", "a"], RATINGS, 2) == pytest.approx((1 + 7 / log2(3)) / best)
    linear_best = 3 + 1 / log2(3)
    expected = (1 + 3 / log2(3)) / linear_best
    assert ndcg_at_k(["b", "a"], RATINGS, 2, linear) == pytest.approx(expected)


def test_ideal_counts_what_was_not_found():
    assert ndcg_at_k(["b"], RATINGS, 10) == pytest.approx(1 / (7 + 1 / log2(3)))
    assert ndcg_at_k([], RATINGS, 10) == 0


def test_unrated_pushes_down_unless_condensed():
    ranking = ["x", "a", "b"]
    best = 7 + 1 / log2(3)
    assert ndcg_at_k(ranking, RATINGS, 10) == pytest.approx((7 / log2(3) + 1 / 2) / best)
    assert condensed(ranking, RATINGS) == ["a", "b"]
    assert ndcg_at_k(condensed(ranking, RATINGS), RATINGS, 10) == 1


def test_measures_without_relevant_are_nan():
    assert isnan(ndcg_at_k(["a"], {"a": 0.0}, 10))
    assert isnan(recall_at_k(["a"], set(), 10))
    assert isnan(average_precision(["a"], set()))
    assert isnan(mrr([], []))


def test_recall_by_hand():
    assert recall_at_k(["a", "x", "b"], {"a", "b", "c", "d"}, 2) == 0.25
    assert recall_at_k(["a", "x", "b"], {"a", "b", "c", "d"}, 3) == 0.5


def test_reciprocal_ranks_by_hand():
    assert reciprocal_rank(["x", "a", "b"], {"a", "b"}) == 0.5
    assert reciprocal_rank(["x"], {"a"}) == 0
    assert mrr([["a"], ["x", "a"], ["x"]], [{"a"}] * 3) == pytest.approx((1 + 0.5) / 3)


def test_mrr_wants_one_set_per_ranking():
    with pytest.raises(ValueError, match="shorter"):
        mrr([["a"], ["b"]], [{"a"}])


def test_average_precision_by_hand():
    expected = (1 + 2 / 3) / 3
    assert average_precision(["a", "x", "b"], {"a", "b", "c"}) == pytest.approx(expected)


def test_interval_holds_mean_and_repeats():
    values = [0.0, 1.0] * 50
    first = mean_interval(values, seed=3)
    assert first.mean == 0.5
    assert first.n == 100
    # The standard error is 0.05: the interval is about 0.4 to 0.6.
    assert first.low == pytest.approx(0.4, abs=0.03)
    assert first.high == pytest.approx(0.6, abs=0.03)
    assert mean_interval(values, seed=3) == first
    assert mean_interval(values, seed=4) != first


def test_constant_values_have_no_spread():
    one = mean_interval([0.25] * 8)
    assert (one.mean, one.low, one.high) == (0.25, 0.25, 0.25)


def test_pairing_removes_what_queries_share():
    theirs = [query / 100 for query in range(100)]
    ours = [value + 0.01 for value in theirs]
    difference = paired_bootstrap(ours, theirs)
    assert difference.low == pytest.approx(0.01)
    assert difference.high == pytest.approx(0.01)


def test_noise_is_no_difference():
    ours, theirs = [0.1, 0.9] * 40, [0.9, 0.1] * 40
    difference = paired_bootstrap(ours, theirs)
    assert difference.mean == pytest.approx(0)
    assert difference.low < 0 < difference.high


def test_chunks_cover_all_resamples(monkeypatch):
    monkeypatch.setattr("retrieval.metrics.CHUNK", 64)
    assert mean_interval([0.0, 1.0] * 10, resamples=100).n == 20


def test_different_queries_are_refused():
    with pytest.raises(ValueError, match="same queries twice, got 2 and 1"):
        paired_bootstrap([0.1, 0.2], [0.1])


@pytest.mark.parametrize("values", [[], [0.5, float("nan")]])
def test_missing_values_are_refused(values):
    with pytest.raises(ValueError, match="expected one finite value per query"):
        mean_interval(values)
