"""Connections to a PostgreSQL server: reused for reading, one with the writer's lock for writing.

A connection that the server dropped is replaced. This module does not know the tables.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from retrieval.errors import IndexError_, IndexLocked, RetrievalError

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

T = TypeVar("T")

IDLE = 8
CONNECT_SECONDS = 10
LOST_SECONDS = 30
"""A server that is silent for so long is taken for lost."""
SETTINGS = {
    "jit": "off",  # compiling takes longer than these queries
    "random_page_cost": "1.1",
    "work_mem": "64MB",
    "synchronous_commit": "on",
    "hnsw.iterative_scan": "relaxed_order",
}


def plain_url(url: str) -> str:
    """Return a URL as libpq reads it, without the driver that SQLAlchemy's URLs name."""
    scheme, colon, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{colon}{rest}"


class Link:
    """The way to one database, for any number of threads.

    Raises:
        IndexError_: If the library is missing or the server cannot be reached.
    """

    def __init__(self, url: str, lock_name: str) -> None:
        self._url = plain_url(url)
        self._lock_name = lock_name
        self.where = self._place()
        self._idle: list[Connection] = []
        self._guard = threading.Lock()
        self._writing = threading.RLock()
        self._writer: Connection | None = None
        self._closed = False

    def _place(self) -> str:
        """Return host, port and database, for messages."""
        psycopg = _library()
        try:
            parts = psycopg.conninfo.conninfo_to_dict(self._url)
        except psycopg.Error:
            # The library's message repeats the URL, password and all.
            raise IndexError_(
                "cannot read the URL of the PostgreSQL server; expected "
                "postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters of the "
                "password written as %XX"
            ) from None
        self._password = str(parts.get("password") or "")
        host = parts.get("host") or parts.get("hostaddr") or "localhost"
        return f"{host}:{parts.get('port') or 5432}/{parts.get('dbname') or parts.get('user')}"

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn errors of the server into ours."""
        psycopg = _library()
        try:
            yield
        except psycopg.Error as error:
            raise IndexError_(
                f"cannot use the index at {self.where}: {self._without_password(error)}"
            ) from error

    def _without_password(self, error: Exception) -> str:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = "; ".join(lines) or type(error).__name__
        return text.replace(self._password, "***") if self._password else text

    def connect(self) -> Connection:
        """Return a new connection in autocommit mode."""
        psycopg = _library()
        if self._closed:
            raise IndexError_(f"the index at {self.where} is closed; open it again")
        try:
            connection: Connection = psycopg.connect(
                self._url,
                autocommit=True,
                prepare_threshold=None,  # filters differ: a general plan would be a bad one
                connect_timeout=CONNECT_SECONDS,
                tcp_user_timeout=LOST_SECONDS * 1000,
                keepalives_idle=LOST_SECONDS,
                application_name=f"attune {os.getpid()} on {socket.gethostname()}"[:60],
            )
        except psycopg.Error as error:
            raise IndexError_(
                f"cannot connect to PostgreSQL at {self.where}: {self._without_password(error)}; "
                f"check the URL with user and password, and that the server runs"
            ) from None
        for name, value in SETTINGS.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        return connection

    # Reading

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what is read in one transaction that sees one moment's state.

        Tried again on a new connection when an idle one turns out to be dead.
        """
        psycopg = _library()
        with self.errors():
            while True:
                idle = self._take()
                connection = idle or self._reader()
                try:
                    with connection.transaction():
                        result = work(connection)
                except psycopg.OperationalError:
                    was_dead = idle is not None and connection.closed
                    connection.close()
                    if not was_dead:
                        raise
                except RetrievalError:
                    self._give(connection)
                    raise
                except BaseException:
                    connection.close()
                    raise
                else:
                    self._give(connection)
                    return result

    def _take(self) -> Connection | None:
        with self._guard:
            return self._idle.pop() if self._idle else None

    def _reader(self) -> Connection:
        from pgvector.psycopg import register_vector

        connection = self.connect()
        try:
            register_vector(connection)
            connection.isolation_level = _library().IsolationLevel.REPEATABLE_READ
            connection.read_only = True
        except BaseException:
            connection.close()
            raise
        return connection

    def _give(self, connection: Connection) -> None:
        with self._guard:
            if len(self._idle) < IDLE and not self._closed and not connection.closed:
                self._idle.append(connection)
                return
        connection.close()

    # Writing

    @contextmanager
    def writer(self) -> Iterator[Connection]:
        """Give the connection that holds the writer's lock, to one thread at a time."""
        with self._writing, self.errors():
            yield self._locked()

    def _locked(self) -> Connection:
        if self._writer is not None and not self._closed:
            try:
                self._writer.execute("SELECT 1")
                return self._writer
            except _library().OperationalError:
                self._writer.close()
        self._writer = None
        connection = self.connect()
        try:
            self._lock(connection)
        except BaseException:
            connection.close()
            raise
        self._writer = connection
        return connection

    def _lock(self, connection: Connection) -> None:
        key = "hashtextextended(%s, 0)"
        name = (self._lock_name,)
        row = connection.execute(f"SELECT pg_try_advisory_lock({key})".encode(), name).fetchone()
        if row and row[0]:
            return
        holder = connection.execute(
            f"""SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
            AND (l.classid::bigint << 32 | l.objid::bigint) = {key}""".encode(),
            name,
        ).fetchone()
        raise IndexLocked(
            f"the index at {self.where} is being written by process "
            f"{holder[0] if holder else '(unknown)'}; wait until it is done, stop that process, or "
            f"open the index for reading only"
        )

    def close(self) -> None:
        """Close all connections and give the lock back; safe to call twice."""
        with self._guard:
            self._closed = True
            connections, self._idle = self._idle, []
        with self._writing:
            if self._writer is not None:
                connections.append(self._writer)
            self._writer = None
        for connection in connections:
            connection.close()


def _library() -> Any:
    try:
        import pgvector.psycopg  # noqa: F401
        import psycopg
        import psycopg.conninfo
    except ImportError as error:
        raise IndexError_(
            f"engine 'pgvector' needs a library that is missing ({error}); "
            f"run: pip install 'attune[postgres]'"
        ) from error
    return psycopg
