"""Facets counted anew over an index that changed since they were inferred."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from retrieval.catalog import Facet
from retrieval.filters import Compare
from retrieval.query import Index

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
LITTLE_WORK = 200_000
"""Items times facets that are counted again after every change, however many there are."""
REST = 20
"""Above that, counting rests so many times as long as it took, within these bounds."""
REST_S = (1.0, 5.0)


class Pace:
    """When facets are to be counted again, so that a stream of writes does not stall every turn.

    A small catalog is counted after every change. A large one is counted at once when it was left
    alone for a while; under steady writes its counts, and with them the values people can name,
    are at most `REST_S` old.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due = 0.0

    def is_due(self) -> bool:
        """Return whether facets that have changed may be counted now."""
        return self._clock() >= self._due

    def count(self, facets: Sequence[Facet], index: Index) -> tuple[Facet, ...]:
        """Count (`recount`), and set when that is due again."""
        began = self._clock()
        found = recount(facets, index)
        took = self._clock() - began
        self._due = began
        if index.count() * len(facets) > LITTLE_WORK:
            self._due = began + took + min(max(took * REST, REST_S[0]), REST_S[1])
        return found


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
