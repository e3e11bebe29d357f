"""Compaction: dead rows are dropped and the others numbered anew, beside writers and readers.

Live rows are copied in steps, each a short transaction, to a second table and a second vector file;
the last step puts both in place. Writes wait for one step at most. After a crash, or when the
index is closed meanwhile, the copy is thrown away. This module does not know who reads.
"""

from __future__ import annotations

import sqlite3
import threading
import time

import numpy as np
from numpy.typing import NDArray

from retrieval import unsynced
from retrieval.database import errors_of, transaction
from retrieval.store_writer import StoreWriter
from retrieval.vector_file import map_rows, sync_file, sync_folder, write_rows

STEP = 1000
"""Rows looked at in one transaction: a few hundredths of a second of waiting for a writer."""

DROP_STEP = 5000
"""Rows of the old table deleted at a time."""

TABLE = """
CREATE TABLE {name} (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL, seq INTEGER NOT NULL,
    born INTEGER NOT NULL, died INTEGER, body TEXT NOT NULL);
CREATE UNIQUE INDEX {live} ON {name} (id) WHERE died IS NULL;
CREATE INDEX {died} ON {name} (died) WHERE died IS NOT NULL
"""

Rows = NDArray[np.int64]


def table(name: str, live: str, died: str) -> list[str]:
    """Return the statements that make a table of items with its indexes."""
    return TABLE.format(name=name, live=live, died=died).split(";")


class Compaction:
    """One compaction, from the first copied row to the last file removed.

    Args:
        patient: Rest between steps for as long as they took, so that others get their half.
    """

    def __init__(self, writer: StoreWriter, dimension: int, *, patient: bool) -> None:
        self._writer = writer
        self._dimension = dimension
        self._patient = patient
        self._cursor = 0
        """Rows of the old generation before this one are copied, as of `_version`."""
        self._version = 0
        self._dead = 0
        self._kept: list[Rows] = [np.zeros(0, np.int64)]
        self._copied = 0

    def run(self, stop: threading.Event) -> bool:
        """Compact; return whether it was finished before it was told to stop."""
        try:
            with errors_of(self._writer.folder):
                self._begin()
                while not self._step():
                    if stop.is_set():
                        return False
            return True
        finally:
            with errors_of(self._writer.folder):
                clear(self._writer)

    def _begin(self) -> None:
        writer = self._writer
        clear(writer)
        with writer.lock, transaction(writer.connection):
            self._generation = writer.meta().generation + 1
            names = (f"live_{self._generation}", f"died_{self._generation}")
            for statement in table("items_next", *names):
                writer.connection.execute(statement)
        self._target = writer.vector_path(self._generation)
        write_rows(self._target, 0, np.zeros((0, self._dimension), np.float32))

    def _step(self) -> bool:
        """Copy some rows; return whether they were the last and the new generation is in place."""
        began = time.perf_counter()
        writer = self._writer
        if self._left() <= STEP:
            # Most of the vectors, before anybody waits for it.
            sync_file(self._target)
        with writer.lock, transaction(writer.connection):
            meta = writer.meta()
            self._bury(meta.version)
            last = meta.rows - self._cursor <= STEP
            self._copy(min(self._cursor + STEP, meta.rows), meta.generation)
            if last:
                self._swap()
        if self._patient and not last:
            time.sleep(time.perf_counter() - began)
        return last

    def _left(self) -> int:
        with self._writer.lock:
            return self._writer.meta().rows - self._cursor

    def _bury(self, version: int) -> None:
        """Mark the copies of rows that died since the last step."""
        execute = self._writer.connection.execute
        died = execute(
            "SELECT row, died FROM items WHERE died > ? AND row < ?", (self._version, self._cursor)
        ).fetchall()
        kept = np.concatenate(self._kept)
        self._kept = [kept]
        places = np.searchsorted(kept, [row for row, _ in died])
        self._writer.connection.executemany(
            "UPDATE items_next SET died = ? WHERE row = ?",
            [(when, int(place)) for (_, when), place in zip(died, places, strict=True)],
        )
        self._dead += len(died)
        self._version = version

    def _copy(self, end: int, generation: int) -> None:
        """Copy the live rows from the cursor on, end excluded."""
        execute = self._writer.connection.execute
        span = (self._cursor, end)
        live = "FROM items WHERE row >= ? AND row < ? AND died IS NULL ORDER BY row"
        rows = np.array([row for (row,) in execute(f"SELECT row {live}", span)], dtype=np.int64)
        execute(
            "INSERT INTO items_next (row, id, seq, born, died, body) "
            f"SELECT ? + row_number() OVER (ORDER BY row) - 1, id, seq, born, NULL, body {live}",
            (self._copied, *span),
        )
        path = self._writer.vector_path(generation)
        vectors = map_rows(path, end, self._dimension)
        write_rows(self._target, self._copied, vectors[rows], sync=False)
        self._kept.append(rows)
        self._copied += len(rows)
        self._cursor = end

    def _swap(self) -> None:
        """Put the new generation in place, as part of the last step's transaction."""
        sync_file(self._target)
        kept = self._writer.kept_path(self._generation)
        np.save(kept, np.concatenate(self._kept))
        sync_folder(self._writer.folder)
        execute = self._writer.connection.execute
        unsynced.clear(self._writer.connection)  # by their old numbers; the new file has them all
        execute("ALTER TABLE items RENAME TO items_old")
        execute("ALTER TABLE items_next RENAME TO items")
        meta = self._writer.meta()
        meta.generation, meta.rows, meta.dead = self._generation, self._copied, self._dead
        self._writer.count(meta)


def clear(writer: StoreWriter) -> None:
    """Remove what compactions left behind: tables, and files of other generations."""
    for name in ("items_next", "items_old"):
        _drop(writer, name)
    with writer.lock:
        present = writer.meta().generation
        wanted = {writer.vector_path(present), writer.kept_path(present)}
    for pattern in ("vectors-*.f32", "kept-*.npy"):
        for path in writer.folder.glob(pattern):
            if path not in wanted:
                path.unlink(missing_ok=True)


def _drop(writer: StoreWriter, name: str) -> None:
    """Drop a table in steps: in one go a large one would keep writers waiting for seconds."""

    def execute(statement: str, *values: int | str) -> sqlite3.Cursor:
        with writer.lock:
            return writer.connection.execute(statement, values)

    parts = execute("SELECT type, name FROM sqlite_master WHERE tbl_name = ?", name).fetchall()
    if not parts:
        return
    for kind, index in parts:
        if kind == "index":
            execute(f"DROP INDEX {index}")
    first = f"(SELECT min(row) FROM {name})"
    while execute(f"DELETE FROM {name} WHERE row < {first} + ?", DROP_STEP).rowcount:
        continue
    execute(f"DROP TABLE {name}")
