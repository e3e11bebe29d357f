"""Deleting what is older than it is to be kept: sessions by their last use, and what lies beside.

In small transactions, so that turns go on meanwhile. How long things are kept is passed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, Table, and_, delete, exists, func, select

from agent import tables
from agent.database import Database

BATCH = 200


@dataclass(frozen=True, slots=True)
class Keep:
    """How long things are kept; None: for good.

    Args:
        sessions: After the last turn, slate or feedback.
        jobs: After they were done or given up. Those that wait are kept.
        once: Idempotency keys.
        usage: Counts of turns and tokens by day.
    """

    sessions: timedelta | None = None
    jobs: timedelta = timedelta(days=30)
    once: timedelta = timedelta(days=1)
    usage: timedelta = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Purged:
    """How much was deleted, or would be."""

    sessions: int = 0
    feeds: int = 0
    jobs: int = 0
    once: int = 0
    usage: int = 0

    @property
    def total(self) -> int:
        """Rows of all kinds, without what hangs on them."""
        return sum(getattr(self, one.name) for one in fields(self))


def purge(database: Database, keep: Keep, now: datetime, *, dry: bool = False) -> Purged:
    """Delete what is older than it is kept; return how much.

    Args:
        dry: Only count.

    Raises:
        StoreError: If the database cannot be read or written; what was deleted before stays so.
    """
    counts = {name: _purge(database, query, dry) for name, query in _old(keep, now)}
    done = Purged(**counts)
    if done.total and not dry:
        database.erase()
    return done


def _old(keep: Keep, now: datetime) -> Iterator[tuple[str, tuple[Table, ColumnElement[bool]]]]:
    """Yield what is to go: a name, its table, and which of its rows."""
    if keep.sessions is not None:
        before = now - keep.sessions
        yield "sessions", (tables.sessions, _unused_since(before))
        yield "feeds", (tables.slates, _feed_before(before))
    jobs = tables.jobs.c
    finished = and_(jobs.status.in_(("done", "dead")), jobs.finished < now - keep.jobs)
    yield "jobs", (tables.jobs, finished)
    yield "once", (tables.idempotency_keys, tables.idempotency_keys.c.time < now - keep.once)
    day = f"{now - keep.usage:%Y-%m-%d}"
    yield "usage", (tables.usage_days, tables.usage_days.c.day < day)


def _unused_since(moment: datetime) -> ColumnElement[bool]:
    """Return which sessions have had nothing from a moment on."""
    own, turns, slates = tables.sessions.c, tables.turns.c, tables.slates.c
    seen, said = tables.impressions.c, tables.feedback_events.c
    later = (
        exists().where(turns.session_id == own.id, turns.time >= moment),
        exists().where(slates.session_id == own.id, seen.slate_id == slates.id,
                       seen.time >= moment),
        exists().where(slates.session_id == own.id, said.slate_id == slates.id,
                       said.time >= moment),
    )  # fmt: skip
    return and_(own.created < moment, *(~one for one in later))


def _feed_before(moment: datetime) -> ColumnElement[bool]:
    """Return which slates of no session were shown before a moment, with no feedback since."""
    own, seen, said = tables.slates.c, tables.impressions.c, tables.feedback_events.c
    last = select(func.max(seen.time)).where(seen.slate_id == own.id).scalar_subquery()
    later = exists().where(said.slate_id == own.id, said.time >= moment)
    return and_(own.session_id.is_(None), last < moment, ~later)


def _purge(database: Database, what: tuple[Table, ColumnElement[bool]], dry: bool) -> int:
    table, old = what
    if dry:
        with database.read() as connection:
            count = connection.scalar(select(func.count()).select_from(table).where(old))
            return int(count or 0)
    keys = list(table.primary_key.columns)
    total = 0
    while True:
        with database.write() as connection:
            # Held, so that a turn that comes now is not deleted with a session that was old.
            query: Select[tuple[object, ...]] = select(*keys).where(old).limit(BATCH)
            rows = connection.execute(query.with_for_update()).all()
            for row in rows:
                own = [key == value for key, value in zip(keys, row, strict=True)]
                total += connection.execute(delete(table).where(*own)).rowcount
        if len(rows) < BATCH:
            return total
