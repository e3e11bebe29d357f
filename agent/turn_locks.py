"""One turn of a session at a time: in line within a process, locked between processes.

Between processes the lock is the operating system's (SQLite: one machine) or the database server's
(PostgreSQL: any number of hosts); both let go of it when its holder dies. Neither is what keeps a
session whole: a turn that comes second in spite of it is refused when it is stored.
"""

from __future__ import annotations

import hashlib
import os
import random
import struct
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Protocol

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from agent.database import Database, explain
from agent.errors import Conflict
from agent.pace import waiting

MOST_WAITING = 16
"""Turns of one session that may wait, so that one session cannot keep every thread waiting."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.004, 0.1


class Shared(Protocol):
    """Locks between processes, one for each key. Never waits, and knows nothing of threads."""

    def take(self, key: str) -> bool:
        """Take a lock, unless another process has it; StoreError where that can't be known."""
        ...

    def give(self, key: str) -> None:
        """Let go of a lock; one that was lost meanwhile is no error."""
        ...

    def close(self) -> None:
        """Let go of everything; safe to call twice."""
        ...


class TurnLocks:
    """Who comes first is served first, within a process; between processes, by chance."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._guard = threading.Lock()
        self._lines: dict[str, deque[threading.Event]] = {}

    @contextmanager
    def hold(self, key: str, wait_s: float) -> Iterator[None]:
        """Wait for one's turn and hold it; another thread may let go of it.

        Raises:
            Conflict: If it takes longer than `wait_s`, or too many wait already.
            StoreError: If the locks between processes cannot be reached.
        """
        until = monotonic() + wait_s
        self._enter(key, wait_s)
        try:
            self._lock(key, until, wait_s)
            try:
                yield
            finally:
                self._shared.give(key)
        finally:
            self._leave(key)

    def close(self) -> None:
        """Let go of the locks between processes; safe to call twice."""
        self._shared.close()

    def __len__(self) -> int:
        """Return how many sessions have a turn running or waiting in this process."""
        return len(self._lines)

    def _enter(self, key: str, wait_s: float) -> None:
        mine = threading.Event()
        with self._guard:
            line = self._lines.setdefault(key, deque())
            if len(line) > MOST_WAITING:
                raise Conflict(f"{len(line)} turns of the session wait already; try again later")
            line.append(mine)
            if line[0] is mine:
                return
        with waiting():
            came = mine.wait(wait_s)
        if came:
            return
        with self._guard:
            if line[0] is not mine:
                line.remove(mine)
                raise _too_long(wait_s)

    def _leave(self, key: str) -> None:
        with self._guard:
            line = self._lines[key]
            line.popleft()
            if line:
                line[0].set()
            else:
                del self._lines[key]

    def _lock(self, key: str, until: float, wait_s: float) -> None:
        pause = _FIRST_PAUSE_S
        while not self._shared.take(key):
            if monotonic() >= until:
                raise _too_long(wait_s)
            with waiting():
                sleep(pause * (0.5 + random.random()))
            pause = min(pause * 1.5, _LONGEST_PAUSE_S)


def _too_long(wait_s: float) -> Conflict:
    return Conflict(f"the turn before is still running after {wait_s:g} s; try again later")


def shared_locks(database: Database) -> Shared:
    """Return the locks between the processes that use a database."""
    if database.engine.dialect.name == "postgresql":
        return AdvisoryLocks(database)
    file = database.engine.url.database
    if file in (None, "", ":memory:") or "mode=memory" in str(file) or sys.platform != "linux":
        return OwnProcess()
    try:
        return FileLocks(Path(str(file).removeprefix("file:").partition("?")[0] + "-turns"))
    except OSError as error:
        raise explain(error, database.where) from error


class OwnProcess:
    """No other process uses the database; or there is no way to know, and the last guard holds."""

    def take(self, key: str) -> bool:
        """Take the lock, always."""
        return True

    def give(self, key: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class FileLocks:
    """Locks on single bytes of one file, which stays empty: the place stands for the key.

    They belong to the open file, not to the process (`F_OFD_SETLK`): two stores in one process
    keep each other out too, and closing one leaves the other's locks alone.
    """

    def __init__(self, path: Path) -> None:
        self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, key: str) -> bool:
        """Take a lock, unless another process has it."""
        import fcntl

        try:
            self._set(key, fcntl.F_WRLCK)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def give(self, key: str) -> None:
        """Let go of a lock."""
        import fcntl

        self._set(key, fcntl.F_UNLCK)

    def close(self) -> None:
        """Let go of everything; safe to call twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _set(self, key: str, kind: int) -> None:
        import fcntl

        if self._file is None:
            return
        # struct flock: type, whence, start, length, pid (0: the lock is the open file's).
        place = struct.pack("hhqqi4x", kind, os.SEEK_SET, _number(key) >> 1, 1, 0)
        fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, place)


class AdvisoryLocks:
    """PostgreSQL's locks of a session of its server: one connection holds all of a process.

    It goes through no pool, and not through a pooler that changes connections between
    transactions. Where the connection breaks, the server lets go of all locks.
    """

    def __init__(self, database: Database) -> None:
        self._where, self._schema = database.where, database.schema
        self._engine = create_engine(
            database.engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        self._guard = threading.Lock()
        self._connection: Connection | None = None
        self._held: dict[str, Connection] = {}

    def take(self, key: str) -> bool:
        """Take a lock, unless another process has it."""
        with self._guard:
            try:
                return self._take(key)
            except SQLAlchemyError:
                self._drop()  # once more over a new connection: the old one may have broken
            try:
                return self._take(key)
            except SQLAlchemyError as error:
                self._drop()
                raise explain(error, self._where) from error

    def _take(self, key: str) -> bool:
        connection = self._open()
        query = text("SELECT pg_try_advisory_lock(:key)")
        if not connection.scalar(query, {"key": self._number(key)}):
            return False
        self._held[key] = connection
        return True

    def give(self, key: str) -> None:
        """Let go of a lock; it is gone already where its connection broke."""
        with self._guard:
            connection = self._held.pop(key, None)
            if connection is None or connection is not self._connection:
                return
            try:
                connection.scalar(
                    text("SELECT pg_advisory_unlock(:key)"), {"key": self._number(key)}
                )
            except SQLAlchemyError:
                self._drop()

    def close(self) -> None:
        """Let go of everything; safe to call twice."""
        with self._guard:
            self._drop()

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            # The server notices within half a minute when a host loses its power.
            for name, value in (("idle", 10), ("interval", 5), ("count", 3)):
                self._connection.execute(text(f"SET tcp_keepalives_{name} = {value}"))
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()

    def _number(self, key: str) -> int:
        """Return the key as the server has it; tenants share a server, each in its schema."""
        return _number(f"{self._schema or ''}/{key}") - 2**63


def _number(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "replace")).digest()[:8])
