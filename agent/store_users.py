"""Deleting what the tables of the store hold of a user, and remembering that it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from agent.keys import key_of
from agent.tables import deleted_users, feedback_events, sessions, slates


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
    connection.execute(delete(sessions).where(sessions.c.user.in_(names)))
    for name in names:
        _note(connection, key_of(name), gone.sessions)
    return gone


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
