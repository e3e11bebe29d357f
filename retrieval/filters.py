"""The filter language: a small tree of comparisons, and its meaning on one item.

`matches` is the definition; every engine must agree with it (tests/retrieval/index_contract.py).

Missing values: a comparison with a missing field is false, except `ne`, `not_in` and
`not_contains`, which are true. `Not` is plain negation of its part. On a list field, `eq` and `in`
hold when any element does, `ne` and `not_in` when none does. Text is compared without regard to
case. `contains` looks for whole words (plural or singular) in a text field; the pseudo-field
"text" is title, description and every text value of the item together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from retrieval.catalog import FieldValue, Item
from retrieval.errors import FilterError

Op = Literal["eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte", "exists", "contains",
             "not_contains"]  # fmt: skip

TEXT = "text"
"""Name of the pseudo-field that `contains` searches: everything written about an item."""


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison of a field with a value (a tuple for `in` and `not_in`)."""

    facet: str
    op: Op
    value: FieldValue = True


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds; an empty And holds for every item."""

    parts: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds; an empty Or holds for none."""

    parts: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Filter


Filter = Compare | And | Or | Not


def fold(text: str) -> str:
    """Return text as it is compared: case-folded, without outer blanks."""
    return text.strip().casefold()


_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=50_000)
def singular(word: str) -> str:
    """Return an English word without its plural ending; other words come back unchanged."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


_SHORT = 120


def words(text: str) -> tuple[str, ...]:
    """Return the case-folded, singular words of a text, in order."""
    return _short_words(text) if len(text) <= _SHORT else _words(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(map(singular, _WORD.findall(text.casefold())))


_short_words = lru_cache(maxsize=20_000)(_words)
"""Titles, values and wishes are taken apart many times in a turn, and again in the next."""


def text_of(item: Item) -> str:
    """Return everything written about an item: title, description and text fields."""
    parts = [item.title, item.description]
    for value in item.fields.values():
        if isinstance(value, str):
            parts.append(value)
        elif isinstance(value, tuple):
            parts.extend(value)
    return " \n ".join(parts)


def contains(text: str, phrase: str) -> bool:
    """Return whether the words of a phrase stand in a text, next to each other and in order."""
    return f" {' '.join(words(phrase))} " in f" {' '.join(words(text))} "


def _number(compare: Compare, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FilterError(
            f"{compare.op!r} on {compare.facet!r} needs a number, got {value!r}; use eq or in"
        )
    return float(value)


def _same(left: FieldValue, right: FieldValue) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return str(left).casefold() == str(right).casefold()
    if isinstance(left, str) and isinstance(right, str):
        return fold(left) == fold(right)
    return left == right


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
}


def _ordered(compare: Compare, values: tuple[FieldValue, ...]) -> bool:
    holds = _ORDER[compare.op]
    if isinstance(compare.value, str):
        return any(isinstance(value, str) and holds(value, compare.value) for value in values)
    bound = _number(compare, compare.value)
    return any(
        holds(float(value), bound)
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool)
    )


def _compare(compare: Compare, item: Item) -> bool:
    facet, op, value = compare.facet, compare.op, compare.value
    if op in ("contains", "not_contains"):
        if not isinstance(value, str):
            raise FilterError(f"{op!r} on {facet!r} needs text, got {value!r}")
        own = text_of(item) if facet == TEXT else " \n ".join(map(str, item.values(facet)))
        return contains(own, value) == (op == "contains")
    values = item.values(facet)
    if op == "exists":
        return bool(values) == bool(value)
    if op in _ORDER:
        return _ordered(compare, values)
    wanted = value if isinstance(value, tuple) else (value,)
    hit = any(_same(one, other) for one in values for other in wanted)
    return hit if op in ("eq", "in") else not hit


def matches(filter: Filter | None, item: Item) -> bool:
    """Return whether an item satisfies a filter (None: every item does).

    Raises:
        FilterError: If an order comparison is made with something that is not a number or a date.
    """
    match filter:
        case None:
            return True
        case And(parts):
            return all(matches(part, item) for part in parts)
        case Or(parts):
            return any(matches(part, item) for part in parts)
        case Not(part):
            return not matches(part, item)
        case Compare():
            return _compare(filter, item)


def to_json(filter: Filter) -> dict[str, Any]:
    """Return a filter as plain JSON values."""
    match filter:
        case And(parts):
            return {"and": [to_json(part) for part in parts]}
        case Or(parts):
            return {"or": [to_json(part) for part in parts]}
        case Not(part):
            return {"not": to_json(part)}
        case Compare(facet, op, value):
            plain = list(value) if isinstance(value, tuple) else value
            return {"facet": facet, "op": op, "value": plain}


def from_json(data: Mapping[str, Any]) -> Filter:
    """Return the filter that `to_json` wrote.

    Raises:
        FilterError: If the object is none of and, or, not or a comparison.
    """
    if "and" in data:
        return And(tuple(from_json(part) for part in data["and"]))
    if "or" in data:
        return Or(tuple(from_json(part) for part in data["or"]))
    if "not" in data:
        return Not(from_json(data["not"]))
    if "facet" not in data or "op" not in data:
        raise FilterError(f"expected and, or, not or {{facet, op, value}}, got {dict(data)!r}")
    value = data.get("value", True)
    return Compare(data["facet"], data["op"], tuple(value) if isinstance(value, list) else value)
