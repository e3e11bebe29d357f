"""SQLite, as the store uses it: transactions, errors as ours, state in one row.

This module does not know items or vectors.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval.errors import IndexError_


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection that any thread may use and that leaves transactions to the caller."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)


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
