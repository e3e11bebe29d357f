"""Coded columns: the fields and words of items as integer codes, one row per stored vector.

Append-only, so that a reader that knows "the first n rows" is never disturbed by a writer. This
module does not know which rows are alive (`retrieval.exact`) or what a filter is
(`retrieval.masks`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.catalog import FieldValue, Item
from retrieval.filters import fold, text_of, words

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

Key = tuple[type, FieldValue]


def _folded(value: FieldValue) -> FieldValue:
    """Return what equal values share: text case-folded, true and false as text."""
    return fold(str(value)) if isinstance(value, bool | str) else value


class Pairs:
    """A growing list of (row, code) in row order. What was once visible never changes."""

    def __init__(self, rows: Ints | None = None, codes: Ints | None = None) -> None:
        empty = np.zeros(0, dtype=np.int32)
        rows = empty if rows is None else rows
        codes = empty if codes is None else codes
        self._state = (np.stack([rows, codes]).astype(np.int32), len(rows))
        self.single = bool(np.array_equal(rows, np.arange(len(rows))))
        """Whether every row has exactly one code, so that the row is the place of its pair."""

    def append(self, rows: Sequence[int] | Ints, codes: Sequence[int] | Ints) -> None:
        """Add pairs; their rows must not be smaller than those already there."""
        table, used = self._state
        size = used + len(rows)
        if size > table.shape[1]:
            grown = np.empty((2, size + size // 2), dtype=np.int32)
            grown[:, :used] = table[:, :used]
            table = grown
        self.single = self.single and np.array_equal(rows, np.arange(used, size))
        table[0, used:size] = rows
        table[1, used:size] = codes
        self._state = (table, size)

    def upto(self, n: int) -> tuple[Ints, Ints]:
        """Return the rows and codes of the first n rows."""
        return self.between(0, n)

    def between(self, first: int, end: int) -> tuple[Ints, Ints]:
        """Return the rows and codes of the rows from first, end excluded."""
        table, used = self._state
        low, high = np.searchsorted(table[0, :used], [first, end])
        return table[0, low:high], table[1, low:high]


class Column:
    """The values of one field: pairs of row and code, and the distinct values by code."""

    def __init__(self, values: Iterable[FieldValue] = (), pairs: Pairs | None = None) -> None:
        self.pairs = pairs or Pairs()
        self.values: list[FieldValue] = []
        self._codes: dict[Key, int] = {}
        self._alike: dict[FieldValue, list[int]] = {}
        self._numbers: Floats = np.zeros(0)
        self._ranks: Floats = np.zeros(0)
        for value in values:
            self.code(value)

    def code(self, value: FieldValue) -> int:
        """Return the code of a value, giving it one if it is new."""
        # True, 1 and 1.0 are equal to Python and different to a catalog.
        key = (type(value), value)
        code = self._codes.get(key)
        if code is None:
            self.values.append(value)
            code = self._codes[key] = len(self.values) - 1
            self._alike.setdefault(_folded(value), []).append(code)
        return code

    def like(self, value: FieldValue) -> list[int]:
        """Return the codes of all values that `eq` takes for the same as this one."""
        if isinstance(value, bool):
            written = self._alike.get(str(value).casefold(), [])
            return [code for code in written if self._spelt(code) == str(value).casefold()]
        if isinstance(value, str):
            codes = self._alike.get(fold(value), [])
            # Text is stripped before it is compared with text, not with true and false.
            return [
                code
                for code in codes
                if isinstance(self.values[code], str) or self._spelt(code) == value.casefold()
            ]
        return self._alike.get(value, []) if value == value else []

    def _spelt(self, code: int) -> str:
        return str(self.values[code]).casefold()

    def numbers(self) -> Floats:
        """Return the number behind each code, NaN where the value is not a number."""
        known = self._numbers
        if len(known) < len(self.values):
            new = [
                float(value)
                if isinstance(value, int | float) and not isinstance(value, bool)
                else np.nan
                for value in self.values[len(known) :]
            ]
            known = self._numbers = np.concatenate([known, np.array(new, dtype=np.float64)])
        return known

    def ranks(self) -> Floats:
        """Return a sort key per code: its number, or its place among the texts if there is none."""
        numbers = self.numbers()
        if not np.isnan(numbers).all():
            return numbers
        if len(self._ranks) != len(numbers):
            values = [str(value) for value in self.values[: len(numbers)]]
            place = {value: rank for rank, value in enumerate(sorted(set(values)))}
            self._ranks = np.array([place[value] for value in values], dtype=np.float64)
        return self._ranks

    def mask(self, hits: Mask, n: int) -> Mask:
        """Return which of the first n rows have a value whose code is hit."""
        rows, codes = self.pairs.upto(n)
        # Codes can only be newer than `hits` in rows beyond n.
        hit = hits.take(codes)
        if self.pairs.single and len(codes) == n:
            return hit
        result = np.zeros(n, dtype=np.bool_)
        result[rows[hit]] = True
        return result

    def counts(self, chosen: Mask) -> NDArray[np.int64]:
        """Return for each code how many of the chosen rows have it."""
        rows, codes = self.pairs.upto(len(chosen))
        kept = chosen[rows]
        rows, codes = rows[kept], codes[kept]
        if np.any(rows[1:] == rows[:-1]):  # a list may name the same value twice
            pairs = np.unique(rows.astype(np.int64) * len(self.values) + codes)
            codes = (pairs % len(self.values)).astype(np.int32)
        return np.bincount(codes, minlength=len(self.values))

    def sort_key(self, n: int, descending: bool) -> Floats:
        """Return a number per row that sorts ascending as asked; NaN where there is no value."""
        rows, codes = self.pairs.upto(n)
        keys = self.ranks()[codes]
        result = np.full(n, np.nan)
        np.fmin.at(result, rows, -keys if descending else keys)
        return result


class Words:
    """The words of a text per row, in order."""

    def __init__(self, vocabulary: Iterable[str] = (), pairs: Pairs | None = None) -> None:
        self.pairs = pairs or Pairs()
        self.vocabulary: dict[str, int] = {word: code for code, word in enumerate(vocabulary)}
        self.n = 0

    def extend(self, texts: Iterable[tuple[str, ...]], first: int) -> None:
        """Append the words of rows from `first` on."""
        rows: list[int] = []
        codes: list[int] = []
        vocabulary = self.vocabulary
        row = first - 1
        for row, text in enumerate(texts, start=first):
            codes.extend([vocabulary.setdefault(word, len(vocabulary)) for word in text])
            rows.extend([row] * len(text))
        self.pairs.append(rows, codes)
        self.n = row + 1

    def phrase(self, phrase: tuple[str, ...], n: int) -> Mask:
        """Return which of the first n rows have these words side by side.

        Without words: the rows that have none either.
        """
        rows, codes = self.pairs.upto(n)
        if not phrase:
            empty = np.ones(n, dtype=np.bool_)
            empty[rows] = False
            return empty
        result = np.zeros(n, dtype=np.bool_)
        wanted = [self.vocabulary.get(word, -1) for word in phrase]
        if -1 in wanted:
            return result
        starts = np.flatnonzero(codes == wanted[0])
        starts = starts[starts + len(wanted) <= len(codes)]
        for offset, code in enumerate(wanted[1:], start=1):
            starts = starts[codes[starts + offset] == code]
        result[rows[starts[rows[starts] == rows[starts + len(wanted) - 1]]]] = True
        return result


def _main_words(item: Item) -> int:
    return len(words(item.title)) + len(words(item.description))


class Columns:
    """Every field of every row, and the words of its whole text."""

    def __init__(self) -> None:
        self.n = 0
        self.fields: dict[str, Column] = {}
        self.text = Words()
        self.main_words = Pairs()
        """Row and how many of the row's first words are those of title and description."""
        self._field_words: dict[str, Words] = {}
        self._lock = threading.Lock()

    def extend(self, items: Sequence[Item]) -> None:
        """Append one row per item."""
        first = self.n
        for name in {name for item in items for name in item.fields}:
            column = self.fields.setdefault(name, Column())
            pairs = [
                (row, column.code(value))
                for row, item in enumerate(items, start=first)
                for value in item.values(name)
            ]
            column.pairs.append([row for row, _ in pairs], [code for _, code in pairs])
        self.text.extend((words(text_of(item)) for item in items), first)
        rows = np.arange(first, first + len(items), dtype=np.int32)
        self.main_words.append(rows, [_main_words(item) for item in items])
        self.n += len(items)

    def sort_key(self, name: str, n: int, descending: bool) -> Floats:
        """Return a number per row to sort by a field, NaN where there is no value."""
        column = self.fields.get(name)
        return np.full(n, np.nan) if column is None else column.sort_key(n, descending)

    def words_of(self, name: str, n: int) -> Words:
        """Return the words of one field, read from the column when first asked for."""
        with self._lock:
            known = self._field_words.setdefault(name, Words())
            if known.n < n:
                known.extend(self._field_texts(name, known.n, n), known.n)
        return known

    def _field_texts(self, name: str, first: int, end: int) -> list[tuple[str, ...]]:
        texts: list[tuple[str, ...]] = [()] * (end - first)
        column = self.fields.get(name)
        if column is None:
            return texts
        rows, codes = column.pairs.between(first, end)
        split = {int(code): words(str(column.values[code])) for code in np.unique(codes)}
        for row, code in zip(rows.tolist(), codes.tolist(), strict=True):
            texts[row - first] += split[code]
        return texts
