"""The durable part of the exact index: items in SQLite, vectors in a file beside it.

A row is written once: replacing an item adds a row and marks the old one as died, so whoever still
reads an older version finds everything of it. Compaction drops the dead rows, renumbers the rest
and starts a new generation. This module does not know columns, BM25 or search.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from retrieval.catalog import Item
from retrieval.errors import EncoderMismatch, IndexError_
from retrieval.item_json import dump_item, is_usable_id, load_item
from retrieval.query import Vectors
from retrieval.vector_file import copy_rows, map_rows, sync_folder, write_rows

T = TypeVar("T")
logger = logging.getLogger(__name__)

FORMAT = 1
CHUNK = 500
COMPACT_SHARE = 0.3
COMPACT_MINIMUM = 1000
"""Fewer dead rows than this are not worth the work."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE items (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL, seq INTEGER NOT NULL,
    born INTEGER NOT NULL, died INTEGER, body TEXT NOT NULL);
CREATE UNIQUE INDEX items_live ON items (id) WHERE died IS NULL;
CREATE INDEX items_died ON items (died) WHERE died IS NOT NULL;
"""


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
        first: Number of the first new row; 0 where everything is new.
        seq, alive: Of each row from the first on: its place of insertion, whether it is there.
        died: Rows before the first that died since.
    """

    state: State
    first: int
    seq: NDArray[np.int64]
    alive: NDArray[np.bool_]
    died: NDArray[np.int64]


class ItemStore:
    """Items and vectors on disk. One writer (the caller holds the lock), any number of readers."""

    def __init__(self, folder: Path, encoder_name: str, dimension: int, write: bool) -> None:
        self.folder = folder
        self.dimension = dimension
        self._lock = threading.RLock()
        self._writing = threading.RLock()
        path = folder / "items.db"
        if not write and not path.is_file():
            raise IndexError_(f"no index at {str(folder)!r} ({path.name} is missing); build it")
        self._reader = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=30
        )
        self._writer: sqlite3.Connection | None = None
        try:
            with errors_of(path):
                if write:
                    self._writer = sqlite3.connect(
                        path, isolation_level=None, check_same_thread=False, timeout=30
                    )
                    self._prepare(self._writer, encoder_name)
                self._check(encoder_name)
        except IndexError_:
            self.close()
            raise

    def _prepare(self, writer: sqlite3.Connection, encoder_name: str) -> None:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA synchronous = FULL")
        with transaction(writer):
            if writer.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return
            for statement in _SCHEMA.split(";"):
                writer.execute(statement)
            writer.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("format", FORMAT), ("encoder", encoder_name), ("dimension", self.dimension),
                 ("generation", 0), ("version", 0), ("rows", 0), ("seq", 0), ("dead", 0)],
            )  # fmt: skip

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
                f"open it with that encoder or index into another folder"
            )

    # Reading

    def stamp(self) -> int:
        """Return a number that differs whenever anyone has written since the last call."""
        with self._lock, errors_of(self.folder):
            return int(self._reader.execute("PRAGMA data_version").fetchone()[0])

    def changes(self, since: State) -> Changes:
        """Return what happened since a state; everything, when it is of another generation."""
        with self._lock, errors_of(self.folder), transaction(self._reader):
            now = self._state(self._reader)
            if now.generation != since.generation:
                since = State()
            rows = self._reader.execute(
                "SELECT seq, died IS NULL FROM items WHERE row >= ? ORDER BY row", (since.rows,)
            )
            new = np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, 2)
            gone = self._reader.execute(
                "SELECT row FROM items WHERE died > ? AND row < ?", (since.version, since.rows)
            )
            died = np.fromiter(chain.from_iterable(gone), np.int64)
        return Changes(now, since.rows, new[:, 0], new[:, 1].astype(np.bool_), died)

    @staticmethod
    def _state(connection: sqlite3.Connection) -> State:
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        return State(int(meta["generation"]), int(meta["version"]), int(meta["rows"]))

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
        found: dict[int, Item] = {}
        with self._lock, errors_of(self.folder), transaction(self._reader):
            if self._state(self._reader).generation != generation:
                raise StaleError
            for chunk in _chunks(rows):
                found.update(
                    (row, load_item(body))
                    for row, body in self._reader.execute(
                        f"SELECT row, body FROM items WHERE row IN ({_marks(chunk)})", chunk
                    )
                )
        return found

    def rows_of(self, ids: Sequence[str]) -> tuple[int, dict[str, int]]:
        """Return the generation, and the row of each id that is there."""
        found: dict[str, int] = {}
        with self._lock, errors_of(self.folder), transaction(self._reader):
            generation = self._state(self._reader).generation
            # No item has an id that cannot be stored, and the database would not take it.
            for chunk in _chunks([id for id in ids if is_usable_id(id)]):
                found.update(
                    self._reader.execute(
                        f"SELECT id, row FROM items WHERE died IS NULL AND id IN ({_marks(chunk)})",
                        chunk,
                    ).fetchall()
                )
        return generation, found

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
    def writer(self) -> sqlite3.Connection:
        """The connection that writes; IndexError_ when opened for reading."""
        if self._writer is None:
            raise IndexError_(
                f"the index at {str(self.folder)!r} was opened for reading; open it with write=True"
            )
        return self._writer

    def apply(self, items: Sequence[Item], vectors: Vectors, delete: Iterable[str] = ()) -> int:
        """Add or replace items and delete others in one step; return how many were deleted.

        Durable when it returns; after a crash either all of it is there or nothing.
        """
        writer = self.writer
        bodies = [dump_item(item) for item in items]
        with self._writing, errors_of(self.folder):
            with transaction(writer):
                state = self._state(writer)
                version = state.version + 1
                write_rows(self._vector_path(state.generation), state.rows, vectors)
                deleted = self._kill(writer, delete, version)
                replaced = self._insert(writer, items, bodies, state)
                if items or deleted:
                    self._add(writer, version=1, rows=len(items), dead=deleted + replaced)
            if self._needs_compaction():
                self._try_compact()
        return deleted

    def _try_compact(self) -> None:
        """Compact, or carry on without: the write that called for it is already safe."""
        try:
            self.compact()
        except IndexError_ as error:
            logger.warning("dead rows are kept for now: %s", error)

    def _insert(
        self, writer: sqlite3.Connection, items: Sequence[Item], bodies: list[str], state: State
    ) -> int:
        """Insert rows, each with the place of the one it replaces; return how many it did."""
        version = state.version + 1
        place = self._sequence_of(writer, [item.id for item in items])
        replaced = self._kill(writer, list(place), version)
        seq = int(writer.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone()[0])
        new = [item.id for item in items if item.id not in place]
        place.update((id, seq + number) for number, id in enumerate(new, start=1))
        self._add(writer, seq=len(new))
        writer.executemany(
            "INSERT INTO items (row, id, seq, born, body) VALUES (?, ?, ?, ?, ?)",
            (
                (row, item.id, place[item.id], version, body)
                for row, (item, body) in enumerate(zip(items, bodies, strict=True), state.rows)
            ),
        )
        return replaced

    def _kill(self, writer: sqlite3.Connection, ids: Iterable[str], version: int) -> int:
        update = "UPDATE items SET died = ? WHERE id = ? AND died IS NULL"
        cursor = writer.executemany(update, [(version, id) for id in ids if is_usable_id(id)])
        return max(cursor.rowcount, 0)

    def _sequence_of(self, writer: sqlite3.Connection, ids: Sequence[str]) -> dict[str, int]:
        known: dict[str, int] = {}
        for chunk in _chunks(ids):
            known.update(
                writer.execute(
                    f"SELECT id, seq FROM items WHERE died IS NULL AND id IN ({_marks(chunk)})",
                    chunk,
                ).fetchall()
            )
        return known

    def _add(self, writer: sqlite3.Connection, **amounts: int) -> None:
        writer.executemany(
            "UPDATE meta SET value = value + ? WHERE key = ?",
            [(amount, key) for key, amount in amounts.items()],
        )

    def _needs_compaction(self) -> bool:
        meta = dict(self.writer.execute("SELECT key, value FROM meta"))
        dead = int(meta["dead"])
        return dead >= COMPACT_MINIMUM and dead > COMPACT_SHARE * int(meta["rows"])

    def compact(self) -> None:
        """Drop dead rows and number the others anew, as a new generation."""
        writer = self.writer
        with self._writing, errors_of(self.folder), transaction(writer):
            state = self._state(writer)
            found = writer.execute("SELECT row FROM items WHERE died IS NULL ORDER BY row")
            live = [int(row) for (row,) in found]
            target = self._vector_path(state.generation + 1)
            copy_rows(self.vectors(state), live, target)
            sync_folder(self.folder)
            writer.execute("DELETE FROM items WHERE died IS NOT NULL")
            # Ascending, and never to a larger number: no two rows meet on the way.
            writer.executemany("UPDATE items SET row = ? WHERE row = ?", enumerate(live))
            writer.executemany(
                "UPDATE meta SET value = ? WHERE key = ?",
                [(state.generation + 1, "generation"), (len(live), "rows"), (0, "dead")],
            )
        self.sweep()

    def sweep(self) -> None:
        """Remove vector files of other generations, left by a compaction or a crash in one."""
        present = self._vector_path(self._state(self.writer).generation)
        for path in self.folder.glob("vectors-*.f32"):
            if path != present:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._reader.close()
            if self._writer is not None:
                self._writer.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is done inside, or undo all of it."""
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Turn what the database and the disk complain about into our error."""
    try:
        yield
    except sqlite3.ProgrammingError as error:
        raise IndexError_(f"the index at {str(path)!r} is closed: {error}") from error
    except (sqlite3.Error, OSError) as error:
        raise IndexError_(
            f"cannot use the index at {str(path)!r}: {error}; what was acknowledged before is kept"
        ) from error


def _chunks(values: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(values), CHUNK):
        yield list(values[start : start + CHUNK])


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
