"""The session store: reachable, of this version, quick enough, and the work that waits in it.

Nothing is made and no tables are changed: a store that a server has not made yet is only told of.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from agent.access.keyring import Keyring
from agent.database import Database, explain
from agent.errors import StoreError
from agent.observability.readiness import LONG_S
from agent.observability.schema import head
from agent.store_backlog import backlog
from agent.store_secrets import check
from ui.checkup.findings import Finding, fail, note, ok, warn
from ui.privacy_wiring import SECRET, secrets_of
from ui.settings import Settings

_SLOW_MS = 50.0
_SKEW_S = 5.0


def store(folder: Path, settings: Settings, schema: str | None = None) -> Iterator[Finding]:
    """Look at the store of a project.

    Args:
        schema: Of PostgreSQL that it is in, where it shares its database.
    """
    url = settings.store or f"sqlite:///{(folder / 'sessions.db').absolute()}"
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    where = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        yield fail("store", f"{where} is neither SQLite nor PostgreSQL",
                   "ATTUNE_STORE is like postgresql+psycopg://USER:PASS@HOST/NAME")  # fmt: skip
        return
    if sqlite and parsed.database and not Path(parsed.database).parent.is_dir():
        yield fail("store", f"{where} is in a folder that is not there",
                   f"make {Path(parsed.database).parent}, or correct ATTUNE_STORE")  # fmt: skip
        return
    if sqlite and parsed.database and not Path(parsed.database).exists():
        yield note("store", f"{where} is not there yet", "the first server or chat makes it")
        return
    stands = _revision(url, where, schema)
    if stands is None:
        yield note("store", f"{where} has no tables yet", "the first server or chat makes them")
        return
    if stands != head():
        yield warn("store", f"{where} has tables {stands}; this version wants {head()}",
                   "back it up: the next start brings older tables up to date")  # fmt: skip
        return
    database = Database(url, schema)
    try:
        yield from _secrets(database, folder, settings)
        yield _written(database, where)
        yield from _clock(database)
        yield from _work(database)
        yield from _keys(database, settings)
    finally:
        database.close()


def _revision(url: str, where: str, schema: str | None) -> str | None:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if not engine.dialect.has_table(connection, "alembic_version", schema=schema):
                return None
            table = f'"{schema}".alembic_version' if schema else "alembic_version"
            return str(connection.scalar(text(f"SELECT version_num FROM {table}")))
    except SQLAlchemyError as error:
        raise explain(error, where) from error
    finally:
        engine.dispose()


def _secrets(database: Database, folder: Path, settings: Settings) -> Iterator[Finding]:
    """Look whether a server would open the store with the secrets there are; none is made."""
    try:
        given = secrets_of(folder if (folder / SECRET).is_file() else folder / "none", settings)
    except StoreError:
        return  # a key that is none, which is told with the settings
    try:
        check(database, given)
    except StoreError as error:
        advice = "no server opens the store without them: take them from your backup"
        yield fail("secrets", str(error), advice)


def _written(database: Database, where: str) -> Finding:
    times = []
    for _ in range(5):
        start = perf_counter()
        database.check()
        times.append((perf_counter() - start) * 1000)
    ms = median(times)
    said = f"{where}: tables {head()}, a write takes {ms:.1f} ms"
    if ms > _SLOW_MS:
        return warn("store", said, "each turn waits for its write: use a faster or nearer disk")
    return ok("store", said)


def _clock(database: Database) -> Iterator[Finding]:
    if database.engine.dialect.name != "postgresql":
        return
    with database.read() as connection:
        theirs = connection.scalar(text("SELECT clock_timestamp()"))
    if not isinstance(theirs, datetime):
        return
    skew = abs((theirs - datetime.now(UTC)).total_seconds())
    if skew > _SKEW_S:
        yield warn("clock", f"{skew:.0f} s apart from the database's", "run NTP on both hosts")
    else:
        yield ok("clock", "agrees with the database's")


def _work(database: Database) -> Iterator[Finding]:
    waiting = backlog(database)
    dead, due = waiting.of("dead"), waiting.of("waiting")
    if dead:
        yield warn("jobs", f"{dead} were given up",
                   "attune jobs list --status dead says why; attune jobs retry ID")  # fmt: skip
    if waiting.oldest_s > LONG_S:
        yield fail("jobs", f"{due} wait, the oldest for {waiting.oldest_s / 60:.0f} min",
                   "does a server run on this store? it is what works on them")  # fmt: skip
    elif not dead:
        yield ok("jobs", f"{due} wait, none was given up")


def _keys(database: Database, settings: Settings) -> Iterator[Finding]:
    now = datetime.now(UTC)
    live = [key for key in Keyring(database).current().values()
            if key.revoked is None and (key.expires is None or key.expires > now)]  # fmt: skip
    if not live:
        yield note("keys", "none: only this machine is answered, without a key",
                   "attune keys add, before others are to reach it")  # fmt: skip
        return
    soon = [key.name for key in live if key.expires and (key.expires - now).days < 14]
    if soon:
        yield warn("keys", f"expire within two weeks: {', '.join(soon)}", "attune keys add")
    admin = sum("admin" in key.scopes for key in live)
    yield ok("keys", f"{len(live)} are good, {admin} of them for admin")
