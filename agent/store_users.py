"""What the tables of the store hold of a user: told, deleted, and that it was remembered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from agent.keys import key_of
from agent.logged import LoggedSession
from agent.store_log import logged_session
from agent.tables import (
    deleted_users,
    feedback_events,
    handovers,
    idempotency_keys,
    jobs,
    sessions,
    slates,
    threads,
    turns,
)

OF_SESSIONS = ("handover",)
"""Kinds of jobs that are about a session: they go with it."""


@dataclass(frozen=True, slots=True)
class DeletedUser:
    """The ids of what went."""

    sessions: tuple[str, ...] = ()
    slates: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


def delete_user(connection: Connection, names: Sequence[str]) -> DeletedUser:
    """Delete every session of a user with all that hangs on it, and note the user's keys.

    Args:
        names: How the user may be stored.
    """
    own = select(sessions.c.id).where(sessions.c.user.in_(names))
    shown = select(slates.c.id).where(slates.c.session_id.in_(own))
    said = select(feedback_events.c.id).where(feedback_events.c.slate_id.in_(shown))
    gone = DeletedUser(
        # The lock keeps turns out that would else be deleted with the rest, but not told.
        sessions=tuple(connection.scalars(own.order_by(sessions.c.created).with_for_update())),
        slates=tuple(connection.scalars(shown.order_by(slates.c.id))),
        events=tuple(connection.scalars(said.order_by(feedback_events.c.id))),
    )
    _delete_jobs(connection, gone.sessions)
    connection.execute(delete(sessions).where(sessions.c.user.in_(names)))
    for name in names:
        _note(connection, key_of(name), gone.sessions)
    return gone


def _delete_jobs(connection: Connection, own: Sequence[str]) -> None:
    """Delete work that is about sessions, before they go."""
    handed = select(handovers.c.id).where(handovers.c.session_id.in_(own))
    about = {*own, *connection.scalars(handed)}
    found = connection.execute(
        select(jobs.c.id, jobs.c.payload).where(jobs.c.kind.in_(OF_SESSIONS))
    )
    gone = [row.id for row in found if about & {str(one) for one in row.payload.values()}]
    if gone:
        connection.execute(delete(jobs).where(jobs.c.id.in_(gone)))


@dataclass(frozen=True, slots=True)
class StoredUser:
    """Everything that is stored of a user.

    Args:
        user: As stored: a hash, where there is a secret.
        sessions: Oldest first; `beside` has by their ids what lies beside them, as JSON.
        deletions: When earlier data was deleted.
    """

    user: str
    sessions: tuple[LoggedSession, ...]
    beside: Mapping[str, Mapping[str, Any]]
    deletions: tuple[Deletion, ...] = ()


def stored_user(connection: Connection, names: Sequence[str]) -> StoredUser:
    """Return everything that is stored of a user.

    Args:
        names: How the user may be stored.
    """
    own = select(sessions.c.id).where(sessions.c.user.in_(names)).order_by(sessions.c.created)
    logged = [one for id in connection.scalars(own) if (one := logged_session(connection, id))]
    return StoredUser(
        user=names[0],
        sessions=tuple(logged),
        beside={one.id: _beside(connection, one.id) for one in logged},
        deletions=tuple(
            found for name in names if (found := deletion(connection, key_of(name))) is not None
        ),
    )


_BESIDE = {
    "handovers": (handovers, ("id", "turn_id", "reason", "detail", "status", "created", "changed")),
    "threads": (threads, ("hash", "turn", "time")),
    "requests": (idempotency_keys, ("key", "fingerprint", "turn_id", "answer", "time")),
}
"""What lies beside a session: tables, and the columns that tell something."""


def _beside(connection: Connection, session_id: str) -> dict[str, Any]:
    """Return what is stored of a session besides its turns, slates and feedback."""
    found: dict[str, Any] = {}
    for name, (table, columns) in _BESIDE.items():
        query = select(*(table.c[one] for one in columns)).where(table.c.session_id == session_id)
        found[name] = [dict(row._mapping) for row in connection.execute(query)]
    state = connection.scalar(select(sessions.c.state).where(sessions.c.id == session_id))
    timings = select(turns.c.id, turns.c.timings).where(turns.c.session_id == session_id)
    rows = connection.execute(timings)
    return found | {"state": state, "timings": {row.id: row.timings for row in rows}}


@dataclass(frozen=True, slots=True)
class Deletion:
    """That a user's data was deleted.

    Args:
        key: Of the user (`agent.keys.key_of`).
        time: When it was last.
        sessions: Keys of all sessions that went.
    """

    key: str
    time: datetime
    sessions: tuple[str, ...]


def _note(connection: Connection, key: str, sessions: tuple[str, ...]) -> None:
    found = deletion(connection, key)
    gone = [*(found.sessions if found else ()), *map(key_of, sessions)]
    values = {"key": key, "time": datetime.now(UTC), "sessions": gone}
    if found is None:
        connection.execute(insert(deleted_users).values(values))
    else:
        again = update(deleted_users).where(deleted_users.c.key == found.key)
        connection.execute(again.values(values))


def deletion(connection: Connection, key: str) -> Deletion | None:
    """Return when data of a user (by key) was deleted last, and what; None where it never was."""
    own = deleted_users.c.key == key
    return next(_deletions(connection, select(deleted_users).where(own)), None)


def deletions(connection: Connection) -> list[Deletion]:
    """Return whose data was deleted, oldest first."""
    return list(_deletions(connection, select(deleted_users).order_by(deleted_users.c.time)))


def _deletions(connection: Connection, query: Select[Any]) -> Iterator[Deletion]:
    for row in connection.execute(query):
        yield Deletion(row.key, row.time, tuple(row.sessions))
