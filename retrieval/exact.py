"""Engine "exact": every vector and every word compared, so its answers are the oracle's.

Follows what any process writes to the durable store (`retrieval.store`). Good alone to about
200,000 items. This module does not know encoders.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from retrieval.catalog import Item
from retrieval.columns import Mask
from retrieval.errors import IndexError_
from retrieval.filters import Filter
from retrieval.fusion import EQUAL, Fusion
from retrieval.lock import WriterLock
from retrieval.memory import Memory
from retrieval.query import Candidate, Order, Vectors
from retrieval.ranking import (
    Ranked,
    Rows,
    Scores,
    by_key,
    by_relevance,
    smallest,
)
from retrieval.store import ItemStore, StaleError, State
from retrieval.vector_file import check_vectors
from retrieval.view import View

T = TypeVar("T")

UNSAVED_ROWS = 1000
"""So many rows beyond the saved columns are read again at open without anyone noticing."""
ATTEMPTS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What one search asks for; `dense` has the shape (dimension,)."""

    dense: Vectors | None
    text: str | None
    filter: Filter | None
    k: int
    order: Order | None
    fusion: Fusion


class ExactIndex:
    """Items and vectors in a folder, searched by comparing all of them.

    Args:
        encoder_name, dimension: Of the vectors; an index built with others is refused.
        write: Take the writer's lock; without it the index can only be read.

    Raises:
        EncoderMismatch: If the index was built with another encoder or dimension.
        IndexLocked: If another process is writing.
    """

    def __init__(
        self, folder: Path, encoder_name: str, dimension: int, *, write: bool = True
    ) -> None:
        self.folder = folder
        self.encoder_name = encoder_name
        self.dimension = dimension
        self._lock = threading.RLock()
        self._view: View | None = None
        self._stamp = -1
        self._closed = False
        self._writer_lock = _take_lock(folder) if write else None
        try:
            self._store = ItemStore(folder, encoder_name, dimension, write)
            if write:
                self._store.sweep()
            self._now()
        except BaseException:
            self._release()
            raise

    # Following the store

    def _now(self) -> View:
        """Return a view that includes every write acknowledged so far, by any process."""
        with self._lock:
            stamp = self._store.stamp()
            for _ in range(ATTEMPTS):
                if self._view is not None and stamp == self._stamp:
                    return self._view
                try:
                    self._view = self._follow(self._view)
                    self._stamp = stamp
                except StaleError:
                    continue
        raise self._too_fast()

    def _follow(self, old: View | None) -> View:
        changes = self._store.changes(old.state if old else State())
        state = changes.state
        if old is not None and changes.kept is not None:
            old = old.renumbered(changes.kept, state)
        if old is None or old.state.generation != state.generation:
            memory = Memory(self._store, state)
            nothing = np.zeros((0, self.dimension), np.float32)
            old = View(State(), memory, np.zeros(0, np.bool_), np.zeros(0, np.int64), nothing)
        old.memory.follow(state)
        live = np.concatenate([old.live, changes.alive])
        live[changes.died] = False
        seq = np.concatenate([old.seq, changes.seq])
        return View(state, old.memory, live, seq, self._store.vectors(state))

    def _read(self, read: Callable[[View], T], *, any_view: bool = False) -> T:
        """Return what is read from the present view, again when it was compacted meanwhile.

        Args:
            any_view: Begin with whatever view there is: rows are asked of the store itself, so
                that a write need not wait until all others are followed.
        """
        for attempt in range(ATTEMPTS):
            known = self._view if any_view and attempt == 0 else None
            try:
                return read(known or self._now())
            except StaleError:
                continue
        raise self._too_fast()

    def _too_fast(self) -> IndexError_:
        return IndexError_(f"{str(self.folder)!r} is rewritten faster than it can be read; retry")

    @property
    def version(self) -> int:
        """A number that grows with every change, by whichever process."""
        return self._now().state.version

    # Writing

    def upsert(self, items: Sequence[Item], vectors: Vectors) -> None:
        """Add or replace items; durable when it returns, the last one of an id wins."""
        self.apply(items, vectors)

    def apply(self, items: Sequence[Item], vectors: Vectors, delete: Sequence[str] = ()) -> int:
        """Upsert and delete in one step, all or nothing; return how many were deleted."""
        vectors = check_vectors(vectors, len(items), self.dimension, f"upsert of {len(items)}")
        last = {item.id: place for place, item in enumerate(items)}
        if len(last) < len(items):
            items = [items[place] for place in last.values()]
            vectors = vectors[list(last.values())]
        return self._store.apply(items, vectors, delete)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items by id; return how many were there."""
        return self.apply([], np.zeros((0, self.dimension), np.float32), list(ids))

    def delete_where(self, filter: Filter) -> int:
        """Delete every item that matches; return how many did."""
        return self.delete(self.ids(filter))

    # Reading

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return the items with these ids, in this order; unknown ids are left out."""

        def read(view: View) -> list[Item]:
            rows = self._rows_of(view, ids)
            return view.memory.items([rows[id] for id in ids if id in rows])

        return self._read(read, any_view=True)

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """Return the vectors of these ids, in this order; KeyError names an unknown id."""

        def read(view: View) -> Vectors:
            rows = self._rows_of(view, ids)
            chosen = [rows[id] for id in ids]
            if max(chosen, default=-1) >= view.state.rows:
                raise StaleError
            return view.vectors[chosen]

        return self._read(read, any_view=True)

    def _rows_of(self, view: View, ids: Sequence[str]) -> dict[str, int]:
        with self._lock:
            # What was found for a view holds for as long as nobody has written since.
            present = view is self._view and self._store.stamp() == self._stamp
        known = view.found.rows(ids) if present else {}
        missing = [id for id in ids if id not in known]
        if not missing:
            return known
        generation, rows = self._store.rows_of(missing)
        if generation != view.state.generation:
            raise StaleError
        if present:
            view.found.add_rows(rows)
        return {**known, **rows}

    def ids(self, filter: Filter | None = None) -> list[str]:
        """Return the ids of all matching items, in order of first insertion."""

        def read(view: View) -> list[str]:
            rows = np.flatnonzero(view.matching(filter))
            ordered = rows[np.argsort(view.seq[rows], kind="stable")]
            return self._store.ids_at(view.state.generation, ordered)

        return self._read(read)

    def count(self, filter: Filter | None = None) -> int:
        """Return how many items match."""
        return int(np.count_nonzero(self._now().matching(filter)))

    def facet(
        self, name: str, filter: Filter | None = None, limit: int | None = None
    ) -> list[tuple[str, int]]:
        """Return the values of a facet among matching items with counts, most frequent first."""
        return self._now().counts(name, filter)[:limit]

    def search(
        self,
        dense: Vectors | None = None,
        text: str | None = None,
        filter: Filter | None = None,
        k: int = 10,
        order: Order | None = None,
        fusion: Fusion = EQUAL,
    ) -> list[Candidate]:
        """Return the best k items under a filter, as `retrieval.query.Index` defines it.

        A text alone finds the items that share a word with it; a text without any word worth
        searching ("the", "?") counts as none.
        """
        query = None
        if dense is not None:
            query = check_vectors(np.atleast_2d(dense), 1, self.dimension, "query")[0]
        asked = Question(query, text, filter, k, order, fusion)

        def read(view: View) -> list[Candidate]:
            ranked = self._rank(view, asked)
            items = view.memory.items([hit.row for hit in ranked])
            return [
                Candidate(item, hit.score, hit.dense, hit.lexical)
                for item, hit in zip(items, ranked, strict=True)
            ]

        return self._read(read)

    def _rank(self, view: View, asked: Question) -> list[Ranked]:
        chosen = view.matching(asked.filter)
        if asked.k < 1 or not chosen.any():
            return []
        shared = view.lexical(asked.text)
        if asked.order is not None:
            return _sorted(view, asked, asked.order, chosen, shared)
        rows = self._contenders(view, asked, chosen, shared)
        return by_relevance(view.scored(rows, asked.dense, shared), asked.k, asked.fusion)

    def _contenders(self, view: View, asked: Question, chosen: Mask, shared: Scores | None) -> Rows:
        """Return the rows that have to be compared to find the best of the chosen ones."""
        if asked.dense is None and shared is not None:
            return np.flatnonzero(chosen & (shared > 0))
        return np.flatnonzero(chosen)

    # Keeping

    def save(self) -> None:
        """Write what makes the next open quick."""
        view = self._now()
        view.memory.save(view.state.rows)

    def compact(self) -> None:
        """Give back the space of deleted and replaced items now; done by itself when it is much."""
        self._store.compact()

    def close(self) -> None:
        """Release files and locks; safe to call twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._save_if_useful()
            finally:
                self._store.close()
                self._release()

    def _save_if_useful(self) -> None:
        if self._writer_lock is None:
            return
        try:
            view = self._now()
            if view.state.rows - view.memory.saved > UNSAVED_ROWS:
                view.memory.save(view.state.rows)
        except (OSError, IndexError_) as error:
            logger.warning("the next open of %s will be slower: %s", self.folder, error)

    def _release(self) -> None:
        if self._writer_lock is not None:
            self._writer_lock.release()


def _take_lock(folder: Path) -> WriterLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return WriterLock(folder)
    except OSError as error:
        raise IndexError_(f"cannot write to {str(folder)!r}: {error}") from error


def _sorted(
    view: View, asked: Question, order: Order, chosen: Mask, shared: Scores | None
) -> list[Ranked]:
    rows = np.flatnonzero(chosen)
    keys = view.sort_key(order)[rows]
    places = smallest(keys, asked.k)
    scored = view.scored(rows[places], asked.dense, shared)
    return by_key(scored, keys[places], asked.k)
