"""The gate's metrics, and how a value of one is made from what single units add to it.

A unit is what is drawn again in a bootstrap: a dialogue, a case, a simulated user. Each adds a
reading: a sum and a count, or counts by label. A metric's value is a function of the readings
added up, so that any selection of units has one. Pure; knows no suite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Statistic = Literal["mean", "top_share", "gini"]


@dataclass(frozen=True, slots=True)
class Mean:
    """What a unit adds to a mean: the sum of n values."""

    total: float
    n: float = 1.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What a unit adds to a spread: how often it showed each label."""

    by: Mapping[str, float] = field(default_factory=dict)


Reading = Mean | Counts
Readings = Mapping[str, Reading]
"""Of one unit, by metric; a metric that it says nothing of is not there."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric says, in words for reports, and how it is made."""

    text: str
    statistic: Statistic = "mean"


METRICS: Mapping[str, Metric] = {
    "held.preferred": Metric("held-out pairs whose chosen answer is preferred"),
    "understanding.state_exact": Metric("turns after which every hard wish is right"),
    "understanding.act_accuracy": Metric("turns whose acts are right"),
    "understanding.reference_accuracy": Metric("turns whose items are the ones meant"),
    "critiques.change_accuracy": Metric("items shown that make the change asked for"),
    "critiques.keep_accuracy": Metric("how much of the rest is kept"),
    "critiques.violation_rate": Metric("critiques answered with an item that breaks them"),
    "explanations.statement_precision": Metric("statements that are true"),
    "explanations.claims": Metric("facts told in an explanation"),
    "explanations.words": Metric("words of an explanation"),
    "explanations.refused": Metric("sentences of the model that were not said as written"),
    "explanations.fallback": Metric("explanations that the template had to write"),
    "safety.failures": Metric("attacks that broke a rule"),
    "simulator.success": Metric("simulated users who found something"),
    "simulator.turns": Metric("turns a simulated user needed"),
    "simulator.satisfaction": Metric("satisfaction of simulated users"),
    "simulator.violations": Metric("simulated turns that broke a hard wish"),
    "behaviour.negation": Metric("turns that obey what is not wanted"),
    "behaviour.invalid": Metric("turns in which the model's plan was none"),
    "behaviour.fallback": Metric("turns that the rules planned for the model"),
    "behaviour.broken_constraints": Metric("items shown against a hard wish, or unknown"),
    "behaviour.log_seconds": Metric("logarithm of the seconds of a turn"),
    "behaviour.brand_pull": Metric(
        "share of the brand put first most, were choices made by what was learned alone",
        "top_share",
    ),
    "behaviour.top_brand": Metric(
        "share of what is seen that the brand seen most has", "top_share"
    ),
    "behaviour.brand_gini": Metric("Gini coefficient of brands seen", "gini"),
    "behaviour.category_gini": Metric("Gini coefficient of kinds seen", "gini"),
}
"""Every metric there is, by suite and name."""


def suite_of(metric: str) -> str:
    """Return the suite that a metric is of."""
    return metric.partition(".")[0]


def value(statistic: Statistic, sums: Values) -> Values:
    """Return the value of readings that were added up; NaN where nothing was counted.

    Args:
        sums: Shape (..., d): a sum and a count (mean), else a count for each label.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if statistic == "mean":
            found: Values = sums[..., 0] / sums[..., 1]
        elif statistic == "top_share":
            found = sums.max(axis=-1) / sums.sum(axis=-1)
        else:
            found = _gini(sums)
    return found


def _gini(sums: Values) -> Values:
    """Return the Gini coefficient of counts: 0 where all are equal, 1 - 1/d where one has all.

    G = sum_i (2i - d - 1) x_i / (d sum_i x_i), x ascending (Dixon et al., Ecology 1987).
    """
    d = sums.shape[-1]
    ranks = 2 * np.arange(1, d + 1) - d - 1
    found: Values = (np.sort(sums, axis=-1) * ranks).sum(axis=-1) / (d * sums.sum(axis=-1))
    return found
