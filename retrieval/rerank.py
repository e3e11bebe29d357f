"""Reordering found items: quality, closeness of titles, diversity. Pure functions.

This module does not know what was asked (`agent.recommend`) nor how items were found.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence, Set
from typing import TypeVar

from retrieval.catalog import Facet, Item, primary
from retrieval.filters import And, Compare, Filter, Not

T = TypeVar("T")

_GONE = re.compile(
    r"\b(out of stock|sold out|unavailable|not available|discontinued|no|false|none|0|n)\b", re.I
)


def overlap(left: Set[str], right: Set[str]) -> float:
    """Return how alike two titles are by their words, 0 to 1: shared words by all words."""
    return len(left & right) / len(left | right) if left or right else 0.0


def near_number(left: float, right: float) -> float:
    """Return how alike two amounts are, 0 to 1, by their ratio; 1 when equal."""
    if left == right:
        return 1.0
    if left <= 0 or right <= 0:
        return 0.0
    return math.exp(-abs(math.log(left / right)))


def available(item: Item, facet: Facet | None) -> bool | None:
    """Return whether an item can be had, or None when the catalog does not say."""
    values = item.values(facet.name) if facet else ()
    if not values:
        return None
    value = values[0]
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value > 0
    return not _GONE.search(str(value))


def availability_filter(facet: Facet | None) -> Filter | None:
    """Return the filter for items that can be had, or None when the catalog does not say."""
    if facet is None:
        return None
    if facet.kind == "boolean":
        return Not(Compare(facet.name, "eq", False))
    if facet.kind == "numeric":
        return Compare(facet.name, "gt", 0.0)
    gone = tuple(value for value, _ in facet.values if _GONE.search(value))
    return Compare(facet.name, "not_in", gone) if gone else And()


def _span(facet: Facet) -> tuple[float, float]:
    low, high = facet.low or 0.0, facet.high or 0.0
    return low, max(high - low, 1e-9)


def shrunk_rating(item: Item, rating: Facet, popularity: Facet | None) -> float:
    """Return the rating shrunk towards the catalog's median by the number of raters."""
    low, span = _span(rating)
    middle = rating.quantiles[2] if len(rating.quantiles) > 2 else low + span / 2
    own = item.number(rating.name)
    if own is None:
        return (middle - low) / span * 0.9
    if popularity is None:
        return (own - low) / span
    typical = popularity.quantiles[2] if len(popularity.quantiles) > 2 else 10.0
    weight, raters = max(typical, 1.0), max(item.number(popularity.name) or 0.0, 0.0)
    return ((own * raters + middle * weight) / (raters + weight) - low) / span


def quality(item: Item, facets: tuple[Facet, ...]) -> float:
    """Return a prior for an item nobody described, 0 to 1: shrunk rating and popularity."""
    rating, popularity = primary(facets, "rating"), primary(facets, "popularity")
    parts = []
    if rating and rating.kind == "numeric":
        parts.append((0.6, shrunk_rating(item, rating, popularity)))
    if popularity and popularity.kind == "numeric":
        raters = max(item.number(popularity.name) or 0.0, 0.0)
        parts.append((0.4, math.log1p(raters) / max(math.log1p(popularity.high or 0.0), 1e-9)))
    total = sum(weight for weight, _ in parts)
    mixed = sum(weight * value for weight, value in parts) / total if total else 0.5
    return min(1.0, max(0.0, mixed))


def diversify(
    ranked: Sequence[tuple[T, float]],
    likeness: Callable[[T, T], float],
    k: int,
    slack: float = 0.1,
    penalty: float = 0.5,
) -> list[T]:
    """Return k of the ranked things so that near-equals are not near-duplicates (MMR).

    Args:
        ranked: Things with their scores, best first.
        likeness: How alike two things are, 0 to 1.
        slack: Only things within this much of the best one left may overtake it.
        penalty: How much of the likeness (above a half) to a chosen thing is taken off.
    """
    rest, chosen = list(ranked), list[T]()
    closest = [0.0] * len(rest)
    while rest and len(chosen) < k:
        floor = rest[0][1] - slack
        open_ = [i for i, (_, score) in enumerate(rest) if score >= floor]
        pick = max(open_, key=lambda i: (rest[i][1] - penalty * max(0.0, closest[i] - 0.5), -i))
        thing, _ = rest.pop(pick)
        closest.pop(pick)
        chosen.append(thing)
        closest = [
            max(old, likeness(thing, other)) for old, (other, _) in zip(closest, rest, strict=True)
        ]
    return chosen
