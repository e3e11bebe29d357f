"""Items as the rows of PostgreSQL tables: pure, and without a connection.

PostgreSQL stores neither NUL nor half a character; `storable` writes both so that they come back,
and so that text sorts as Python sorts it.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.catalog import FieldValue, Item
from retrieval.engines.bm25_terms import item_terms, stem_id
from retrieval.errors import CatalogError
from retrieval.filters import fold, text_of, words
from retrieval.item_json import dump_item
from retrieval.query import Vectors

_UNSTORABLE = re.compile("[\x00\x01\ud7ff-\udfff]")
_STORED = re.compile("\x01(.)|\ud7ff(.)", re.DOTALL)
_DATE = re.compile(r"\d{4}-\d\d(-\d\d.*)?")


def storable(text: str) -> str:
    """Return a text that PostgreSQL takes; different and in the same order for different texts."""

    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        return f"\x01{chr(code + 1)}" if code < 2 else f"\ud7ff{chr(code - 0xD7FF + 1)}"

    return _UNSTORABLE.sub(escape, text)


def restored(text: str) -> str:
    """Return the text that `storable` wrote."""

    def character(match: re.Match[str]) -> str:
        low, high = match.groups()
        return chr(ord(low) - 1) if low else chr(ord(high) - 1 + 0xD7FF)

    return _STORED.sub(character, text)


def stored_value(value: FieldValue) -> FieldValue:
    """Return a single value as JSON that `jsonb` takes."""
    return storable(value) if isinstance(value, str) else value


def read_value(stored: FieldValue) -> FieldValue:
    """Return the value that `stored_value` wrote."""
    return restored(stored) if isinstance(stored, str) else stored


def is_comparable(value: object) -> bool:
    """Return whether a value is text, true or false, or a number that is finite as a float."""
    try:
        return isinstance(value, str) or (isinstance(value, int | float) and math.isfinite(value))
    except OverflowError:
        return False


def equality_keys(value: FieldValue) -> list[Any]:
    """Return what a value is compared by: text case-folded, and "true" also as a truth value."""
    if not isinstance(value, str):
        return [stored_value(value)]
    spelt = value.casefold()
    truth = [spelt == "true"] if spelt in ("true", "false") else []
    return [storable(fold(value)), *truth]


@dataclass(frozen=True, slots=True)
class FacetUse:
    """What kinds of values a facet has had."""

    numbers: bool = False
    dates: bool = False
    lists: bool = False

    def __or__(self, other: FacetUse) -> FacetUse:
        return FacetUse(
            self.numbers or other.numbers, self.dates or other.dates, self.lists or other.lists
        )


def use_of(value: FieldValue) -> FacetUse:
    """Return what kind of value a field is."""
    parts = value if isinstance(value, tuple) else (value,)
    numbers = any(isinstance(part, int | float) and not isinstance(part, bool) for part in parts)
    dates = any(isinstance(part, str) and _DATE.fullmatch(part) is not None for part in parts)
    return FacetUse(numbers, dates, isinstance(value, tuple))


def uses_of(items: Sequence[Item]) -> dict[str, FacetUse]:
    """Return the kinds of values of every facet of some items."""
    uses: dict[str, FacetUse] = {}
    for item in items:
        for name, value in item.fields.items():
            uses[name] = uses.get(name, FacetUse()) | use_of(value)
    return uses


@dataclass(frozen=True, slots=True)
class Postings:
    """The stems of an item by their number, with counts, and its length in tokens."""

    counts: dict[int, int]
    length: int


def postings_of(item: Item) -> Postings:
    """Return what BM25 needs to know of an item."""
    terms = item_terms(item)
    counts: dict[int, int] = {}
    for stem, count in terms.counts.items():
        number = signed(stem_id(stem))
        counts[number] = counts.get(number, 0) + count
    return Postings(counts, terms.length)


def signed(number: int) -> int:
    """Return a number of 32 bits as PostgreSQL's `integer`."""
    return number - 2**32 if number >= 2**31 else number


def said_words(found: Sequence[str]) -> str:
    """Return words so that a phrase of them can be looked for; empty when there are none."""
    return f" {' '.join(found)} " if found else ""


def columns_of(item: Item) -> tuple[str, str, str, str, str, str]:
    """Return id, keys, fields, words, said and body of an item, as in the table of items.

    Raises:
        CatalogError: If the item cannot be stored.
    """
    body = dump_item(item)
    keys: dict[str, list[Any]] = {}
    fields: dict[str, Any] = {}
    said: dict[str, str] = {}
    for facet, value in item.fields.items():
        name, parts = storable(facet), item.values(facet)
        if not parts:
            continue
        if not all(map(is_comparable, parts)):
            raise CatalogError(f"item {item.id!r} has {facet!r} too large to be compared")
        keys[name] = [key for part in parts for key in equality_keys(part)]
        listed = [stored_value(part) for part in parts]
        fields[name] = listed if isinstance(value, tuple) else listed[0]
        if spoken := said_words(words(" \n ".join(map(str, parts)))):
            said[name] = spoken
    return item.id, _json(keys), _json(fields), said_words(words(text_of(item))), _json(said), body


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


# PostgreSQL's binary COPY: big-endian, every value preceded by its length.

COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_END = struct.pack(">h", -1)


def vector_records(rows: Sequence[int], vectors: Vectors) -> bytes:
    """Return (row, vector) as records of a binary COPY."""
    dimension = vectors.shape[1]
    kind = np.dtype(
        [("fields", ">i2"), ("row_size", ">i4"), ("row", ">i4"), ("size", ">i4"),
         ("dimension", ">i2"), ("unused", ">i2"), ("values", ">f4", (dimension,))]
    )  # fmt: skip
    records = np.zeros(len(rows), dtype=kind)
    records["fields"], records["row_size"], records["size"] = 2, 4, 4 + 4 * dimension
    records["row"], records["dimension"], records["values"] = rows, dimension, vectors
    return records.tobytes()


def posting_records(postings: Mapping[int, Postings]) -> bytes:
    """Return (stem, row, count, length) of each row's postings as records of a binary COPY."""
    table: NDArray[np.int64] = np.array(
        [
            (stem, row, count, posting.length)
            for row, posting in postings.items()
            for stem, count in posting.counts.items()
        ],
        dtype=np.int64,
    ).reshape(-1, 4)
    names = ("stem", "row", "count", "length")
    kind = [("fields", ">i2")]
    for name in names:
        kind += [(f"{name}_size", ">i4"), (name, ">i4")]
    records = np.zeros(len(table), dtype=np.dtype(kind))
    records["fields"] = len(names)
    for place, name in enumerate(names):
        records[f"{name}_size"], records[name] = 4, table[:, place]
    return records.tobytes()
