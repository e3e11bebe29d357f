"""Hand-overs in the tables of the store: listed, shown, delivered, closed.

They are written with the turn that made them (`agent.store_beside`). A hand-over is "dead" as long
as the job that announces it is: it is written nowhere, so that a retried job revives both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Row, Select, case, select, update

from agent.database import Database
from agent.errors import UnknownHandover
from agent.feedback import valid_id
from agent.service.values import HandoverReason
from agent.tables import handovers, jobs

HandoverStatus = Literal["waiting", "delivered", "dead", "closed"]
"""waiting: for its announcement, or in the list. delivered: announced. dead: the announcement was
given up; `attune jobs retry` tries again. closed: done with."""

STATUSES: tuple[HandoverStatus, ...] = get_args(HandoverStatus)
MOST_LISTED = 1_000

_STATUS = case(
    ((handovers.c.status == "waiting") & (jobs.c.status == "dead"), "dead"),
    else_=handovers.c.status,
)


@dataclass(frozen=True, slots=True)
class StoredHandover:
    """A hand-over as stored."""

    id: str
    session_id: str
    turn_id: str
    reason: HandoverReason
    detail: str
    status: HandoverStatus
    created: datetime
    changed: datetime


class Handovers:
    """The hand-overs of one store. Safe to share across threads and processes.

    Raises:
        StoreError: If the database cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, status: HandoverStatus | None = None, limit: int = 100) -> list[StoredHandover]:
        """Return hand-overs, newest first."""
        query = _selected().order_by(handovers.c.created.desc(), handovers.c.id)
        if status is not None:
            query = query.where(_STATUS.in_((status,)))
        with self._database.read() as connection:
            rows = connection.execute(query.limit(min(limit, MOST_LISTED)))
            return [_handover(row) for row in rows]

    def get(self, id: str) -> StoredHandover:
        """Return a hand-over; UnknownHandover when there is none."""
        with self._database.read() as connection:
            query = _selected().where(handovers.c.id == id)
            row = connection.execute(query).first() if valid_id(id) else None
        if row is None:
            raise UnknownHandover(f"no hand-over {id[:64]!r}; its session may be deleted")
        return _handover(row)

    def is_open(self, id: str) -> bool:
        """Return whether a hand-over is there and has not been closed."""
        with self._database.read() as connection:
            query = select(handovers.c.status).where(handovers.c.id == id)
            return connection.scalar(query) not in (None, "closed")

    def delivered(self, id: str) -> bool:
        """Note that a hand-over was announced; return whether it still waited."""
        return self._change(id, "delivered", ("waiting",))

    def close(self, id: str) -> StoredHandover:
        """Note that a person is done with it, so that the bot goes on alone; return it.

        Raises:
            UnknownHandover: If there is none.
        """
        self._change(id, "closed", ("waiting", "delivered"))
        return self.get(id)

    def _change(self, id: str, status: HandoverStatus, before: tuple[str, ...]) -> bool:
        query = update(handovers).where(handovers.c.id == id, handovers.c.status.in_(before))
        values = {"status": status, "changed": datetime.now(UTC)}
        with self._database.write() as connection:
            return connection.execute(query.values(values)).rowcount > 0


def _selected() -> Select[Any]:
    own = handovers.c
    return select(
        own.id, own.session_id, own.turn_id, own.reason, own.detail, _STATUS.label("status"),
        own.created, own.changed,
    ).join_from(handovers, jobs, jobs.c.id == own.id, isouter=True)  # fmt: skip


def _handover(row: Row[Any]) -> StoredHandover:
    return StoredHandover(**row._mapping)
