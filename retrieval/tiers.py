"""Postings in parts as rows are added: small ones are merged at once, large ones aside.

A search scores all parts with the statistics of all of them, so it answers the same whenever they
are merged. This module does not know words or BM25.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from retrieval import postings
from retrieval.postings import Ints, Postings

TAIL_ROWS = 4096
"""The newest rows, merged while somebody waits: a millisecond or two at most."""


class Tiers:
    """The postings of all rows from 0 on, in parts. Any thread may call it."""

    def __init__(self, parts: Sequence[Postings] = ()) -> None:
        self._lock = threading.Lock()
        self._large = list(parts)
        self._tail: list[Postings] = []
        self._merger: threading.Thread | None = None

    @property
    def rows(self) -> int:
        """Return how many rows there are."""
        parts = self.parts()
        return parts[-1].end if parts else 0

    def parts(self) -> tuple[Postings, ...]:
        """Return the parts, in row order; they never change."""
        with self._lock:
            return (*self._large, *self._tail)

    def add(self, part: Postings) -> None:
        """Append the postings of the next rows."""
        with self._lock:
            self._tail = _settled([*self._tail, part])
            if self._tail[-1].end - self._tail[0].first < TAIL_ROWS:
                return
            self._large.append(postings.merge(self._tail))
            self._tail = []
            if self._merger is None and _similar(self._large) > 1:
                self._merger = threading.Thread(target=self._merge, name="postings", daemon=True)
                self._merger.start()

    def _merge(self) -> None:
        """Merge large parts until their sizes are settled, while others read and add."""
        while True:
            with self._lock:
                known = list(self._large)
                if _similar(known) < 2:
                    self._merger = None
                    return
            merged = _settled(known)
            with self._lock:
                self._large = merged + self._large[len(known) :]

    def settle(self) -> None:
        """Wait for a merge under way."""
        merger = self._merger
        if merger is not None:
            merger.join()

    def whole(self) -> Postings | None:
        """Return all rows as one part; None without rows."""
        parts = self.parts()
        return postings.merge(parts) if parts else None

    def kept(self, places: Ints) -> Tiers:
        """Return the postings of the rows that are kept, numbered anew (`postings.keep`)."""
        return Tiers([postings.keep(part, places) for part in self.parts()])


def _similar(parts: Sequence[Postings]) -> int:
    """Return how many of the last parts are each at most twice what follows them."""
    count, rows = 1, len(parts[-1].lengths)
    for part in reversed(parts[:-1]):
        if len(part.lengths) > 2 * rows:
            break
        count, rows = count + 1, rows + len(part.lengths)
    return count


def _settled(parts: list[Postings]) -> list[Postings]:
    """Return parts with the last ones of similar size merged."""
    count = _similar(parts)
    return parts if count < 2 else [*parts[:-count], postings.merge(parts[-count:])]
