"""A filter over coded columns: a boolean per row that agrees with `retrieval.filters.matches`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, get_args

import numpy as np

from retrieval.catalog import FieldValue
from retrieval.columns import Column, Columns, Mask
from retrieval.errors import FilterError
from retrieval.filters import TEXT, And, Compare, Filter, Not, Op, Or, words

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
NEGATED = {"ne", "not_in", "not_contains"}
OPS = get_args(Op)


def mask(columns: Columns, filter: Filter | None, n: int) -> Mask:
    """Return which of the first n rows satisfy a filter.

    Raises:
        FilterError: If a comparison is of no known kind, or with a value of the wrong type.
    """
    match filter:
        case None:
            return np.ones(n, dtype=np.bool_)
        case And(parts):
            result = np.ones(n, dtype=np.bool_)
            for part in parts:
                result &= mask(columns, part, n)
            return result
        case Or(parts):
            result = np.zeros(n, dtype=np.bool_)
            for part in parts:
                result |= mask(columns, part, n)
            return result
        case Not(part):
            return ~mask(columns, part, n)
        case Compare():
            found = _compare(columns, filter, n)
            return ~found if filter.op in NEGATED else found


def _compare(columns: Columns, compare: Compare, n: int) -> Mask:
    """Return the rows where the comparison holds, read without its negation."""
    if compare.op not in OPS:
        raise FilterError(f"unknown comparison {compare.op!r}; expected one of {OPS}")
    if compare.op in ("contains", "not_contains"):
        return _contains(columns, compare, n)
    column = columns.fields.get(compare.facet, Column())
    found = column.mask(hits(column, compare), n)
    return ~found if is_absence(compare) else found


def is_absence(compare: Compare) -> bool:
    """Return whether a comparison asks for rows without any value."""
    return compare.op == "exists" and not compare.value


def hits(column: Column, compare: Compare) -> Mask:
    """Return which of a column's values satisfy a comparison, read without its negation."""
    if compare.op == "exists":
        return np.ones(len(column.values), dtype=np.bool_)
    if compare.op in _ORDER:
        return _ordered(column, compare)
    wanted = compare.value if isinstance(compare.value, tuple) else (compare.value,)
    return _equal(column, wanted)


def _contains(columns: Columns, compare: Compare, n: int) -> Mask:
    if not isinstance(compare.value, str):
        raise FilterError(f"{compare.op!r} on {compare.facet!r} needs text, got {compare.value!r}")
    phrase = words(compare.value)
    if compare.facet == TEXT:
        return columns.text.phrase(phrase, n)
    return columns.words_of(compare.facet, n).phrase(phrase, n)


def _ordered(column: Column, compare: Compare) -> Mask:
    holds, bound = _ORDER[compare.op], compare.value
    if isinstance(bound, str):
        hits = [isinstance(value, str) and holds(value, bound) for value in column.values]
        return np.array(hits, dtype=np.bool_)
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        raise FilterError(
            f"{compare.op!r} on {compare.facet!r} needs a number or a date, got {bound!r}; "
            f"use eq or in"
        )
    result: Mask = holds(column.numbers(), float(bound))
    return result


def _equal(column: Column, wanted: tuple[FieldValue, ...]) -> Mask:
    hits = np.zeros(len(column.values), dtype=np.bool_)
    for one in wanted:
        if isinstance(one, str | int | float):
            hits[column.like(one)] = True
    return hits
