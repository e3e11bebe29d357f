"""An A/B test that may be looked at after every user: confidence sequences, not intervals.

A confidence sequence covers the true difference at all times at once with the chance promised, so
stopping at the first look that excludes 0 keeps the error rate (Waudby-Smith, Arbour, Sinha,
Kennedy and Ramdas 2024, "Time-uniform central limit theory and asymptotic confidence sequences",
theorem 2.2). It knows numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from finetune.errors import DataError

LEAST = 20
"""Users in each arm before anything is said: the theorem is about many."""

Decision = Literal["better", "worse", "undecided"]


@dataclass(frozen=True, slots=True)
class Arms:
    """What an A/B test has seen: the outcome of each user, in the order they came."""

    control: tuple[float, ...]
    trial: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a test.

    Args:
        difference: Mean of the trial arm less that of the control arm.
        low, high: The confidence sequence now.
    """

    control: float
    trial: float
    difference: float
    low: float
    high: float
    users: tuple[int, int]
    decision: Decision


def read(arms: Arms, *, alpha: float = 0.05, aim: int = 400) -> Reading:
    """Return what a test says now; it may be asked at any time, as often as one likes.

    Args:
        alpha: Chance of ever saying better or worse where there is no difference.
        aim: Number of users at which the sequence is narrowest.

    Raises:
        DataError: If an arm has nobody, or an outcome is no number.
    """
    control, trial = (np.asarray(arm, float) for arm in (arms.control, arms.trial))
    for name, arm in (("control", control), ("trial", trial)):
        if not len(arm):
            raise DataError(f"nobody is in the {name} arm yet: check the shares of the experiment")
        if not np.isfinite(arm).all():
            raise DataError(f"an outcome in the {name} arm is no number")
    difference = float(trial.mean() - control.mean())
    width = math.inf
    if min(len(control), len(trial)) >= LEAST:
        spread = float(trial.var(ddof=1) / len(trial) + control.var(ddof=1) / len(control))
        width = half_width(len(trial) + len(control), spread, alpha, aim)
    low, high = difference - width, difference + width
    decision: Decision = "better" if low > 0 else "worse" if high < 0 else "undecided"
    return Reading(
        float(control.mean()), float(trial.mean()), difference, low, high,
        (len(control), len(trial)), decision,
    )  # fmt: skip


def half_width(users: int, variance: float, alpha: float = 0.05, aim: int = 400) -> float:
    """Return the half width of the confidence sequence of a mean after some users.

    sigma * sqrt(2 (n rho^2 + 1) / (n^2 rho^2) * log(sqrt(n rho^2 + 1) / alpha)) (ibid.). With
    u = n rho^2 + 1 its square is least where u - log u = 1 - 2 log alpha, so u = -W(-alpha^2 / e).

    Args:
        variance: Of the estimate itself, sigma^2 / n.
    """
    rho2 = (-_lambert(-(alpha**2) / math.e) - 1) / aim
    inner = users * rho2 + 1
    sigma2 = variance * users
    return math.sqrt(sigma2 * 2 * inner / (users**2 * rho2) * math.log(math.sqrt(inner) / alpha))


def _lambert(value: float) -> float:
    """Return the lower branch of Lambert's W at a value in [-1/e, 0)."""
    from scipy.special import lambertw

    return float(lambertw(value, -1).real)


def users_needed(effect: float, sd: float, *, alpha: float = 0.05, most: int = 1_000_000) -> int:
    """Return about how many users it takes until an effect shows, both arms together.

    Raises:
        DataError: If it would be more than `most`.
    """
    low, high = 2 * LEAST, most
    if half_width(high, 4 * sd**2 / high, alpha, aim=high) > effect:
        raise DataError(f"an effect of {effect:g} would not show with {most:,} users")
    while low < high:
        middle = (low + high) // 2
        if half_width(middle, 4 * sd**2 / middle, alpha, aim=middle) <= effect:
            high = middle
        else:
            low = middle + 1
    return low


def first_decision(
    arms: Sequence[tuple[bool, float]], *, alpha: float = 0.05, every: int = 1
) -> Reading | None:
    """Return the first look at a stream of (in the trial arm?, outcome) that decides, if any."""
    control: list[float] = []
    trial: list[float] = []
    for seen, (tried, outcome) in enumerate(arms, start=1):
        (trial if tried else control).append(outcome)
        if seen % every == 0 and min(len(control), len(trial)) >= LEAST:
            reading = read(Arms(tuple(control), tuple(trial)), alpha=alpha)
            if reading.decision != "undecided":
                return reading
    return None
