"""Opening the store's database: safe settings, migrations, and errors in plain words.

Knows SQLAlchemy and Alembic; knows nothing of sessions or turns (`agent.store`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from agent.errors import StoreError
from agent.pace import waiting

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

BUSY_SECONDS = 10
_MIGRATION_LOCK = 4_702_111
_SCHEMA = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}")
_MIGRATIONS = Path(__file__).parent / "migrations"

_ADVICE = {
    "is full": "the disk is full; free some space and try again, nothing stored before is lost",
    "no space left": "the disk is full; free some space and try again, nothing stored before is "
    "lost",
    "not a database": "the file is not a session store; give another path, or restore a backup",
    "malformed": "the file is damaged; restore a backup, or try `sqlite3 FILE .recover`",
    "readonly": "the file or its folder cannot be written; check its permissions",
    "read-only": "the database takes no writes; check its permissions",
    "unable to open": "the file cannot be opened; check that its folder exists and is writable",
    "is locked": "another process has been writing for too long; try again",
    "already exists": "the database holds tables of another program; give another path",
    "connection": "the database server cannot be reached; check the URL and that it is up",
}


def explain(error: BaseException, where: str) -> StoreError:
    """Return the store error that says what went wrong and what to do."""
    cause = str(getattr(error, "orig", None) or error).strip()
    advice = next((text for sign, text in _ADVICE.items() if sign in cause.casefold()), None)
    first = cause.splitlines()[0] if cause else type(error).__name__
    return StoreError(f"session store {where}: {advice} ({first})" if advice else
                      f"session store {where}: {first}")  # fmt: skip


class Database:
    """One database with its connections: short transactions in, StoreError out.

    Args:
        schema: Of PostgreSQL, made when it is not there; everything is read and written in it.
    """

    def __init__(self, url: str, schema: str | None = None) -> None:
        self.schema = schema
        self._writers = threading.Lock()
        self.engine = _engine(url, schema)
        self.where = self.engine.url.render_as_string(hide_password=True)
        try:
            with self.write() as connection:
                _migrate(connection, self.where, schema)
                _touch(connection)
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment of the database."""
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that is on disk when the block ends, or leaves no trace.

        It gives up the thread's place among those that compute: one that waits for the others that
        write, and for the disk, keeps nobody from it.
        """
        writer = self.engine.execution_options(writes=True)
        with waiting(), self._in_line(), self._translated(), writer.begin() as connection:
            yield connection

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        """Let one thread write to SQLite at a time: it would have the others look again and again,
        with pauses in between, and let in whoever looks at the right moment."""
        if self.engine.dialect.name != "sqlite":
            yield
            return
        if not self._writers.acquire(timeout=BUSY_SECONDS):
            raise explain(TimeoutError("database is locked by this process"), self.where)
        try:
            yield
        finally:
            self._writers.release()

    def check(self) -> None:
        """Write to the disk without changing anything; StoreError when that fails."""
        with self.write() as connection:
            _touch(connection)

    def erase(self) -> None:
        """Take what was deleted out of SQLite's log of writes as well, unless somebody reads it.

        Pages are overwritten when rows go (secure_delete); the log keeps them until it is emptied.
        """
        if self.engine.dialect.name != "sqlite":
            return
        connection = self.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def close(self) -> None:
        """Close all connections; safe to call twice."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise explain(error, self.where) from error


def _engine(url: str, schema: str | None) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return _server(parsed, schema)
        if schema is not None:
            raise StoreError(f"{url!r} has no schemas, got {schema!r}; give each its own file")
        return _sqlite(parsed)
    except ArgumentError as error:
        raise StoreError(
            f"{url!r} is not a database URL; expected sqlite:///FILE or postgresql+psycopg://…"
        ) from error
    except ModuleNotFoundError as error:
        raise StoreError(
            f"the driver {error.name!r} is not installed; pip install 'attune[postgres]'"
        ) from error


def _server(url: URL, schema: str | None) -> Engine:
    engine = create_engine(url, pool_pre_ping=True)
    if schema is None:
        return engine
    if not _SCHEMA.fullmatch(schema):
        raise StoreError(f"{schema!r} is no name of a schema; expected 1 to 63 of a-z, 0-9, _ or -")

    def enter(connection: Any, record: Any) -> None:
        """Have every name mean what is in the schema, whoever borrows the connection next."""
        before, connection.autocommit = connection.autocommit, True
        connection.execute(f'SET search_path TO "{schema}"')
        connection.autocommit = before

    event.listen(engine, "connect", enter)
    return engine


def _sqlite(url: URL) -> Engine:
    # One shared connection for a database in memory: every new one would see an empty database.
    memory = url.database in (None, "", ":memory:")
    pool: dict[str, Any] = {"pool_size": 1, "max_overflow": 0} if memory else {}
    arguments = {"check_same_thread": False, "timeout": BUSY_SECONDS, "isolation_level": None}
    engine = create_engine(url, poolclass=QueuePool, connect_args=arguments, **pool)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, record: Any) -> None:
    """Make SQLite durable (an acknowledged turn survives a power cut) and check references.

    What is deleted is overwritten: people who ask for it mean that.
    """
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the write lock first: a transaction that reads, then writes, could not get it later."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _touch(connection: Connection) -> None:
    """Write a row as it is: SQLite would take a file it may only read until the first write."""
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def _migrate(connection: Connection, where: str, schema: str | None) -> None:
    """Bring the tables to the newest revision, once, whoever else is starting."""
    # Alembic takes a quarter of a second to import, and only an opening store needs it.
    from alembic import command
    from alembic.migration import MigrationContext

    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        if schema is not None:
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    script = _script()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"session store {where}: written by a newer version (schema {current!r}, this one "
            f"knows up to {script.get_current_head()!r}); update Attune, or give another path"
        )
    command.upgrade(_config(connection=connection), "head")


@cache
def _script() -> ScriptDirectory:
    """Return the migrations, which are read from their files once."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


def _config(**attributes: Any) -> Config:
    from alembic.config import Config

    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
