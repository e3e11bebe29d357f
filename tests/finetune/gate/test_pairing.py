"""Two contestants side by side, and the bootstrap of their difference."""

import numpy as np
import pytest

from finetune.gate.metrics import Counts, Mean
from finetune.gate.pairing import difference, paired, worse_units
from retrieval.metrics import paired_bootstrap

M = "understanding.state_exact"


def means(*values):
    return units(*({M: Mean(value)} for value in values))


def units(*readings):
    return {f"u{place}": one for place, one in enumerate(readings, start=1)}


def test_units_without_a_reading_are_left_out():
    ours = units({M: Mean(1.0)}, {}, {M: Mean(0.0)})
    theirs = units({M: Mean(1.0)}, {M: Mean(1.0)}, {M: Mean(2.0, 4.0)})
    both = paired("mean", M, ours, theirs)
    assert both.names == ("u1", "u3")
    assert both.candidate.tolist() == [[1.0, 1.0], [0.0, 1.0]]
    assert both.baseline.tolist() == [[1.0, 1.0], [2.0, 4.0]]


def test_no_common_unit_is_no_metric():
    assert paired("mean", M, units({M: Mean(1.0)}, {}), units({}, {M: Mean(1.0)})) is None


def test_labels_of_both_are_counted():
    ours = units({M: Counts({"Alto": 5.0})})
    theirs = units({M: Counts({"Brisa": 2.0, "Alto": 3.0})})
    both = paired("top_share", M, ours, theirs)
    assert both.candidate.tolist() == [[5.0, 0.0]]
    assert both.baseline.tolist() == [[3.0, 2.0]]


def test_no_label_at_all_is_no_metric():
    assert paired("gini", M, units({M: Counts({})}), units({M: Counts({})})) is None


def test_only_common_units_count():
    assert paired("mean", M, means(1.0), means(1.0, 0.0)).names == ("u1",)


def test_same_answers_differ_by_nothing():
    both = paired("mean", M, means(1, 0, 1, 1), means(1, 0, 1, 1))
    found = difference(both, 0, 500)
    assert found.value == 0
    assert found.interval(0.95) == (0.0, 0.0)


def test_interval_is_that_of_the_paired_bootstrap():
    random = np.random.default_rng(5)
    ours, theirs = random.random(60), random.random(60)
    found = difference(paired("mean", M, means(*ours), means(*theirs)), 1, 20_000)
    expected = paired_bootstrap(ours.tolist(), theirs.tolist(), seed=2, resamples=20_000)
    assert found.value == pytest.approx(expected.mean)
    assert found.interval(0.95) == pytest.approx((expected.low, expected.high), abs=0.004)


def test_interval_covers_the_truth():
    """Of 200 samples of a true difference of .1, about 190 intervals must hold it."""
    random, covered = np.random.default_rng(3), 0
    for seed in range(200):
        theirs = random.random(80) < 0.6
        ours = np.where(random.random(80) < 0.25, random.random(80) < 1.0, theirs)
        found = difference(paired("mean", M, means(*ours), means(*theirs)), seed, 400)
        low, high = found.interval(0.95)
        covered += low <= 0.1 <= high
    assert 175 <= covered <= 200


def test_bigger_units_weigh_more():
    ours = units({M: Mean(9.0, 10.0)}, {M: Mean(0.0, 1.0)})
    theirs = units({M: Mean(0.0, 10.0)}, {M: Mean(1.0, 1.0)})
    found = difference(paired("mean", M, ours, theirs), 0, 200)
    assert found.candidate == pytest.approx(9 / 11)
    assert found.baseline == pytest.approx(1 / 11)


def test_draws_without_a_count_are_left_out():
    one = units({M: Mean(1.0, 1.0)}, {M: Mean(0.0, 0.0)})
    found = difference(paired("mean", M, one, one), 0, 400)
    assert 0 < len(found.draws) < 400
    assert np.isfinite(found.draws).all()


def test_seed_makes_draws_again():
    both = paired("mean", M, means(1, 0, 1, 1, 0), means(1, 1, 0, 1, 0))
    assert (difference(both, 4, 300).draws == difference(both, 4, 300).draws).all()
    assert (difference(both, 4, 300).draws != difference(both, 5, 300).draws).any()


def test_sure_gain_has_a_small_p():
    both = paired("mean", M, means(*[1] * 30), means(*[0] * 30))
    assert difference(both, 0, 999).p_better(1) == pytest.approx(0.001)
    assert difference(both, 0, 999).p_better(-1) == 1.0


def test_worse_units_are_found():
    both = paired("mean", M, means(1, 0, 0), means(0, 0, 1))
    assert worse_units(both, 1) == ("u3",)
    assert worse_units(both, -1) == ("u1",)
