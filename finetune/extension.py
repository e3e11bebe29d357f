"""Which items of a catalog a filter lets through, as a mask: computed once per comparison.

Gives the same answer as `retrieval.filters.matches` on every item, but evaluates a comparison once
per distinct value of the facet instead of once per item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.catalog import FieldValue, Item
from retrieval.errors import FilterError
from retrieval.filters import TEXT, And, Compare, Filter, Not, Or, matches, text_of, words
from retrieval.view import written

Mask = NDArray[np.bool_]


class Extension:
    """The items of one catalog, ready to be filtered many times."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._codes: dict[str, tuple[NDArray[np.int64], list[FieldValue | None]]] = {}
        self._masks: dict[Compare, Mask] = {}
        self._texts: list[str] = []
        self._rows: dict[str, list[int]] = {}

    def mask(self, filter: Filter) -> Mask:
        """Return one boolean per item: whether it satisfies the filter."""
        match filter:
            case And(parts):
                whole = np.ones(len(self._items), dtype=np.bool_)
                for part in parts:
                    whole &= self.mask(part)
                return whole
            case Or(parts):
                whole = np.zeros(len(self._items), dtype=np.bool_)
                for part in parts:
                    whole |= self.mask(part)
                return whole
            case Not(part):
                return ~self.mask(part)
            case Compare():
                if filter not in self._masks:
                    self._masks[filter] = self._compare(filter)
                return self._masks[filter]

    def count(self, filter: Filter | None = None) -> int:
        """Return how many items satisfy the filter."""
        return len(self._items) if filter is None else int(self.mask(filter).sum())

    def facet(
        self, name: str, filter: Filter | None = None, limit: int | None = None
    ) -> list[tuple[str, int]]:
        """Return the values of a facet among matching items with counts, most frequent first."""
        codes, values = self._coded(name)
        chosen = codes if filter is None else codes[self.mask(filter)]
        counts: Counter[str] = Counter()
        for code, count in enumerate(np.bincount(chosen, minlength=len(values)).tolist()):
            value = values[code]
            for one in value if isinstance(value, tuple) else (value,):
                if one is not None:
                    counts[written(one)] += count
        found = [(value, count) for value, count in counts.items() if count]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:limit]

    def _compare(self, compare: Compare) -> Mask:
        if compare.facet == TEXT:
            return self._text(compare)
        codes, values = self._coded(compare.facet)
        hits = np.array([_holds(compare, value) for value in values], dtype=np.bool_)
        return hits[codes] if values else np.zeros(len(self._items), dtype=np.bool_)

    def _text(self, compare: Compare) -> Mask:
        if compare.op not in ("contains", "not_contains") or not isinstance(compare.value, str):
            raise FilterError(f"text can be searched with contains, got {compare!r}")
        found = np.zeros(len(self._items), dtype=np.bool_)
        found[self._rows_with(words(compare.value))] = True
        return found if compare.op == "contains" else ~found

    def _rows_with(self, phrase: Sequence[str]) -> list[int]:
        """Return the items whose text has some words in a row; only those with the rarest are
        read."""
        if not self._texts:
            self._texts = [f" {' '.join(words(text_of(item)))} " for item in self._items]
            for row, text in enumerate(self._texts):
                for word in set(text.split()):
                    self._rows.setdefault(word, []).append(row)
        if not phrase:
            return list(range(len(self._items)))
        rarest = min((self._rows.get(word, []) for word in phrase), key=len)
        wanted = f" {' '.join(phrase)} "
        return [row for row in rarest if wanted in self._texts[row]]

    def _coded(self, facet: str) -> tuple[NDArray[np.int64], list[FieldValue | None]]:
        if facet not in self._codes:
            seen: dict[tuple[type, FieldValue | None], int] = {}
            values: list[FieldValue | None] = []
            codes = np.zeros(len(self._items), dtype=np.int64)
            for row, item in enumerate(self._items):
                value = item.fields.get(facet)
                code = seen.setdefault((type(value), value), len(values))
                if code == len(values):
                    values.append(value)
                codes[row] = code
            self._codes[facet] = codes, values
        return self._codes[facet]


def _holds(compare: Compare, value: FieldValue | None) -> bool:
    fields = {} if value is None else {compare.facet: value}
    return matches(compare, Item(id="", title="", fields=fields))
