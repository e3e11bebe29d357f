"""What those who run a shop look up in the store: the latest sessions, the items ever shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import desc, func, select

from agent import tables
from agent.database import Database
from agent.state import State


@dataclass(frozen=True, slots=True)
class Lately:
    """One session, as a list shows it.

    Args:
        user: As stored.
        last: When its last turn was; when it was created, where it has none.
        begun: Its first words.
        state: As it stands; None where this version cannot read it.
    """

    id: str
    user: str | None
    created: datetime
    last: datetime
    turns: int
    begun: str
    state: State | None


def latest(database: Database, limit: int) -> list[Lately]:
    """Return the sessions that went on last, newest first."""
    own, turns = tables.sessions, tables.turns
    last = (
        select(turns.c.session_id, func.max(turns.c.time).label("last"))
        .group_by(turns.c.session_id)
        .subquery()
    )
    first = select(turns.c.session_id, turns.c.utterance).where(turns.c.number == 1).subquery()
    when = func.coalesce(last.c.last, own.c.created)
    query = (
        select(own, when.label("last_turn"), first.c.utterance)
        .outerjoin(last, last.c.session_id == own.c.id)
        .outerjoin(first, first.c.session_id == own.c.id)
        .order_by(desc(when), own.c.id)
        .limit(limit)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    return [
        Lately(
            row.id, row.user, row.created, row.last_turn, row.turns, row.utterance or "",
            _state(row.state),
        )
        for row in rows
    ]  # fmt: skip


def _state(stored: object) -> State | None:
    try:
        return State.model_validate(stored)
    except ValidationError:
        return None


def shown_items(database: Database) -> set[str]:
    """Return the ids of all items that were ever on a slate."""
    with database.read() as connection:
        return set(connection.scalars(select(tables.impressions.c.item_id).distinct()))
