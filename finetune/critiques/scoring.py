"""Scores answers to critiques. Pure: cases, items and answers in, figures out.

Formulas in docs/critiques.md. An answer is a list of item ids, best first, of which the first five
count. Every figure is a mean over cases, so that cases can be resampled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetune.critiques.cases import TOP
from finetune.critiques.format import KINDS, Case
from finetune.critiques.gold import holds, keep_score
from retrieval.catalog import Item
from retrieval.metrics import mean_interval, paired_bootstrap, reciprocal_rank

METRICS = (
    "change_accuracy", "change_accuracy@1", "keep_accuracy", "keep_accuracy@1", "keep_raw",
    "keep_raw@1", "violation_rate", "mrr", "hit@5",
)  # fmt: skip
"""change_accuracy: share of the items shown that satisfy every edit. keep_accuracy: their keep
scores over those of the best satisfying items. keep_raw: the keep scores themselves.
violation_rate: cases with an item shown that breaks an edit, is the reference or is not in the
catalog. mrr, hit@5: of the first gold item. @1: of the first item alone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer, scored.

    Args:
        kept: Keep scores of the shown items that satisfy every edit, in order.
    """

    case: Case
    answer: tuple[str, ...]
    figures: Mapping[str, float]
    kept: tuple[float, ...]


def score(case: Case, answer: Sequence[str], items: Mapping[str, Item]) -> Outcome:
    """Return an answer scored; an id that is repeated or not in the catalog is a violation."""
    shown, reference = tuple(answer[:TOP]), items[case.reference]
    right = [
        id in items and id != case.reference and id not in shown[:place]
        and holds(case, items[id], reference)
        for place, id in enumerate(shown)
    ]  # fmt: skip
    kept = [keep_score(items[id], reference, case.keep) if id in items else 0.0 for id in shown]
    # An item that breaks the edits may keep more than any that does not: no credit beyond 1.
    at_once = [min(own, best) for own, best in zip(kept, case.best, strict=False)]
    figures = {
        "change_accuracy": sum(right) / len(shown) if shown else 0.0,
        "change_accuracy@1": float(right[0]) if shown else 0.0,
        "keep_accuracy": sum(at_once) / sum(case.best),
        "keep_accuracy@1": at_once[0] / case.best[0] if shown else 0.0,
        "keep_raw": sum(kept) / len(shown) if shown else 0.0,
        "keep_raw@1": kept[0] if shown else 0.0,
        "violation_rate": float(not all(right)),
        "mrr": reciprocal_rank(shown, case.gold),
        "hit@5": float(bool(set(shown) & set(case.gold))),
    }
    return Outcome(case, shown, figures, tuple(k for k, ok in zip(kept, right, strict=True) if ok))


def figures(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the mean of each figure."""
    return {name: float(np.mean([one.figures[name] for one in outcomes])) for name in METRICS}


def intervals(outcomes: Sequence[Outcome], seed: int) -> dict[str, tuple[float, float]]:
    """Return the bootstrap 95 % interval of each figure, cases resampled."""
    found = {}
    for name in METRICS:
        estimate = mean_interval([one.figures[name] for one in outcomes], seed)
        found[name] = (estimate.low, estimate.high)
    return found


def by_kind(outcomes: Sequence[Outcome], seed: int) -> dict[str, dict[str, Any]]:
    """Return figures and intervals for each kind of case that is there."""
    groups = {kind: [one for one in outcomes if one.case.kind == kind] for kind in KINDS}
    return {
        kind: {"n": len(group), **figures(group), "intervals": intervals(group, seed)}
        for kind, group in groups.items()
        if group
    }


def at_equal_change(
    ours: Sequence[Outcome], theirs: Sequence[Outcome], seed: int
) -> dict[str, float | int] | None:
    """Return how much more ours keep than theirs where both made the change.

    In each case only items that satisfy every edit count, and of both systems equally many: the
    first m of each, m the smaller of their numbers. Cases where m is 0 are left out; None where
    none is left. Compared are the keep scores over those of the m best satisfying items.

    Returns:
        ours, theirs: The means; mean, low, high: their difference with its 95 % interval; n.
    """
    pairs = []
    for own, other in zip(ours, theirs, strict=True):
        m = min(len(own.kept), len(other.kept))
        best = sum(own.case.best[:m])
        if m and best:
            pairs.append((sum(own.kept[:m]) / best, sum(other.kept[:m]) / best))
    if not pairs:
        return None
    left, right = zip(*pairs, strict=True)
    difference = paired_bootstrap(left, right, seed)
    means = {"ours": float(np.mean(left)), "theirs": float(np.mean(right))}
    return {**means, **difference.to_json()}
