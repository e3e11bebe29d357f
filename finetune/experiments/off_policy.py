"""What another ranking would have earned, told from slates that were shown by chance.

A slate's reward is the sum of its ranks' (a selection is 1, say). Under the item-position model the
reward at a rank depends on the item and the rank alone; each logged reward is then weighed by how
much more often the other policy puts that item there (Li et al. 2018, "Offline Evaluation of
Ranking Policies with Click Models", section 5). This module knows no store and no recommender.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from finetune.errors import DataError

Estimator = Literal["ips", "snips", "dr"]
ESTIMATORS: tuple[Estimator, ...] = ("ips", "snips", "dr")

LEAST_SUPPORT = 0.9
"""Share of the target policy's slots that the logging policy must be able to show. What it never
shows it says nothing about; estimates then leave that part out."""
LEAST_EFFECTIVE = 30.0
"""Effective slates at the weakest rank below which an interval is not to be trusted."""

_RESAMPLES = 2000
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RankedLog:
    """Slates of one length as shown, and what the target policy does in their place.

    Args:
        propensity: Chance of the shown item at its rank under the logging policy, (slates, ranks).
        target: The same under the target policy, (slates, ranks).
        reward: What each rank earned, (slates, ranks).
        group: Which slates belong together (sessions, users), (slates,): they are resampled as one.
        supported: Share of the target's own slots that the logging policy could have shown,
            (slates,).
        predicted: A model's reward of the shown item at its rank, (slates, ranks); for "dr".
        predicted_target: Its reward of the target policy's slate, (slates,); for "dr".
    """

    propensity: Floats
    target: Floats
    reward: Floats
    group: NDArray[np.int64]
    supported: Floats
    predicted: Floats | None = None
    predicted_target: Floats | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be a log of slates."""
        if self.propensity.ndim != 2 or not len(self.propensity):
            raise DataError(f"propensity of shape {self.propensity.shape}: expected slates x ranks")
        for name in ("target", "reward"):
            if getattr(self, name).shape != self.propensity.shape:
                raise DataError(
                    f"{name} has shape {getattr(self, name).shape}, propensity"
                    f" {self.propensity.shape}: expected the same"
                )
        wrong = (self.propensity <= 0) | (self.propensity > 1)
        if wrong.any():
            raise DataError(
                f"propensity {self.propensity[wrong][0]!r}: expected more than 0, at most 1; an"
                " item that was shown had a chance to be"
            )
        if not np.isfinite(self.reward).all():
            raise DataError("a reward is no number")


@dataclass(frozen=True, slots=True)
class Estimate:
    """The value of a policy, in reward per slate.

    Args:
        low, high: 95 % interval, groups resampled.
        effective: Effective number of slates at the weakest rank (Kish: (sum w)^2 / sum w^2).
        supported: Share of the target's slots that the log can speak about.
        clipped: Share of the shown slots whose weight was cut.
    """

    value: float
    low: float
    high: float
    estimator: Estimator
    slates: int
    effective: float
    supported: float
    clipped: float

    @property
    def trusted(self) -> bool:
        """Whether support and effective size suffice for the interval to mean something."""
        return self.supported >= LEAST_SUPPORT and self.effective >= LEAST_EFFECTIVE


def estimate(
    log: RankedLog, estimator: Estimator = "snips", *, clip: float = 1000.0, seed: int = 0
) -> Estimate:
    """Return what the target policy earns in the situations of a log.

    "ips" is unbiased where everything is supported; "snips" divides by the weights of each rank
    (Swaminathan and Joachims 2015), with less variance; "dr" corrects a model of the rewards by
    the weighted errors of that model (Dudík et al. 2011), good if either is.

    Args:
        clip: Largest weight; biases downwards what it cuts.

    Raises:
        DataError: If "dr" has no model's predictions.
    """
    if estimator == "dr" and (log.predicted is None or log.predicted_target is None):
        raise DataError("'dr' needs predicted rewards: fit a model, or take 'ips' or 'snips'")
    weights = np.minimum(log.target / log.propensity, clip)
    groups, first = np.unique(log.group, return_inverse=True)
    sums = _Sums(log, weights, first, len(groups))
    value = float(sums.value(np.ones((1, len(groups))), estimator)[0])
    draws = np.random.default_rng(seed).multinomial(
        len(groups), np.full(len(groups), 1 / len(groups)), size=_RESAMPLES
    )
    values = sums.value(draws.astype(float), estimator)
    low, high = np.nanquantile(values, [0.025, 0.975])
    return Estimate(
        value=value,
        low=float(low),
        high=float(high),
        estimator=estimator,
        slates=len(log.reward),
        effective=float(np.min(_effective(weights))),
        supported=float(np.mean(log.supported)),
        clipped=float(np.mean(log.target / log.propensity > clip)),
    )


def _effective(weights: Floats) -> Floats:
    squares = (weights**2).sum(axis=0)
    effective: Floats = np.where(
        squares > 0, weights.sum(axis=0) ** 2 / np.maximum(squares, 1e-300), 0.0
    )
    return effective


class _Sums:
    """Per-group sums, from which an estimate over any resampling of groups is a product."""

    def __init__(
        self, log: RankedLog, weights: Floats, group: NDArray[np.intp], groups: int
    ) -> None:
        def by_group(values: Floats) -> Floats:
            out = np.zeros((groups, *values.shape[1:]))
            np.add.at(out, group, values)
            return out

        self._slates = by_group(np.ones(len(weights)))
        self._weight = by_group(weights)
        self._earned = by_group(weights * log.reward)
        if log.predicted is not None and log.predicted_target is not None:
            self._model = by_group(log.predicted_target)
            self._error = by_group((weights * (log.reward - log.predicted)).sum(axis=1))

    def value(self, draws: Floats, estimator: Estimator) -> Floats:
        """Return an estimate for each row of group counts, shape (resamples,)."""
        slates = draws @ self._slates
        if estimator == "ips":
            values: Floats = (draws @ self._earned).sum(axis=1) / slates
        elif estimator == "snips":
            weight = draws @ self._weight
            share = np.where(weight > 0, (draws @ self._earned) / np.maximum(weight, 1e-300), 0.0)
            values = share.sum(axis=1)
        else:
            values = (draws @ self._model + draws @ self._error) / slates
        return values


def examined(clicks: Sequence[float], shown: Sequence[float]) -> Floats:
    """Return how likely each rank is looked at, the first rank 1, from randomised slates.

    Where items are put at ranks by chance, click rates by rank are proportional to it (Joachims,
    Swaminathan and Schnabel 2017, section 5).

    Args:
        clicks: Clicks by rank, on slates drawn by chance.
        shown: Slates by rank.
    """
    rates = (np.asarray(clicks, float) + 0.5) / (np.asarray(shown, float) + 1.0)
    relative: Floats = np.minimum(rates / rates[0], 1.0)
    return relative
