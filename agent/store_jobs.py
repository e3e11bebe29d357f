"""Jobs in the tables of the store: stored, claimed under a lease, finished or tried again.

A claim is fenced by the number of the attempt: whoever lost its lease changes nothing any more.
PostgreSQL's own clock counts, so that hosts need not agree on the time. What runs the jobs is
`agent.worker`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from agent.database import Database
from agent.errors import UnknownJob, UserInputError
from agent.feedback import valid_id
from agent.jobs import LONGEST_PAUSE, Job, JobStatus, NewJob
from agent.store_beside import insert_jobs
from agent.tables import jobs

MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Overdue:
    """A running job whose lease cannot be right: run out, or longer than leases are."""

    id: str
    lease: datetime


class Jobs:
    """The jobs of one store. Safe to share across threads and processes.

    Raises:
        StoreError: If the database cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stored = threading.Condition()
        self._count = 0

    def add(self, job: NewJob) -> bool:
        """Store work; return whether it is new: the same id counts once, whoever comes first."""
        try:
            with self._database.write() as connection:
                insert_jobs(connection, [job], datetime.now(UTC))
        except IntegrityError:
            return False
        self.notify()
        return True

    def notify(self) -> None:
        """Tell the workers of this process that work was stored."""
        with self._stored:
            self._count += 1
            self._stored.notify_all()

    @property
    def count(self) -> int:
        """How often work was stored by this process, for `wait`."""
        return self._count

    def wait(self, seen: int, seconds: float) -> None:
        """Return when work was stored by this process after it counted `seen`, or in time."""
        with self._stored:
            self._stored.wait_for(lambda: self._count != seen, seconds)

    def get(self, id: str) -> Job:
        """Return a job; UnknownJob when there is none."""
        with self._database.read() as connection:
            return _job(_row(connection, id))

    def list(
        self, status: JobStatus | None = None, kind: str | None = None, limit: int = 100
    ) -> list[Job]:
        """Return jobs, newest first."""
        query = select(jobs).order_by(jobs.c.created.desc(), jobs.c.id)
        if status is not None:
            query = query.where(jobs.c.status == status)
        if kind is not None:
            query = query.where(jobs.c.kind == kind)
        with self._database.read() as connection:
            rows = connection.execute(query.limit(min(limit, MOST_LISTED)))
            return [_job(row) for row in rows]

    def retry(self, id: str) -> Job:
        """Have a job that was given up tried again, or one that waits tried now; return it.

        Raises:
            UnknownJob: If there is no such job.
            UserInputError: If it runs or is done.
        """
        again = update(jobs).where(jobs.c.id == id, jobs.c.status.in_(("dead", "waiting")))
        values = {"status": "waiting", "attempts": 0, "due": jobs.c.created, "finished": None}
        with self._database.write() as connection:
            before = _row(connection, id)
            if connection.execute(again.values(values)).rowcount == 0:
                raise UserInputError(
                    f"job {id!r} is {before.status}; only one that is dead or waits is tried again"
                )
            found = _job(_row(connection, id))
        self.notify()
        return found

    def prune(self, days: int) -> int:
        """Delete jobs that were done so many days ago; return how many."""
        with self._database.write() as connection:
            before = _now(connection) - timedelta(days=days)
            query = delete(jobs).where(jobs.c.status == "done", jobs.c.finished < before)
            return connection.execute(query).rowcount

    def claim(self, kinds: Collection[str], lease_s: float) -> Job | None:
        """Take the job of these kinds that has been due longest; None where none is due."""
        with self._database.read() as connection:
            if connection.execute(_due(kinds, _now(connection))).first() is None:
                return None  # the usual case, which then costs no write
        with self._database.write() as connection:
            now = _now(connection)
            row = connection.execute(_due(kinds, now).with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            connection.execute(
                update(jobs)
                .where(jobs.c.id == row.id)
                .values(status="running", attempts=row.attempts + 1, lease=_later(now, lease_s))
            )
            return _job(_row(connection, row.id))

    def next_due(self, kinds: Collection[str]) -> float | None:
        """Return in how many seconds the next job of these kinds is due; None: none waits."""
        query = select(func.min(jobs.c.due)).where(*_waiting(kinds))
        with self._database.read() as connection:
            due = connection.scalar(query)
            return None if due is None else (due - _now(connection)).total_seconds()

    def overdue(self, kinds: Collection[str], lease_s: float) -> Sequence[Overdue]:
        """Return running jobs whose lease has run out, or is of a clock that went back since."""
        with self._database.read() as connection:
            now, lease = _now(connection), jobs.c.lease
            query = select(jobs.c.id, lease).where(
                jobs.c.status == "running",
                jobs.c.kind.in_(kinds),
                or_(lease < now, lease > _later(now, lease_s)),
            )
            return [Overdue(row.id, row.lease) for row in connection.execute(query)]

    def abandon(self, one: Overdue) -> bool:
        """Make an overdue job waiting, unless it was renewed; return whether it was made so."""
        own = update(jobs).where(
            jobs.c.id == one.id, jobs.c.status == "running", jobs.c.lease == one.lease
        )
        said = "the process that ran it died, or could not reach the store"
        with self._database.write() as connection:
            values = {"status": "waiting", "due": _now(connection), "lease": None, "error": said}
            return connection.execute(own.values(values)).rowcount > 0

    def extend(self, job: Job, lease_s: float) -> bool:
        """Hold a running job for longer; return whether it is still one's own."""
        with self._database.write() as connection:
            lease = _later(_now(connection), lease_s)
            return connection.execute(_own(job).values(lease=lease)).rowcount > 0

    def finish(self, job: Job, result: Mapping[str, Any] | None) -> bool:
        """Note that a job is done; return whether it was still one's own."""
        with self._database.write() as connection:
            values = {
                "status": "done", "finished": _now(connection), "lease": None, "error": None,
                "result": None if result is None else dict(result),
            }  # fmt: skip
            return connection.execute(_own(job).values(values)).rowcount > 0

    def fail(self, job: Job, error: str, pause: timedelta | None) -> bool:
        """Note a failed try: wait for the next one, or (no pause) give up for good."""
        with self._database.write() as connection:
            now = _now(connection)
            values: dict[str, Any] = {"lease": None, "error": error}
            if pause is None:
                values |= {"status": "dead", "finished": now}
            else:
                values |= {"status": "waiting", "due": now + pause}
            return connection.execute(_own(job).values(values)).rowcount > 0

    def give_back(self, job: Job) -> bool:
        """Leave a running job to others, at once; return whether it was still one's own."""
        with self._database.write() as connection:
            values = {"status": "waiting", "lease": None, "due": _now(connection)}
            return connection.execute(_own(job).values(values)).rowcount > 0


def _now(connection: Connection) -> datetime:
    """Return the time by the one clock that all processes of this store share."""
    if connection.dialect.name == "postgresql":
        now = connection.scalar(select(func.clock_timestamp()))
        assert isinstance(now, datetime)
        return now.astimezone(UTC)
    return datetime.now(UTC)


def _later(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)


def _waiting(kinds: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return jobs.c.status == "waiting", jobs.c.kind.in_(kinds)


def _due(kinds: Collection[str], now: datetime) -> Select[Any]:
    """Select the job that has been due longest.

    What was to be done at once is due whatever the clocks say; a retry that is due later than any
    retry can be was stored before the clock went back.
    """
    own = jobs.c
    at_once = and_(own.attempts == 0, own.due <= own.created)
    stray = and_(own.attempts > 0, own.due > now + 2 * LONGEST_PAUSE)
    query = select(own.id, own.attempts).where(*_waiting(kinds))
    return query.where(or_(own.due <= now, at_once, stray)).order_by(own.due, own.id).limit(1)


def _own(job: Job) -> Update:
    """Change a job as long as it is the attempt that was claimed."""
    own = jobs.c
    return update(jobs).where(
        own.id == job.id, own.status == "running", own.attempts == job.attempts
    )


def _row(connection: Connection, id: str) -> Row[Any]:
    row = connection.execute(select(jobs).where(jobs.c.id == id)).first() if valid_id(id) else None
    if row is None:
        raise UnknownJob(f"no job {id[:64]!r}; `attune jobs list` shows those there are")
    return row


def _job(row: Row[Any]) -> Job:
    values = {key: value for key, value in row._mapping.items() if key != "lease"}
    return Job(**values)
