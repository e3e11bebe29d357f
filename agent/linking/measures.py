"""Measures: a bound in its facet's own unit, as a year or as dates."""

from __future__ import annotations

from datetime import MAXYEAR, date, timedelta

from agent.linking.bounds import Bounded
from agent.linking.vocabulary import numbers
from agent.state import Constraint
from retrieval.catalog import Facet

_YEARS_AROUND = 2

Sides = tuple[float | str | None, float | str | None]


def is_dated(facet: Facet) -> bool:
    """Return whether the values of a facet are dates or years."""
    if facet.kind == "date" or facet.role == "date":
        return True
    return facet.low is not None and facet.high is not None and "year" in facet.name.casefold()


def sides(bound: Bounded, facet: Facet, recent: Constraint | None) -> Sides:
    """Return the lower and upper side of a bound in the terms of a facet.

    Args:
        recent: The bound made last; a bare number on its facet bounds the same side.
    """
    factor = numbers().factors.get((bound.amount.unit or "", (facet.unit or "").casefold()), 1.0)
    low = bound.low * factor if bound.low is not None else None
    high = bound.high * factor if bound.high is not None else None
    near = bound.cue in numbers().beside.year_near
    if near and bound.amount.year and is_dated(facet) and low != high:
        low, high = bound.amount.value - _YEARS_AROUND, bound.amount.value + _YEARS_AROUND
    if not bound.explicit:
        low, high = _one_side(facet, low, high, recent)
    if facet.kind == "date":
        return _dates(bound, low, high)
    if facet.role == "date" and "after" in bound.cue and low is not None:
        low += 1
    return low, high


def _one_side(
    facet: Facet, low: float | None, high: float | None, recent: Constraint | None
) -> tuple[float | None, float | None]:
    """Return the side a bare number bounds: as before, else at most a price, at least a rating."""
    if recent is not None and recent.facet == facet.name:
        return (None if recent.low is None else low, None if recent.high is None else high)
    if facet.role == "price":
        return None, high
    return (low, None) if facet.role == "rating" else (low, high)


def _dates(bound: Bounded, low: float | None, high: float | None) -> Sides:
    """Return ISO bounds: "after 2016" from 2017 on, "before june 2016" up to the end of May."""
    month, start, end = bound.amount.month, None, None
    if low is not None:
        later = "after" in bound.cue
        start = (_day_after if later else _first_day)(int(low), month).isoformat()
    if high is not None:
        earlier = "before" in bound.cue
        out = (_first_day if earlier else _day_after)(int(high), month)
        end = (out - timedelta(days=1)).isoformat()
    return start, end


def _first_day(year: int, month: int) -> date:
    """Return the first day of a month of a year, or of the year where month is 0."""
    return date(_within(year), month or 1, 1)


def _day_after(year: int, month: int) -> date:
    """Return the first day after a month of a year, or after the year where month is 0."""
    return date(_within(year) + (month in (0, 12)), month % 12 + 1, 1)


def _within(year: int) -> int:
    """Return the nearest year that dates can have: people type any number."""
    return min(max(year, 2), MAXYEAR - 1)
