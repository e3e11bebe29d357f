"""Two contestants on the same units, and how sure one can be of their difference. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from finetune.gate.metrics import Counts, Mean, Reading, Readings, Statistic, Values, value

CHUNK = 4_000_000
"""Draws of a unit made at a time, so that many units need no gigabytes."""


@dataclass(frozen=True, slots=True)
class Paired:
    """What both contestants made of the same units.

    Args:
        candidate, baseline: Shape (units, d); see `metrics.value`.
        names: Of the units.
    """

    statistic: Statistic
    candidate: Values
    baseline: Values
    names: tuple[str, ...]

    @property
    def units(self) -> int:
        """Return how many units there are."""
        return len(self.candidate)


@dataclass(frozen=True, slots=True)
class Difference:
    """Both values, and candidate minus baseline as often as it was resampled."""

    candidate: float
    baseline: float
    draws: Values
    units: int

    @property
    def value(self) -> float:
        """Return candidate minus baseline."""
        return self.candidate - self.baseline

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the percentile interval (Efron & Tibshirani 1993, ch. 13)."""
        edge = 50 * (1 - confidence)
        low, high = np.percentile(self.draws, [edge, 100 - edge])
        return float(low), float(high)

    def p_better(self, sign: int) -> float:
        """Return the one-sided p of "no better", from the share of resamples that say so.

        Args:
            sign: 1 where more is better, -1 where less is.
        """
        against = int((sign * self.draws <= 0).sum())
        return (against + 1) / (len(self.draws) + 1)


def paired(
    statistic: Statistic,
    metric: str,
    candidate: Mapping[str, Readings],
    baseline: Mapping[str, Readings],
) -> Paired | None:
    """Return a metric's readings of the units that both have; None where there is none such.

    Args:
        candidate, baseline: By unit.
    """
    names = [
        unit
        for unit, ours in candidate.items()
        if metric in ours and metric in baseline.get(unit, {})
    ]
    both = [(candidate[unit][metric], baseline[unit][metric]) for unit in names]
    labels = sorted({label for pair in both for one in pair for label in _labels(one)})
    if not both or (statistic != "mean" and not labels):
        return None
    ours, theirs = (
        np.array([_row(pair[side], labels) for pair in both], dtype=np.float64) for side in (0, 1)
    )
    return Paired(statistic, ours, theirs, tuple(names))


def _labels(reading: Reading) -> Mapping[str, float]:
    return reading.by if isinstance(reading, Counts) else {}


def _row(reading: Reading, labels: Sequence[str]) -> list[float]:
    if isinstance(reading, Mean):
        return [reading.total, reading.n]
    return [reading.by.get(label, 0.0) for label in labels]


def difference(both: Paired, seed: int, resamples: int) -> Difference:
    """Return the difference with its paired bootstrap: the same units are drawn for both.

    Paired bootstrap of Sakai (SIGIR 2006), of any function of sums over units. Draws in which
    nothing was counted are left out.
    """
    random, n = np.random.default_rng(seed), both.units
    draws = []
    at_once = max(1, CHUNK // n)
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        times = random.multinomial(n, np.full(n, 1 / n), size=size).astype(np.float64)
        ours = value(both.statistic, times @ both.candidate)
        draws.append(ours - value(both.statistic, times @ both.baseline))
    found = np.concatenate(draws)
    return Difference(
        candidate=float(value(both.statistic, both.candidate.sum(axis=0))),
        baseline=float(value(both.statistic, both.baseline.sum(axis=0))),
        draws=found[np.isfinite(found)],
        units=n,
    )


def worse_units(both: Paired, sign: int) -> tuple[str, ...]:
    """Return the units whose value is worse with the candidate than with the baseline."""
    ours, theirs = (value(both.statistic, side) for side in (both.candidate, both.baseline))
    return tuple(both.names[at] for at in np.flatnonzero(sign * (ours - theirs) < 0))
