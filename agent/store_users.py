"""Deleting what the tables of the store hold of a user, and remembering that it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from agent.keys import key_of
from agent.tables import deleted_users, feedback_events, sessions, slates


@dataclass(frozen=True, slots=True)
class DeletedUser:
    """The ids of what went."""

    sessions: tuple[str, ...] = ()
    slates: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


def delete_user(connection: Connection, user: str) -> DeletedUser:
    """Delete every session of a user with all that hangs on it, and note the user's key."""
    own = select(sessions.c.id).where(sessions.c.user == user)
    shown = select(slates.c.id).where(slates.c.session_id.in_(own))
    said = select(feedback_events.c.id).where(feedback_events.c.slate_id.in_(shown))
    gone = DeletedUser(
        # The lock keeps turns out that would else be deleted with the rest, but not told.
        sessions=tuple(connection.scalars(own.order_by(sessions.c.created).with_for_update())),
        slates=tuple(connection.scalars(shown.order_by(slates.c.id))),
        events=tuple(connection.scalars(said.order_by(feedback_events.c.id))),
    )
    connection.execute(delete(sessions).where(sessions.c.user == user))
    _note(connection, key_of(user))
    return gone


def _note(connection: Connection, key: str) -> None:
    now = datetime.now(UTC)
    again = update(deleted_users).where(deleted_users.c.key == key).values(time=now)
    if connection.execute(again).rowcount == 0:
        connection.execute(insert(deleted_users).values(key=key, time=now))


def deletions(connection: Connection) -> dict[str, datetime]:
    """Return when data was deleted last, by the key of its user."""
    rows = connection.execute(select(deleted_users).order_by(deleted_users.c.time))
    return {row.key: row.time for row in rows}
