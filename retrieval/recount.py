"""Facets counted anew over an index that changed since they were inferred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from retrieval.catalog import Facet
from retrieval.filters import Compare
from retrieval.query import Index

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def recount(facets: Sequence[Facet], index: Index) -> tuple[Facet, ...]:
    """Return the facets with the present counts and ranges; without those nobody has any more."""
    total = max(index.count(), 1)
    counted = (_counted(facet, index, total) for facet in facets)
    return tuple(facet for facet in counted if facet.coverage > 0)


def _counted(facet: Facet, index: Index, total: int) -> Facet:
    filled = index.count(Compare(facet.name, "exists"))
    facet = replace(facet, coverage=filled / total)
    values = index.facet(facet.name)
    if facet.kind == "numeric":
        return _numeric(facet, values)
    if facet.kind == "date":
        return _dates(facet, values)
    return replace(facet, values=tuple(values))


def _numeric(facet: Facet, values: Sequence[tuple[str, int]]) -> Facet:
    pairs = [(number, count) for value, count in values if (number := _number(value)) is not None]
    if not pairs:
        return replace(facet, coverage=0.0)
    numbers = np.repeat([number for number, _ in pairs], [count for _, count in pairs])
    points = tuple(float(point) for point in np.quantile(numbers, QUANTILES))
    return replace(facet, low=float(numbers.min()), high=float(numbers.max()), quantiles=points)


def _dates(facet: Facet, values: Sequence[tuple[str, int]]) -> Facet:
    days = [day for value, _ in values if (day := _day(value)) is not None]
    if not days:
        return replace(facet, coverage=0.0)
    return replace(facet, low=float(min(days)), high=float(max(days)))


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _day(value: str) -> int | None:
    try:
        return date.fromisoformat(value[:10]).toordinal()
    except ValueError:
        return None
