"""A filter as an SQL condition over the table of items: agrees with `retrieval.filters.matches`.

Every value, facet names too, is bound, never written into the SQL. A condition may be NULL, which
counts as false. This module does not know connections.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any, get_args

from retrieval.catalog import FieldValue
from retrieval.engines.bm25_terms import query_terms, stem_id
from retrieval.engines.pg_rows import equality_keys, is_comparable, said_words, signed, storable
from retrieval.errors import FilterError
from retrieval.filters import TEXT, And, Compare, Filter, Not, Op, Or, words

_ORDER = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_NEGATED = {"ne", "not_in", "not_contains"}
_OF_A_NUMBER = re.compile(r"\d*e?\d*|true|false|inf|nan")
"""Words of a value that is no text: they are not among the stems."""
STEMS_ASKED = 4

NUMBER = "CASE jsonb_typeof({0}) WHEN 'number' THEN ({0})::float8 END"
WRITTEN = "CASE jsonb_typeof({0}) WHEN 'string' THEN {0} #>> '{{}}' END COLLATE \"C\""
FIELD = "(i.fields -> %s::text)"
AS_LIST = (
    f"CASE jsonb_typeof({FIELD}) WHEN 'array' THEN {FIELD} ELSE jsonb_build_array({FIELD}) END"
)
_ELEMENTS = (
    f"jsonb_array_elements(CASE jsonb_typeof({FIELD}) WHEN 'array' THEN {FIELD} "
    "ELSE '[]'::jsonb END)"
)


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL with the values of its placeholders, in order."""

    text: str
    args: tuple[Any, ...] = ()


def joined(parts: Iterable[Sql], word: str) -> Sql:
    """Return conditions joined by AND or OR."""
    parts = list(parts)
    text = f" {word} ".join(f"({part.text})" for part in parts)
    return Sql(text, tuple(arg for part in parts for arg in part.args))


def facets_of(filter: Filter | None) -> set[str]:
    """Return the names of all facets that a filter compares."""
    match filter:
        case None:
            return set()
        case And(parts) | Or(parts):
            return {name for part in parts for name in facets_of(part)}
        case Not(part):
            return facets_of(part)
        case Compare(facet):
            return {facet}


@dataclass(frozen=True, slots=True)
class Conditions:
    """Writes conditions over the table of items, under the alias `i`.

    Args:
        terms: Name of the table of postings.
        lists: The facets that have had lists; others are compared without looking for any.
    """

    terms: str
    lists: Set[str]

    def of(self, filter: Filter | None) -> Sql:
        """Return the condition of a filter.

        Raises:
            FilterError: If a comparison is of no known kind, or with a value of the wrong type.
        """
        match filter:
            case None:
                return Sql("true")
            case And(parts):
                return joined(map(self.of, parts), "AND") if parts else Sql("true")
            case Or(parts):
                return joined(map(self.of, parts), "OR") if parts else Sql("false")
            case Not(part):
                return _negated(self.of(part))
            case Compare(op=op):
                found = self._compare(filter)
                return _negated(found) if op in _NEGATED else found

    def _compare(self, compare: Compare) -> Sql:
        if compare.op not in get_args(Op):
            raise FilterError(f"unknown comparison {compare.op!r}; expected one of {get_args(Op)}")
        if compare.op in ("contains", "not_contains"):
            return self._contains(compare)
        if compare.op == "exists":
            there = Sql("jsonb_exists(i.keys, %s)", (storable(compare.facet),))
            return there if compare.value else _negated(there)
        if compare.op in _ORDER:
            return self._ordered(compare)
        wanted = compare.value if isinstance(compare.value, tuple) else (compare.value,)
        return _equal(compare.facet, wanted)

    def _ordered(self, compare: Compare) -> Sql:
        bound: Any = compare.value
        if isinstance(bound, str):
            value, bound = WRITTEN, storable(bound)
        elif isinstance(bound, bool) or not isinstance(bound, int | float):
            raise FilterError(
                f"{compare.op!r} on {compare.facet!r} needs a number or a date, got {bound!r}; "
                f"use eq or in"
            )
        else:
            value, bound = NUMBER, float(bound)
        if bound != bound:
            return Sql("false")
        holds = f"{_ORDER[compare.op]} {'%s::text' if value == WRITTEN else '%s::float8'}"
        single = bound_to(f"{value.format(FIELD)} {holds}", compare.facet, bound)
        if compare.facet not in self.lists:
            return single
        inner = f"SELECT 1 FROM {_ELEMENTS} AS e(value) WHERE {value.format('e.value')} {holds}"
        return joined([single, bound_to(f"EXISTS ({inner})", compare.facet, bound)], "OR")

    def _contains(self, compare: Compare) -> Sql:
        facet, phrase = compare.facet, compare.value
        if not isinstance(phrase, str):
            raise FilterError(f"{compare.op!r} on {facet!r} needs text, got {phrase!r}")
        asked = words(phrase)
        if not asked and facet == TEXT:
            return Sql("i.words = ''")
        if not asked:
            return _negated(Sql("jsonb_exists(i.said, %s)", (storable(facet),)))
        if facet == TEXT:
            exact = Sql("strpos(i.words, %s) > 0", (said_words(asked),))
            return self._having(asked, exact)
        exact = Sql("strpos(i.said ->> %s::text, %s) > 0", (storable(facet), said_words(asked)))
        written = [word for word in asked if not _OF_A_NUMBER.fullmatch(word)]
        return self._having(written, exact)

    def _having(self, asked: Iterable[str], exact: Sql) -> Sql:
        """Return a condition that is only looked at where the stems of its words are."""
        stems = [signed(stem_id(stem)) for stem in query_terms(" ".join(asked))][:STEMS_ASKED]
        where = f"i.row IN (SELECT t.row FROM {self.terms} AS t WHERE t.stem = %s)"
        return joined([*(Sql(where, (stem,)) for stem in stems), exact], "AND")


def bound_to(text: str, facet: str, *values: Any) -> Sql:
    """Return SQL whose placeholders are a facet's name, again and again, and then some values."""
    names = text.count("%s") - len(values)
    return Sql(text, (storable(facet),) * names + values)


def _negated(condition: Sql) -> Sql:
    return Sql(f"({condition.text}) IS NOT TRUE", condition.args)


def _equal(facet: str, wanted: tuple[FieldValue, ...]) -> Sql:
    keys = [
        {storable(facet): [key]}
        for value in wanted
        if is_comparable(value)
        for key in equality_keys(value)
    ]
    parts = [Sql("i.keys @> %s::jsonb", (json.dumps(key),)) for key in keys]
    return joined(parts, "OR") if parts else Sql("false")
