"""Sessions read back whole from the tables of the store, for what learns from them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, or_, select

from agent import tables
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn, Shown
from agent.store_feedback import events_of


def session_ids(connection: Connection, since: datetime | None) -> list[str]:
    """Return the ids of sessions, oldest first; with `since`, those with anything from then on."""
    query = select(tables.sessions.c.id).order_by(tables.sessions.c.created, tables.sessions.c.id)
    if since is not None:
        turns, slates = tables.turns, tables.slates
        later = [select(turns.c.session_id).where(turns.c.time >= since)]
        for one in (tables.impressions, tables.feedback_events):
            joined = select(slates.c.session_id).join(one, one.c.slate_id == slates.c.id)
            later.append(joined.where(one.c.time >= since))
        # Slates without a session would make the whole list unknown to SQL.
        own = [one.where(one.selected_columns[0].is_not(None)) for one in later]
        query = query.where(or_(*(tables.sessions.c.id.in_(one) for one in own)))
    return list(connection.scalars(query))


def logged_session(connection: Connection, id: str) -> LoggedSession | None:
    """Return one session, or None when it has been deleted meanwhile.

    Raises:
        ValidationError: If a value was stored by a version that this one cannot read.
    """
    own = tables.sessions
    row = connection.execute(select(own).where(own.c.id == id)).first()
    if row is None:
        return None
    turns = select(tables.turns).where(tables.turns.c.session_id == id)
    return LoggedSession(
        id=row.id,
        user=row.user,
        created=row.created,
        turns=tuple(_turn(one) for one in connection.execute(turns.order_by("number"))),
        slates=tuple(_slates(connection, id)),
        events=tuple(events_of(connection, id)),
    )


def _turn(row: Row[Any]) -> LoggedTurn:
    own = {name: row._mapping[name] for name in LoggedTurn.model_fields}
    return LoggedTurn.model_validate({**own, "written": row.written or ()})


def _of_session(table: Table, id: str) -> Select[Any]:
    slates = tables.slates
    joined = table.join(slates, slates.c.id == table.c.slate_id)
    return select(table).select_from(joined).where(slates.c.session_id == id)


def _slates(connection: Connection, id: str) -> Iterator[LoggedSlate]:
    chances: dict[tuple[str, int], Row[Any]] = {
        (row.slate_id, row.rank): row
        for row in connection.execute(_of_session(tables.impressions, id))
    }
    shown: dict[str, list[Shown]] = {}
    for row in connection.execute(_of_session(tables.slate_items, id).order_by("rank")):
        values = {name: row._mapping[name] for name in Shown.model_fields if name != "propensity"}
        propensity = chances[row.slate_id, row.rank].propensity
        one = Shown.model_validate({**values, "propensity": propensity})
        shown.setdefault(row.slate_id, []).append(one)
    firsts = {slate: chances[slate, items[0].rank] for slate, items in shown.items()}
    query = select(tables.slates).where(tables.slates.c.session_id == id)
    found = [row for row in connection.execute(query) if row.id in shown]
    for row in sorted(found, key=lambda row: (firsts[row.id].time, row.id)):
        first = firsts[row.id]
        yield LoggedSlate(
            id=row.id, turn_id=row.turn_id, policy=first.policy, time=first.time,
            items=tuple(shown[row.id]),
        )  # fmt: skip
