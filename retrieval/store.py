"""The durable part of the exact index: items in SQLite, vectors in a file beside it.

A row is written once: replacing an item adds a row and marks the old one as died, so whoever still
reads an older version finds everything of it. Compaction drops the dead rows, renumbers the rest
and starts a new generation, in a thread of its own. This module does not know columns, BM25 or
search.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from retrieval import unsynced
from retrieval.catalog import Item
from retrieval.compaction import Compaction, clear, table
from retrieval.database import connect, errors_of, transaction
from retrieval.errors import EncoderMismatch, IndexError_
from retrieval.item_json import dump_item, is_usable_id, load_item
from retrieval.query import Vectors
from retrieval.store_writer import StoreWriter, Write, prepare
from retrieval.vector_file import map_rows

T = TypeVar("T")
Rows = NDArray[np.int64]
logger = logging.getLogger(__name__)

FORMAT = 1
CHUNK = 500
COMPACT_SHARE = 0.3
COMPACT_MINIMUM = 1000
"""Fewer dead rows than this are not worth the work."""
RETRY_S = 60.0
"""How long a compaction that failed is not tried again."""


class StaleError(Exception):
    """The rows asked for belong to a generation that was compacted away: look again."""


@dataclass(frozen=True, slots=True)
class State:
    """Where the store stands: the rows of a generation, as of a version."""

    generation: int = -1
    version: int = -1
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since a state.

    Args:
        state: Where the store stands now.
        kept: Where the rows were numbered anew: those of the state asked about that are still
            there, ascending; the first of them is row 0 now. None where numbers stayed, and where
            nothing of the state is known any more.
        first: Number of the first new row; 0 where everything is new.
        seq, alive: Of each row from the first on: its place of insertion, whether it is there.
        died: Rows before the first that died since, by their present numbers.
    """

    state: State
    kept: Rows | None
    first: int
    seq: Rows
    alive: NDArray[np.bool_]
    died: Rows


class ItemStore:
    """Items and vectors on disk. One writer (the caller holds the lock), any number of readers.

    Any thread may call it; writes of several threads share a transaction.
    """

    def __init__(self, folder: Path, encoder_name: str, dimension: int, write: bool) -> None:
        self.folder = folder
        self.dimension = dimension
        self._encoder_name = encoder_name
        self._lock = threading.RLock()
        self._compacting = threading.Lock()
        self._compactor: threading.Thread | None = None
        self._retry_at = 0.0
        self._stop = threading.Event()
        path = folder / "items.db"
        if not write and not path.is_file():
            raise IndexError_(f"no index at {str(folder)!r} ({path.name} is missing); build it")
        self._reader = connect(path)
        self._writer: StoreWriter | None = None
        try:
            with errors_of(path):
                if write:
                    self._writer = StoreWriter(folder, path)
                    self._prepare(self._writer.connection, encoder_name)
                self._check(encoder_name)
                self._check_vectors()
        except IndexError_:
            self.close()
            raise

    def _prepare(self, writer: sqlite3.Connection, encoder_name: str) -> None:
        schema = ["CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID"]
        meta = {"format": FORMAT, "encoder": encoder_name, "dimension": self.dimension,
                "generation": 0, "version": 0, "rows": 0, "seq": 0, "dead": 0}  # fmt: skip
        prepare(writer, schema + table("items", "items_live", "items_died"), meta)

    def _check(self, encoder_name: str) -> None:
        tables = self._reader.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'")
        if not tables.fetchone()[0]:
            raise IndexError_(f"{str(self.folder)!r} holds a database that is not an index")
        meta = dict(self._reader.execute("SELECT key, value FROM meta"))
        if int(meta["format"]) > FORMAT:
            raise IndexError_(
                f"the index at {str(self.folder)!r} has format {meta['format']}, this version "
                f"reads up to {FORMAT}; use a newer attune, or index the catalog again"
            )
        if (meta["encoder"], meta["dimension"]) != (encoder_name, self.dimension):
            raise EncoderMismatch(
                f"the index at {str(self.folder)!r} was built with {meta['encoder']!r} "
                f"({meta['dimension']} dimensions), got {encoder_name!r} ({self.dimension}); "
                f"open it with that encoder (if it was tuned just now: start again), or index into "
                f"another folder"
            )

    def _check_vectors(self) -> None:
        """Repair what a power cut took from the vector file, or refuse to read without it."""
        if self._writer is not None:
            self._writer.recover()
            return
        with transaction(self._reader):
            path = self._vector_path(self._state(self._reader).generation)
            unsynced.check(self._reader, path)

    # Reading

    def stamp(self) -> int:
        """Return a number that differs whenever anyone has written since the last call."""
        with self._lock, errors_of(self.folder):
            return int(self._reader.execute("PRAGMA data_version").fetchone()[0])

    def changes(self, since: State) -> Changes:
        """Return what happened since a state; everything, when too little of it is known."""
        kept = None
        with self._lock, errors_of(self.folder), transaction(self._reader):
            now = self._state(self._reader)
            first = since.rows
            if now.generation != since.generation:
                self._check(self._encoder_name)  # it may have been encoded anew meanwhile
                kept = self._kept(now.generation, since)
                since = State() if kept is None else since
                first = 0 if kept is None else len(kept)
            rows = self._reader.execute(
                "SELECT seq, died IS NULL FROM items WHERE row >= ? ORDER BY row", (first,)
            )
            new = np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, 2)
            gone = self._reader.execute(
                "SELECT row FROM items WHERE died > ? AND row < ?", (since.version, first)
            )
            died = np.fromiter(chain.from_iterable(gone), np.int64)
        return Changes(now, kept, first, new[:, 0], new[:, 1].astype(np.bool_), died)

    def _kept(self, generation: int, since: State) -> Rows | None:
        """Return the rows of a state that the generation after it kept, where that is known."""
        if generation != since.generation + 1:
            return None
        try:
            kept: Rows = np.load(self.folder / f"kept-{generation}.npy")
        except (OSError, ValueError):
            return None
        return kept[: np.searchsorted(kept, since.rows)]

    @staticmethod
    def _state(connection: sqlite3.Connection) -> State:
        found = connection.execute(
            "SELECT (SELECT value FROM meta WHERE key = 'generation'), "
            "(SELECT value FROM meta WHERE key = 'version'), "
            "(SELECT value FROM meta WHERE key = 'rows')"
        ).fetchone()
        return State(*map(int, found))

    def ids_at(self, generation: int, rows: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """Return the id of each of these rows, dead ones too.

        Raises:
            StaleError: If the generation is no longer the present one.
        """
        wanted = json.dumps(rows.tolist() if isinstance(rows, np.ndarray) else list(rows))
        with self._lock, errors_of(self.folder), transaction(self._reader):
            if self._state(self._reader).generation != generation:
                raise StaleError
            found = self._reader.execute(
                "SELECT items.id FROM json_each(?) AS asked JOIN items ON items.row = asked.value "
                "ORDER BY asked.key",
                (wanted,),
            )
            return [id for (id,) in found]

    def items_between(self, generation: int, first: int, end: int) -> Iterator[list[Item]]:
        """Yield the items of rows from first, end excluded, dead ones too, a chunk at a time."""
        for start in range(first, end, CHUNK):
            rows = range(start, min(start + CHUNK, end))
            found = self.items_at(generation, rows)
            yield [found[row] for row in rows]

    def items_at(self, generation: int, rows: Sequence[int]) -> dict[int, Item]:
        """Return the items of these rows.

        Raises:
            StaleError: If the generation is no longer the present one.
        """
        found: list[tuple[int, str]] = []
        for chunk in _chunks(rows):
            with self._lock, errors_of(self.folder):
                # One statement sees one state: no transaction around it.
                read = self._reader.execute(
                    "SELECT row, body, (SELECT value FROM meta WHERE key = 'generation') "
                    f"FROM items WHERE row IN ({_marks(chunk)})",
                    chunk,
                ).fetchall()
            if len(read) < len(set(chunk)) or read[0][2] != generation:
                raise StaleError
            found += [(row, body) for row, body, _ in read]
        return {row: load_item(body) for row, body in found}

    def rows_of(self, ids: Sequence[str]) -> tuple[int, dict[str, int]]:
        """Return the generation, and the row of each id that is there."""
        # No item has an id that cannot be stored, and the database would not take it.
        wanted = json.dumps([id for id in ids if is_usable_id(id)])
        with self._lock, errors_of(self.folder):
            generation, found = self._reader.execute(
                "SELECT (SELECT value FROM meta WHERE key = 'generation'), "
                "(SELECT json_group_array(json_array(id, row)) FROM items "
                "WHERE died IS NULL AND id IN (SELECT value FROM json_each(?)))",
                (wanted,),
            ).fetchone()
        return int(generation), dict(json.loads(found))

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        with self._lock, errors_of(self.folder):
            return self._state(self._reader).version

    def born_after(self, version: int, chunk: int) -> Iterator[tuple[list[Item], Vectors]]:
        """Yield the live items written after a version, with their vectors, first inserted first.

        Raises:
            StaleError: If rows are renumbered meanwhile.
        """
        with self._lock, errors_of(self.folder), transaction(self._reader):
            state = self._state(self._reader)
            rows = self._reader.execute(
                "SELECT row FROM items WHERE died IS NULL AND born > ? ORDER BY seq", (version,)
            ).fetchall()
        vectors = self.vectors(state)
        for start in range(0, len(rows), chunk):
            chosen = [row for (row,) in rows[start : start + chunk]]
            found = self.items_at(state.generation, chosen)
            yield [found[row] for row in chosen], vectors[chosen]

    def vectors(self, state: State) -> Vectors:
        """Return the vectors of all rows of a state, memory-mapped."""
        try:
            return map_rows(self._vector_path(state.generation), state.rows, self.dimension)
        except FileNotFoundError as error:
            with self._lock:
                present = self._state(self._reader).generation
            if present != state.generation:
                raise StaleError from error
            raise IndexError_(
                f"{self._vector_path(state.generation).name} is missing from "
                f"{str(self.folder)!r}; index the catalog again"
            ) from error

    def _vector_path(self, generation: int) -> Path:
        return self.folder / f"vectors-{generation}.f32"

    # Writing

    @property
    def writer(self) -> StoreWriter:
        """The side that writes; IndexError_ when opened for reading."""
        if self._writer is None:
            raise IndexError_(
                f"the index at {str(self.folder)!r} was opened for reading; open it with write=True"
            )
        return self._writer

    def apply(self, items: Sequence[Item], vectors: Vectors, delete: Iterable[str] = ()) -> int:
        """Add or replace items and delete others in one step; return how many were deleted.

        Durable when it returns; after a crash either all of it is there or nothing. Calls of
        several threads are applied in the order they came.
        """
        writer = self.writer
        if vectors.shape != (len(items), self.dimension):
            expected = (len(items), self.dimension)
            raise IndexError_(f"expected vectors of shape {expected}, got {vectors.shape}")
        bodies = [dump_item(item) for item in items]
        gone = [id for id in delete if is_usable_id(id)]
        deleted = writer.apply(Write([item.id for item in items], bodies, vectors, gone))
        if self._needs_compaction(writer):
            self._compact_aside()
        return deleted

    @staticmethod
    def _needs_compaction(writer: StoreWriter) -> bool:
        dead = writer.dead
        return dead >= COMPACT_MINIMUM and dead > COMPACT_SHARE * writer.rows

    def _compact_aside(self) -> None:
        """Start compacting in a thread of its own, unless that is under way or failed just now."""
        with self._compacting:
            busy = self._compactor is not None and self._compactor.is_alive()
            if busy or self._stop.is_set() or time.monotonic() < self._retry_at:
                return
            self._compactor = threading.Thread(
                target=self._try_compact, name="compaction", daemon=True
            )
            self._compactor.start()

    def _try_compact(self) -> None:
        """Compact, or carry on without: the writes that called for it are already safe."""
        try:
            Compaction(self.writer, self.dimension, patient=True).run(self._stop)
        except IndexError_ as error:
            self._retry_at = time.monotonic() + RETRY_S
            logger.warning("dead rows are kept for now: %s", error)

    def settle(self) -> None:
        """Wait for a compaction under way."""
        with self._compacting:
            compactor = self._compactor
        if compactor is not None:
            compactor.join()

    def compact(self) -> None:
        """Drop dead rows and number the others anew, as a new generation; wait until it is done."""
        self.settle()
        Compaction(self.writer, self.dimension, patient=False).run(self._stop)

    def sweep(self) -> None:
        """Remove what a compaction left that was cut off by a crash."""
        with errors_of(self.folder):
            clear(self.writer)

    def close(self) -> None:
        """Close the database; a compaction under way is given up."""
        self._stop.set()
        self.settle()
        with self._lock:
            self._reader.close()
        if self._writer is not None:
            self._writer.close()


def meta_of(folder: Path) -> dict[str, str | int]:
    """Return what a store says of itself, its encoder for one; empty where there is none."""
    path = folder / "items.db"
    if not path.is_file():
        return {}
    with errors_of(path):
        reader = connect(path)
        try:
            if not reader.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                return {}
            return dict(reader.execute("SELECT key, value FROM meta"))
        finally:
            reader.close()


def _chunks(values: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(values), CHUNK):
        yield list(values[start : start + CHUNK])


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
