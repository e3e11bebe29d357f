"""The writing side of the store: groups of calls in one transaction.

A group takes a handful of statements, however many calls it holds: each statement gives the
interpreter away for a moment, and beside busy search threads it is slow to come back. And it takes
one sync of the disk: the vectors of a small group are in the transaction too, until the vector file
is synced for many groups together. This module does not know who reads.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from retrieval import unsynced
from retrieval.database import connect, errors_of, transaction
from retrieval.group_commit import GroupCommit
from retrieval.query import Vectors
from retrieval.vector_file import write_rows

ROWS_AT_ONCE = 150
"""Rows of one INSERT: six values each, and older SQLite takes at most 999."""
IDS_AT_ONCE = 10_000
UNSYNCED_ROWS = 2000
"""So many vectors at most wait in the database for the next sync of their file."""
SMALL_ROWS = 256
"""Above that a group syncs the vector file itself, rather than write its vectors twice."""


@dataclass(frozen=True, slots=True)
class Write:
    """One call: ids to delete, then ids, bodies and vectors to store; ids are usable ones."""

    ids: Sequence[str]
    bodies: Sequence[str]
    vectors: Vectors
    delete: Sequence[str]


@dataclass(slots=True)
class Meta:
    """The counters of the store, as its only writer knows them.

    Args:
        rows: Rows there are, dead ones too.
        seq: Place of insertion given last.
        dead: Rows that died in this generation.
    """

    generation: int
    version: int
    rows: int
    seq: int
    dead: int


@dataclass(slots=True)
class Batch:
    """What a group of calls adds up to.

    Args:
        rows: New rows as (row, id, seq, born, died, body).
        died: Old rows that die, each with the version it dies at.
        deleted: How many items each call deleted.
    """

    rows: list[list[Any]] = field(default_factory=list)
    died: list[tuple[int, int]] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)


def plan(calls: Sequence[Write], meta: Meta, known: dict[str, tuple[int, int]]) -> Batch:
    """Return what calls add up to, one after the other, and bring the counters up to it.

    Args:
        known: Row and place of insertion of every live item that a call names; changed here.
    """
    batch, first = Batch(), meta.rows

    def kill(id: str, version: int) -> int | None:
        """Return the place of an item that was there and is no more."""
        row, seq = known.pop(id, (-1, None))
        if seq is None:
            return None
        if row >= first:
            batch.rows[row - first][4] = version
        else:
            batch.died.append((row, version))
        meta.dead += 1
        return seq

    for call in calls:
        version = meta.version + 1
        deleted = sum(kill(id, version) is not None for id in call.delete)
        for id, body in zip(call.ids, call.bodies, strict=True):
            seq = kill(id, version)
            if seq is None:
                seq = meta.seq = meta.seq + 1
            known[id] = (meta.rows, seq)
            batch.rows.append([meta.rows, id, seq, version, None, body])
            meta.rows += 1
        batch.deleted.append(deleted)
        if deleted or call.ids:
            meta.version = version
    return batch


class StoreWriter:
    """The one connection that writes, shared by all threads of the writing process."""

    def __init__(self, folder: Path, path: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        """Held while a transaction is under way."""
        self.connection = connect(path)
        self.rows = 0
        self.dead = 0
        """Rows there were, and of these dead ones, after the last commit."""
        self._unsynced = 0
        self._group = GroupCommit(self._commit)

    def apply(self, write: Write) -> int:
        """Make a call durable, together with those of other threads; return how many it deleted."""
        return self._group.submit(write)

    def vector_path(self, generation: int) -> Path:
        """Return the file with the vectors of a generation."""
        return self.folder / f"vectors-{generation}.f32"

    def kept_path(self, generation: int) -> Path:
        """Return the file with the rows that a generation kept of the one before it."""
        return self.folder / f"kept-{generation}.npy"

    def meta(self) -> Meta:
        """Return the counters."""
        names = "('generation', 'version', 'rows', 'seq', 'dead')"
        found = self.connection.execute(f"SELECT key, value FROM meta WHERE key IN {names}")
        return Meta(**{key: int(value) for key, value in found})

    def _commit(self, calls: Sequence[Write]) -> list[int]:
        with self.lock, errors_of(self.folder), transaction(self.connection):
            meta = self.meta()
            batch = plan(calls, meta, self._known(calls))
            waiting = self._keep(np.concatenate([call.vectors for call in calls]), meta)
            self._write(batch, meta)
        self._unsynced = waiting
        self.rows, self.dead = meta.rows, meta.dead
        return batch.deleted

    def _keep(self, vectors: Vectors, meta: Meta) -> int:
        """Write the last rows' vectors, safe once the transaction is; return how many wait."""
        first, path = meta.rows - len(vectors), self.vector_path(meta.generation)
        if not len(vectors):
            return self._unsynced
        waiting = self._unsynced + len(vectors)
        if len(vectors) > SMALL_ROWS or waiting > UNSYNCED_ROWS or not path.exists():
            write_rows(path, first, vectors)
            unsynced.clear(self.connection)
            return 0
        write_rows(path, first, vectors, sync=False)
        unsynced.put(self.connection, first, vectors)
        return waiting

    def recover(self) -> None:
        """Write the vectors that a power cut may have taken from their file."""
        with self.lock, transaction(self.connection):
            unsynced.recover(self.connection, self.vector_path(self.meta().generation))

    def _known(self, calls: Sequence[Write]) -> dict[str, tuple[int, int]]:
        """Return row and place of insertion of every live item that a call names."""
        ids = list({id for call in calls for id in (*call.ids, *call.delete)})
        known: dict[str, tuple[int, int]] = {}
        for start in range(0, len(ids), IDS_AT_ONCE):
            (found,) = self.connection.execute(
                "SELECT json_group_array(json_array(id, row, seq)) FROM items "
                "WHERE died IS NULL AND id IN (SELECT value FROM json_each(?))",
                (json.dumps(ids[start : start + IDS_AT_ONCE]),),
            ).fetchone()
            known.update((id, (row, seq)) for id, row, seq in json.loads(found))
        return known

    def _write(self, batch: Batch, meta: Meta) -> None:
        execute = self.connection.execute
        if batch.died:
            execute(
                "UPDATE items SET died = dying.version FROM (SELECT json_extract(value, '$[0]') "
                "AS row, json_extract(value, '$[1]') AS version FROM json_each(?)) AS dying "
                "WHERE items.row = dying.row",
                (json.dumps(batch.died),),
            )
        for start in range(0, len(batch.rows), ROWS_AT_ONCE):
            rows = batch.rows[start : start + ROWS_AT_ONCE]
            marks = ",".join(["(?,?,?,?,?,?)"] * len(rows))
            execute(
                f"INSERT INTO items (row, id, seq, born, died, body) VALUES {marks}",
                [value for row in rows for value in row],
            )
        self.count(meta)

    def count(self, meta: Meta) -> None:
        """Write the counters."""
        self.connection.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('generation', ?), ('version', ?), "
            "('rows', ?), ('seq', ?), ('dead', ?)",
            (meta.generation, meta.version, meta.rows, meta.seq, meta.dead),
        )

    def close(self) -> None:
        """Close the connection, once what is under way is done."""
        with self.lock:
            self.connection.close()


def prepare(connection: sqlite3.Connection, schema: Sequence[str], meta: dict[str, Any]) -> None:
    """Make a new database; one that is there stays as it is."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    with transaction(connection):
        found = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        connection.execute(unsynced.TABLE)
        if found:
            return
        for statement in schema:
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", list(meta.items()))
