"""What is stored in the transaction of a turn, beside it: hand-over, jobs, idempotency key, usage.

Idempotency keys also hold the answers to other requests (feedback). They count for `KEPT`, and are
deleted by the way when newer ones are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Delete, Row, bindparam, delete, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from agent import tables
from agent.desk import Once
from agent.errors import IdempotencyConflict
from agent.jobs import NewJob
from agent.store_turns import turns_of
from agent.turn import Done
from agent.usage import Spent

KEPT = timedelta(hours=24)
"""How long a request can be sent again under its idempotency key."""

_SWEPT = 100
"""Old keys deleted with each new one; more than come, so that they do not pile up."""


def _sweep() -> Delete:
    """Return what deletes a key that is old, and others that are."""
    own, old = tables.idempotency_keys.c, bindparam("old", type_=tables.UtcTime)
    # Rows that another transaction is deleting are left to it: no transaction waits for old keys.
    swept = select(own.key).where(own.time < old).limit(_SWEPT).with_for_update(skip_locked=True)
    same = (own.key == bindparam("this")) & (own.time < old)
    return delete(tables.idempotency_keys).where(or_(same, own.key.in_(swept)))


# Made once: SQLAlchemy takes longer to put a statement together than SQLite to run it.
_SWEEP = _sweep()
_KEY = insert(tables.idempotency_keys)
_TAKEN = select(tables.idempotency_keys).where(
    tables.idempotency_keys.c.key == bindparam("this"),
    tables.idempotency_keys.c.time >= bindparam("old", type_=tables.UtcTime),
)


def insert_handover(connection: Connection, done: Done, now: datetime) -> None:
    """Write the hand-over of a turn, where it made one."""
    made = done.service.handover if done.service else None
    if made is None:
        return
    values = {
        "id": made.id,
        "session_id": done.session_id,
        "turn_id": done.turn_id,
        "reason": made.reason,
        "detail": made.detail,
        "status": "waiting",
        "created": now,
        "changed": now,
    }
    connection.execute(insert(tables.handovers).values(values))


def insert_jobs(connection: Connection, jobs: Sequence[NewJob], now: datetime) -> None:
    """Write work to be done."""
    for job in jobs:
        values = {
            "id": job.id,
            "kind": job.kind,
            "payload": dict(job.payload),
            "status": "waiting",
            "attempts": 0,
            "created": now,
            "due": job.due or now,
        }
        connection.execute(insert(tables.jobs).values(values))


def insert_once(connection: Connection, once: Once, done: Done, now: datetime) -> None:
    """Write under which idempotency key a turn was taken."""
    _insert_key(connection, once, now, session_id=done.session_id, turn_id=done.turn_id)


def insert_answer(
    connection: Connection, once: Once, answer: Mapping[str, Any], now: datetime
) -> None:
    """Write what was answered under an idempotency key."""
    _insert_key(connection, once, now, answer=dict(answer))


def _insert_key(connection: Connection, once: Once, now: datetime, **columns: Any) -> None:
    connection.execute(_SWEEP, {"this": once.key, "old": now - KEPT})
    values = {"key": once.key, "fingerprint": once.fingerprint, "time": now, **columns}
    connection.execute(_KEY, values)


def turn_taken(connection: Connection, once: Once, session_id: str | None = None) -> Done | None:
    """Return the turn taken under a key, None where there is none.

    Args:
        session_id: The session that it must be in; None for any.

    Raises:
        IdempotencyConflict: If the key was used for another request.
    """
    row = _stored(connection, once)
    if row is None:
        return None
    if row.turn_id is None or (session_id is not None and row.session_id != session_id):
        raise IdempotencyConflict
    found = (done for done in turns_of(connection, row.session_id) if done.turn_id == row.turn_id)
    return next(found, None)


def answer_given(connection: Connection, once: Once) -> dict[str, Any] | None:
    """Return what was answered under a key, None where nothing was; raises like `turn_taken`."""
    row = _stored(connection, once)
    if row is None:
        return None
    if row.answer is None:
        raise IdempotencyConflict
    answer: dict[str, Any] = row.answer
    return answer


def _stored(connection: Connection, once: Once) -> Row[Any] | None:
    asked = {"this": once.key, "old": datetime.now(UTC) - KEPT}
    row = connection.execute(_TAKEN, asked).first()
    if row is not None and row.fingerprint != once.fingerprint:
        raise IdempotencyConflict
    return row


def insert_usage(connection: Connection, spent: Spent, now: datetime, turns: int = 1) -> None:
    """Add a turn, or what is none, and its tokens to what a key used on the day."""
    own = tables.usage_days
    # The same statement in both dialects, but SQLAlchemy has one for each.
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = make(own).values(
        day=now.date().isoformat(), key_id=spent.payer, turns=turns, tokens=spent.tokens
    )
    more = {"turns": own.c.turns + turns, "tokens": own.c.tokens + spent.tokens}
    connection.execute(new.on_conflict_do_update(index_elements=["day", "key_id"], set_=more))
