"""A remote index with its source of truth kept apart: items and vectors in the project's folder.

Every write goes to the folder first and then to the index, which remembers how far it got (its
mark). What a crash or a lost connection left out is replayed, so the index can always be brought
up to date, or be built anew elsewhere, without the catalog and without encoding. This module does
not know which engine the index is of.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from retrieval.catalog import Item
from retrieval.errors import IndexError_
from retrieval.filters import Filter
from retrieval.fusion import EQUAL, Fusion
from retrieval.lock import WriterLock
from retrieval.query import Candidate, DurableIndex, Order, Vectors
from retrieval.store import ItemStore, StaleError
from retrieval.vector_file import check_vectors

logger = logging.getLogger(__name__)

CHUNK = 1000
ATTEMPTS = 5


class MarkedIndex(DurableIndex, Protocol):
    """An index that remembers the version of the source of truth it has seen."""

    @property
    def mark(self) -> int:
        """The version applied last; -1 when none was."""
        ...

    def set_mark(self, version: int) -> None:
        """Remember that everything up to a version of the source of truth was applied."""
        ...


class KeptIndex:
    """An index whose items are also in the project's folder. One writer at a time.

    Raises:
        IndexLocked: If another process is writing to the folder.
        IndexError_: If the index cannot be brought up to date.
    """

    def __init__(self, folder: Path, index: MarkedIndex) -> None:
        self.encoder_name = index.encoder_name
        self.dimension = index.dimension
        self._index = index
        self._writing = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        self._writer_lock = WriterLock(folder)
        try:
            self._store = ItemStore(folder, index.encoder_name, index.dimension, True)
        except BaseException:
            self._writer_lock.release()
            raise
        try:
            self.catch_up()
        except BaseException:
            self._release()
            raise

    # The source of truth

    def catch_up(self) -> int:
        """Apply what the index has not seen; return how many items were written or deleted."""
        with self._writing:
            store, mark = self._store, self._index.mark
            version = store.version
            if mark == version:
                return 0
            if mark > version:
                raise IndexError_(
                    f"the index has seen version {mark} of its items, the folder "
                    f"{str(store.folder)!r} has only {version}: it belongs to another project, or "
                    f"the folder was restored from an older copy; name another collection, or "
                    f"rebuild it with `attune migrate-index`"
                )
            written = self._replay(mark)
            gone = self._surplus()
            self._index.apply([], self._none(), gone)
            self._index.set_mark(version)
            logger.info("index brought up to date: %d written, %d deleted", written, len(gone))
            return written + len(gone)

    def _replay(self, mark: int) -> int:
        """Write every live item that is younger than a mark."""
        for _ in range(ATTEMPTS):
            written = 0
            try:
                for items, vectors in self._store.born_after(mark, CHUNK):
                    self._index.apply(items, vectors)
                    written += len(items)
            except StaleError:
                continue
            return written
        raise IndexError_(f"{str(self._store.folder)!r} is rewritten faster than it can be read")

    def _surplus(self) -> list[str]:
        """Return the ids that the index has and the folder has not."""
        there = self._index.ids()
        surplus: list[str] = []
        for start in range(0, len(there), CHUNK):
            chunk = there[start : start + CHUNK]
            known = self._store.rows_of(chunk)[1]
            surplus += [id for id in chunk if id not in known]
        return surplus

    def _none(self) -> Vectors:
        return np.zeros((0, self.dimension), np.float32)

    # Writing

    def upsert(self, items: Sequence[Item], vectors: Vectors) -> None:
        """Add or replace items; durable and searchable when it returns."""
        self.apply(items, vectors)

    def apply(self, items: Sequence[Item], vectors: Vectors, delete: Sequence[str] = ()) -> int:
        """Upsert and delete in one step; return how many were deleted.

        Raises:
            IndexError_: If the index cannot be reached. What was given is then safe in the folder
                and is applied before the next write, or at the next open.
        """
        vectors = check_vectors(vectors, len(items), self.dimension, f"upsert of {len(items)}")
        last = {item.id: place for place, item in enumerate(items)}
        if len(last) < len(items):
            items = [items[place] for place in last.values()]
            vectors = vectors[list(last.values())]
        with self._writing:
            self.catch_up()
            before = self._store.version
            deleted = self._store.apply(items, vectors, delete)
            after = self._store.version
            if after != before:
                self._follow(items, vectors, delete, after)
        return deleted

    def _follow(
        self, items: Sequence[Item], vectors: Vectors, delete: Sequence[str], version: int
    ) -> None:
        try:
            self._index.apply(items, vectors, delete)
            self._index.set_mark(version)
        except IndexError_ as error:
            raise IndexError_(
                f"{len(items)} items and {len(delete)} deletions are safe in "
                f"{str(self._store.folder)!r}, but the index could not take them yet: {error}; "
                f"they are applied with the next write or when the project is opened again"
            ) from error

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items by id; return how many were there."""
        return self.apply([], self._none(), list(ids))

    def delete_where(self, filter: Filter) -> int:
        """Delete every item that matches; return how many did."""
        return self.delete(self.ids(filter))

    # Reading: the index answers

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        return self._index.version

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return the items with these ids, in this order; unknown ids are left out."""
        return self._index.get(ids)

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """Return the vectors of these ids, in this order; KeyError names an unknown id."""
        return self._index.vectors(ids)

    def ids(self, filter: Filter | None = None) -> list[str]:
        """Return the ids of all matching items, in order of first insertion."""
        return self._index.ids(filter)

    def count(self, filter: Filter | None = None) -> int:
        """Return how many items match."""
        return self._index.count(filter)

    def facet(
        self, name: str, filter: Filter | None = None, limit: int | None = None
    ) -> list[tuple[str, int]]:
        """Return the values of a facet among matching items with counts, most frequent first."""
        return self._index.facet(name, filter, limit)

    def search(
        self,
        dense: Vectors | None = None,
        text: str | None = None,
        filter: Filter | None = None,
        k: int = 10,
        order: Order | None = None,
        fusion: Fusion = EQUAL,
    ) -> list[Candidate]:
        """Return the best k items under a filter, as `retrieval.query.Index` defines it."""
        return self._index.search(dense, text, filter, k, order, fusion)

    # Keeping

    def save(self) -> None:
        """Let the index finish what makes searches quick."""
        self._index.save()

    def close(self) -> None:
        """Release files, connections and locks; safe to call twice."""
        self._release()

    def _release(self) -> None:
        try:
            self._index.close()
        finally:
            self._store.close()
            self._writer_lock.release()
