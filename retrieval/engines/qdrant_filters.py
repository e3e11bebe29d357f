"""A filter as a Qdrant filter in JSON form, with bounds where the server cannot say it exactly.

Every part is translated to two conditions: `upper` holds for every item that matches, `lower` for
none that does not. Where they are equal the translation is exact; a negation swaps them, so that a
superset is never negated. Pure; imports nothing of the client.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from retrieval.engines.qdrant_payload import (
    DATE,
    field_words,
    finite,
    first_date_from,
    has_field,
    has_plain_text,
    has_words,
    is_number,
    key_of,
    keywords,
)
from retrieval.errors import FilterError
from retrieval.filters import TEXT, And, Compare, Filter, Not, Op, Or, words

Condition = dict[str, Any] | bool
"""A condition of Qdrant's REST API; True holds for every item, False for none."""

LARGEST_EXACT = 2**53
"""From here on whole numbers are rounded when they become float64, as the server keeps them."""
_ORDER = ("lt", "lte", "gt", "gte")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a filter was translated to: see the module's description."""

    upper: Condition
    lower: Condition

    @property
    def exact(self) -> bool:
        """Return whether the condition holds for exactly the items that match."""
        return self.upper == self.lower

    def negated(self) -> Bounds:
        """Return the translation of the negation."""
        return Bounds(negate(self.lower), negate(self.upper))


def translate(filter: Filter | None, plain: Callable[[str], bool]) -> Bounds:
    """Return what a filter says in Qdrant's terms.

    Args:
        plain: Whether some item has text in a field that is no date YYYY-MM-DD. Only asked
            where texts are compared by order, which the server cannot do.

    Raises:
        FilterError: If a comparison is of no known kind, or with a value of the wrong type.
    """
    match filter:
        case None:
            return Bounds(True, True)
        case And(parts):
            found = [translate(part, plain) for part in parts]
            return _joined(all_of, found)
        case Or(parts):
            found = [translate(part, plain) for part in parts]
            return _joined(any_of, found)
        case Not(part):
            return translate(part, plain).negated()
        case Compare():
            return _compare(filter, plain)


def _joined(join: Callable[[Sequence[Condition]], Condition], parts: list[Bounds]) -> Bounds:
    return Bounds(join([part.upper for part in parts]), join([part.lower for part in parts]))


# Conditions


def all_of(parts: Sequence[Condition]) -> Condition:
    """Return the condition that holds where every part does."""
    if any(part is False for part in parts):
        return False
    kept = [part for part in parts if part is not True]
    if len(kept) < 2:
        return kept[0] if kept else True
    return {"must": kept}


def any_of(parts: Sequence[Condition]) -> Condition:
    """Return the condition that holds where some part does."""
    if any(part is True for part in parts):
        return True
    kept = [part for part in parts if part is not False]
    if len(kept) < 2:
        return kept[0] if kept else False
    return {"should": kept}


def negate(part: Condition) -> Condition:
    """Return the condition that holds where a part does not."""
    return not part if isinstance(part, bool) else {"must_not": [part]}


def number_range(form: str, key: str, **bounds: float) -> Condition:
    """Return the condition that a number or date of a field is within bounds (lt, lte, gt, gte).

    The first part is for fields without an index of their own, which few items have: those alone
    are looked at then.
    """
    return all_of([one_of("e", [has_field(key)]), {"key": f"{form}.{key}", "range": bounds}])


def one_of(key: str, values: Sequence[str]) -> Condition:
    """Return the condition that some keyword under a key is one of these."""
    return {"key": key, "match": {"any": list(values)}} if values else False


# Comparisons


def _compare(compare: Compare, plain: Callable[[str], bool]) -> Bounds:
    if compare.op not in get_args(Op):
        raise FilterError(f"unknown comparison {compare.op!r}; expected one of {get_args(Op)}")
    if compare.op in ("contains", "not_contains"):
        return _polar(_contains(compare), compare.op == "contains")
    if compare.op == "exists":
        there = one_of("e", [has_field(key_of(compare.facet))])
        return _polar(Bounds(there, there), bool(compare.value))
    if compare.op in _ORDER:
        return _ordered(compare, plain)
    return _polar(_equal(compare), compare.op in ("eq", "in"))


def _polar(bounds: Bounds, positive: bool) -> Bounds:
    return bounds if positive else bounds.negated()


def _contains(compare: Compare) -> Bounds:
    if not isinstance(compare.value, str):
        raise FilterError(f"{compare.op!r} on {compare.facet!r} needs text, got {compare.value!r}")
    key, phrase = key_of(compare.facet), words(compare.value)
    condition: Condition
    if not phrase:  # a text without words contains what has none either
        marked = one_of("e", [has_words(key)])
        condition = {"is_empty": {"key": "t"}} if compare.facet == TEXT else negate(marked)
    elif compare.facet == TEXT:
        condition = {"key": "t", "match": {"phrase": " ".join(phrase)}}
    else:
        condition = {"key": "w", "match": {"phrase": field_words(key, phrase)}}
    return Bounds(condition, condition)


def _equal(compare: Compare) -> Bounds:
    wanted = compare.value if isinstance(compare.value, tuple) else (compare.value,)
    key = key_of(compare.facet)
    numbers = [float(n) for n in wanted if is_number(n)]
    found = {
        word for value in wanted if isinstance(value, bool | str) for word in keywords(key, value)
    }
    parts = [one_of("k", sorted(found))]
    for number in numbers:
        if not math.isnan(number):
            number = finite(number) + 0.0
            parts.append(number_range("n", key, gte=number, lte=number))
    upper = any_of(parts)
    rounded = any(abs(number) >= LARGEST_EXACT for number in numbers)
    return Bounds(upper, False if rounded else upper)


def _ordered(compare: Compare, plain: Callable[[str], bool]) -> Bounds:
    bound, key = compare.value, key_of(compare.facet)
    if isinstance(bound, str):
        dates = _dates(compare.op, key, bound)
        if not plain(compare.facet):
            return Bounds(dates, dates)
        return Bounds(any_of([dates, one_of("e", [has_plain_text(key)])]), dates)
    if not is_number(bound):
        raise FilterError(
            f"{compare.op!r} on {compare.facet!r} needs a number or a date, got {bound!r}; "
            f"use eq or in"
        )
    number = float(bound)
    if math.isnan(number):
        return Bounds(False, False)
    within = number_range("n", key, **{compare.op: finite(number)})
    return Bounds(within, within)


def _dates(op: str, key: str, bound: str) -> Condition:
    """Return the condition that some date stands in this order to a text."""
    first = first_date_from(bound)
    after_equal = op in ("lte", "gt") and DATE.fullmatch(bound) is not None
    limit = float(first + after_equal)
    bounds = {"lt": limit} if op in ("lt", "lte") else {"gte": limit}
    return number_range("d", key, **bounds)
