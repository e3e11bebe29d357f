"""Coded columns and postings after a compaction: the rows that are left, numbered anew.

Nothing is read from the store for it. This module does not know which rows died, or why.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.columns import Column, Columns, Ints, Pairs, Words

Rows = NDArray[np.int64]


def places(kept: Rows, n: int) -> Ints:
    """Return the new number of each of the first n rows, -1 of those not kept."""
    result = np.full(n, -1, dtype=np.int32)
    kept = kept[: np.searchsorted(kept, n)]
    result[kept] = np.arange(len(kept), dtype=np.int32)
    return result


def kept_columns(columns: Columns, kept: Rows) -> Columns:
    """Return columns of the kept rows (ascending) only; the words and values stay as they are."""
    n = int(kept[-1]) + 1 if len(kept) else 0
    place = places(kept, n)
    result = Columns()
    result.n = len(kept)
    result.text = Words(columns.text.vocabulary, _pairs(columns.text.pairs, place))
    result.text.n = result.n
    result.main_words = _pairs(columns.main_words, place)
    for name, column in list(columns.fields.items()):
        pairs = _pairs(column.pairs, place)
        result.fields[name] = Column(list(column.values), pairs)
    return result


def _pairs(pairs: Pairs, place: Ints) -> Pairs:
    rows, codes = pairs.upto(len(place))
    rows = place[rows]
    there = rows >= 0
    return Pairs(rows[there], codes[there])
