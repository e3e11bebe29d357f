"""What is stored in the transaction of a turn, beside it: hand-over, jobs, idempotency key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from agent import tables
from agent.desk import Once
from agent.errors import Conflict
from agent.jobs import NewJob
from agent.store_turns import turns_of
from agent.turn import Done


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
    values = {
        "key": once.key,
        "fingerprint": once.fingerprint,
        "session_id": done.session_id,
        "turn_id": done.turn_id,
        "time": now,
    }
    connection.execute(insert(tables.idempotency_keys).values(values))


def turn_taken(connection: Connection, once: Once, session_id: str) -> Done | None:
    """Return the turn taken under a key; Conflict where the key was used for something else."""
    own = tables.idempotency_keys
    row = connection.execute(select(own).where(own.c.key == once.key)).first()
    if row is None:
        return None
    if row.fingerprint != once.fingerprint or row.session_id != session_id:
        raise Conflict("the idempotency key was used for another request; take a new key")
    found = (done for done in turns_of(connection, session_id) if done.turn_id == row.turn_id)
    return next(found, None)
