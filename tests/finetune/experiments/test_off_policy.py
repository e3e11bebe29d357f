"""Off-policy estimates: right on average, honest about what the log cannot say."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from finetune.errors import DataError
from finetune.experiments.off_policy import ESTIMATORS, RankedLog, estimate, examined

ATTRACTION = np.array([0.5, 0.3, 0.15, 0.05])
LOOKED = np.array([1.0, 0.5])
SEQUENCES = [(a, b) for a in range(4) for b in range(4) if a != b]
BEST = (0, 1)
TRUTH = float((ATTRACTION[list(BEST)] * LOOKED).sum())


def logged(slates: int, seed: int, shown: list[float] | None = None) -> RankedLog:
    """Slates drawn from all ordered pairs of four items; the target always shows the best two."""
    chance = np.random.default_rng(seed)
    weights = np.array(shown or [1.0] * len(SEQUENCES))
    weights = weights / weights.sum()
    items = np.array(SEQUENCES)[chance.choice(len(SEQUENCES), size=slates, p=weights)]
    at = np.array(
        [[weights[[s[r] == i for s in SEQUENCES]].sum() for i in range(4)] for r in (0, 1)]
    )
    clicked = chance.random(items.shape) < ATTRACTION[items] * LOOKED
    return RankedLog(
        propensity=np.stack([at[0][items[:, 0]], at[1][items[:, 1]]], axis=1),
        target=(items == np.array(BEST)).astype(float),
        reward=clicked.astype(float),
        group=np.arange(slates),
        supported=np.ones(slates),
        predicted=ATTRACTION[items] * LOOKED * 0.8,
        predicted_target=np.full(slates, TRUTH * 0.8),
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimates_are_right_on_average(estimator: Any) -> None:
    values = [estimate(logged(300, seed), estimator).value for seed in range(60)]
    assert np.mean(values) == pytest.approx(TRUTH, abs=3 * np.std(values) / 60**0.5 + 0.005)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_intervals_cover_the_truth(estimator: Any) -> None:
    found = [estimate(logged(400, seed), estimator, seed=seed) for seed in range(100)]
    assert sum(one.low <= TRUTH <= one.high for one in found) >= 90


def test_what_was_logged_is_returned_for_the_logging_policy() -> None:
    log = logged(500, 1)
    same = replace(log, target=log.propensity)
    assert estimate(same, "ips").value == pytest.approx(log.reward.sum(axis=1).mean())


def test_model_lessens_the_spread() -> None:
    plain = [estimate(logged(200, seed), "ips").value for seed in range(40)]
    helped = [estimate(logged(200, seed), "dr").value for seed in range(40)]
    assert np.std(helped) < np.std(plain)


def test_clipping_is_told_and_biases_down() -> None:
    log = logged(2000, 3)
    cut = estimate(log, "ips", clip=2.0)
    assert cut.clipped > 0
    assert cut.value < estimate(log, "ips").value


def test_little_support_is_not_trusted() -> None:
    log = logged(2000, 4)
    assert estimate(log, "snips").trusted
    assert not estimate(replace(log, supported=np.full(2000, 0.5)), "snips").trusted
    assert not estimate(logged(40, 4), "snips").trusted


def test_groups_are_resampled_whole() -> None:
    log = logged(100, 5)
    fields = {f.name: np.repeat(getattr(log, f.name), 5, axis=0) for f in dataclasses.fields(log)}
    copies = RankedLog(**fields)
    alone, copied = estimate(log, "ips"), estimate(copies, "ips")
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"propensity": np.zeros((100, 2))}, "more than 0"),
        ({"propensity": np.full((100, 2), 1.5)}, "at most 1"),
        ({"propensity": np.ones(100)}, "slates x ranks"),
        ({"reward": np.ones((100, 3))}, "reward has shape"),
        ({"reward": np.full((100, 2), np.nan)}, "no number"),
    ],
)
def test_broken_logs_are_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        replace(logged(100, 0), **change)


def test_doubly_robust_needs_a_model() -> None:
    with pytest.raises(DataError, match="needs predicted rewards"):
        estimate(replace(logged(100, 0), predicted=None), "dr")


def test_examination_is_found_from_random_slates() -> None:
    log = logged(20_000, 6)
    looked = examined(list(log.reward.sum(axis=0)), [len(log.reward)] * 2)
    assert looked == pytest.approx(LOOKED, abs=0.05)
