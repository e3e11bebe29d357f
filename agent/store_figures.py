"""Sessions as far as the figures of feedback need them, many read at once: much faster than whole.

Turns have their words and time, but no plan, state or answer; items shown have no fields. What
learns or judges reads whole sessions (`agent.store.Store.logged`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from agent import tables
from agent.database import Database
from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn, Shown
from agent.store_log import session_ids

_AT_ONCE = 500
"""Ids in one query: databases bound their number."""


def counted(database: Database, since: datetime | None = None) -> Iterator[LoggedSession]:
    """Yield sessions, oldest first, as far as `finetune.events.report` looks at them.

    Args:
        since: Only sessions with a turn, a slate or feedback from then on.
    """
    with database.read() as connection:
        ids = session_ids(connection, since)
    for at in range(0, len(ids), _AT_ONCE):
        with database.read() as connection:
            yield from _some(connection, ids[at : at + _AT_ONCE])


def newest(database: Database) -> tuple[Any, ...]:
    """Return what is another as soon as anything that is counted has come or gone."""
    sessions, events = tables.sessions, tables.feedback_events
    own = (
        select(func.count(), func.sum(sessions.c.turns), func.max(sessions.c.created))
        .select_from(sessions)
    )  # fmt: skip
    given = select(func.count(), func.max(events.c.time)).select_from(events)
    shown = select(func.count()).select_from(tables.slates)
    with database.read() as connection:
        return tuple(value for query in (own, given, shown)
                     for value in connection.execute(query).one())  # fmt: skip


def _some(connection: Connection, ids: Sequence[str]) -> Iterator[LoggedSession]:
    turns, slates = _turns(connection, ids), _slates(connection, ids)
    events = _events(connection, ids)
    own = tables.sessions
    rows = {row.id: row for row in connection.execute(
        select(own.c.id, own.c.user, own.c.created).where(own.c.id.in_(ids)))}  # fmt: skip
    for id in ids:
        if id in rows:  # else deleted meanwhile
            yield LoggedSession.model_construct(
                id=id, user=rows[id].user, created=rows[id].created, turns=tuple(turns[id]),
                slates=tuple(slates[id]), events=tuple(events[id]),
            )  # fmt: skip


def _turns(connection: Connection, ids: Sequence[str]) -> dict[str, list[LoggedTurn]]:
    own = tables.turns
    query = select(own.c.session_id, own.c.id, own.c.number, own.c.time, own.c.utterance,
                   own.c.slate_id)  # fmt: skip
    found: dict[str, list[LoggedTurn]] = defaultdict(list)
    for row in connection.execute(query.where(own.c.session_id.in_(ids)).order_by(own.c.number)):
        found[row.session_id].append(LoggedTurn.model_construct(
            id=row.id, number=row.number, time=row.time, utterance=row.utterance,
            slate_id=row.slate_id,
        ))  # fmt: skip
    return found


def _slates(connection: Connection, ids: Sequence[str]) -> dict[str, list[LoggedSlate]]:
    slates, shown = tables.slates, tables.impressions
    query = (
        select(slates.c.session_id, slates.c.turn_id, shown.c.slate_id, shown.c.rank,
               shown.c.item_id, shown.c.propensity, shown.c.policy)
        .join(shown, shown.c.slate_id == slates.c.id)
        .where(slates.c.session_id.in_(ids))
        .order_by(shown.c.slate_id, shown.c.rank)
    )  # fmt: skip
    items: dict[str, list[Shown]] = defaultdict(list)
    of: dict[str, tuple[str, str | None, str]] = {}
    for row in connection.execute(query):
        of.setdefault(row.slate_id, (row.session_id, row.turn_id, row.policy))
        items[row.slate_id].append(Shown.model_construct(
            item_id=row.item_id, rank=row.rank, propensity=row.propensity))  # fmt: skip
    found: dict[str, list[LoggedSlate]] = defaultdict(list)
    for id, (session, turn, policy) in of.items():
        found[session].append(LoggedSlate.model_construct(
            id=id, turn_id=turn, policy=policy, time=None, items=tuple(items[id])))  # fmt: skip
    return found


def _events(connection: Connection, ids: Sequence[str]) -> dict[str, list[FeedbackEvent]]:
    slates, own = tables.slates, tables.feedback_events
    query = (
        select(own, slates.c.session_id)
        .join(slates, slates.c.id == own.c.slate_id)
        .where(slates.c.session_id.in_(ids))
        .order_by(own.c.time, own.c.id)
    )
    found: dict[str, list[FeedbackEvent]] = defaultdict(list)
    for row in connection.execute(query):
        values = {name: row._mapping[name] for name in FeedbackEvent.model_fields}
        found[row.session_id].append(FeedbackEvent.model_construct(**values))
    return found
