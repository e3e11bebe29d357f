"""Vectors that wait in the database for the next sync of their file.

So that a small write costs one sync of the disk instead of two: its vectors go to the vector file
without one, and into the transaction that counts them in. What a power cut takes from the file is
written again from there. This module does not know generations or items.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np

from retrieval.errors import IndexError_
from retrieval.query import Vectors
from retrieval.vector_file import sync_file, write_rows

TABLE = "CREATE TABLE IF NOT EXISTS unsynced (row INTEGER PRIMARY KEY, vector BLOB NOT NULL)"


def put(connection: sqlite3.Connection, first: int, vectors: Vectors) -> None:
    """Keep the vectors of the rows from `first` on."""
    marks = ",".join(["(?,?)"] * len(vectors))
    rows = [(first + place, vector.tobytes()) for place, vector in enumerate(vectors)]
    connection.execute(
        f"INSERT INTO unsynced (row, vector) VALUES {marks}",
        [value for row in rows for value in row],
    )


def clear(connection: sqlite3.Connection) -> None:
    """Forget all, once their file is synced."""
    connection.execute("DELETE FROM unsynced")


def recover(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the vector file up to what was acknowledged, as part of a transaction.

    A file that lacks more than what waits was damaged otherwise and stays as it is.
    """
    found = _waiting(connection)
    if found and path.is_file() and path.stat().st_size >= found[0][0] * len(found[0][1]):
        for row, data in found:
            write_rows(path, row, np.frombuffer(data, np.float32)[None], sync=False)
        sync_file(path)
        clear(connection)


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse to read a vector file that a power cut left behind what was acknowledged.

    Raises:
        IndexError_: If it is one; whoever opens the index for writing repairs it.
    """
    found = _waiting(connection)
    if not found:
        return
    try:
        with path.open("rb") as file:
            for row, data in found:
                file.seek(row * len(data))
                if file.read(len(data)) != data:
                    raise IndexError_(
                        f"{str(path)!r} lacks what was written last, after a power cut or a copy "
                        f"made while it was written; open it for writing once (attune serve, or "
                        f"attune sync with the catalog's file), which repairs it"
                    )
    except FileNotFoundError:  # compacted away meanwhile, or missing, which is told elsewhere
        return


def _waiting(connection: sqlite3.Connection) -> list[tuple[int, bytes]]:
    there = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'unsynced'")
    if not there.fetchone()[0]:
        return []
    return connection.execute("SELECT row, vector FROM unsynced ORDER BY row").fetchall()
