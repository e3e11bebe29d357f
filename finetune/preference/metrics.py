"""How well an adapter keeps held-out preferences, from log-probabilities with and without it.

The reward of an answer is what the adapter changed, log pi - log pi_ref in nats: DPO's implicit
reward (Rafailov et al. 2023) over beta, and what the agent reads when it chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from finetune.preference.data import Group

Logps: TypeAlias = Sequence[Sequence[float]]
RESAMPLES = 2000


def preference_metrics(groups: Sequence[Group], now: Logps, before: Logps) -> dict[str, float]:
    """Return how often, and by how much, preferred answers have the higher reward.

    Args:
        now, before: Log-probabilities of the groups' answers with the adapter and without.

    Returns:
        `reward_accuracy`: Share of pairs whose chosen answer has the higher reward than the first
            rejected one; of unpaired rows the share of (good, bad) couples. With its 95 %
            interval, users resampled, and by kind.
        `margin`: Mean difference of these rewards.
    """
    if not groups:
        return {}
    rewards = [
        [one - base for one, base in zip(*pair, strict=True)]
        for pair in zip(now, before, strict=True)
    ]
    if groups[0].label is None:
        margins = np.array([own[0] - own[1] for own in rewards])
        return _told(groups, lambda some: _pair_accuracy(margins[some]), margins.mean())
    values = np.array([own[0] for own in rewards])
    good = np.array([bool(group.label) for group in groups])
    margin = values[good].mean() - values[~good].mean() if 0 < good.sum() < len(good) else 0.0
    return _told(groups, lambda some: _couple_accuracy(values[some], good[some]), margin)


def _told(
    groups: Sequence[Group], accuracy: Callable[[Any], float], margin: float
) -> dict[str, float]:
    everyone = np.arange(len(groups))
    low, high = _interval(groups, accuracy)
    found = {"reward_accuracy": accuracy(everyone), "reward_accuracy_low": low,
             "reward_accuracy_high": high, "margin": float(margin)}  # fmt: skip
    kinds = np.array([group.kind for group in groups])
    for kind in sorted(set(kinds.tolist())):
        found[f"reward_accuracy_{kind}"] = accuracy(everyone[kinds == kind])
    return found


def _pair_accuracy(margins: Any) -> float:
    return float((margins > 0).mean())


def _couple_accuracy(values: Any, good: Any) -> float:
    """Return the share of (good, bad) couples in the right order, ties a half; .5 if none."""
    ours, theirs = values[good], values[~good]
    if not len(ours) or not len(theirs):
        return 0.5
    above = (ours[:, None] > theirs[None]).mean() + (ours[:, None] == theirs[None]).mean() / 2
    return float(above)


def _interval(groups: Sequence[Group], accuracy: Callable[[Any], float]) -> tuple[float, float]:
    """Return the 95 % percentile interval; users are drawn, for their rows are alike."""
    places: dict[str, list[int]] = {}
    for at, group in enumerate(groups):
        places.setdefault(group.owner or f"row {at}", []).append(at)
    owners = [np.array(own) for own in places.values()]
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(RESAMPLES):
        some = random.integers(len(owners), size=len(owners))
        drawn.append(accuracy(np.concatenate([owners[at] for at in some])))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def drift_metrics(groups: Sequence[Group], now: Logps, before: Logps) -> dict[str, float]:
    """Return `drift`: mean |log pi - log pi_ref| of a token of answers that were to stay."""
    moved = [
        abs(one[0] - base[0]) / group.answers[0].learned
        for group, one, base in zip(groups, now, before, strict=True)
    ]
    return {"drift": sum(moved) / len(moved)} if moved else {}
