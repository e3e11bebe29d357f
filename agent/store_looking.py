"""What those who run a shop look up in the store: the latest sessions, what went wrong in their
turns, the items ever shown, how much was told each day."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import Select, desc, func, select

from agent import tables
from agent.database import Database
from agent.state import State

Flag = Literal["thumbs_down", "fallback", "nothing", "handover"]
"""What makes a turn worth a look: somebody was not content; a model was asked and rules planned
instead; nothing was found; a person was called."""

_AGAINST = ("rating", "reject", "critique")
_BAD = 2
"""Stars up to which a rating is a thumb down."""

_AT_ONCE = 500
"""Ids in one query: databases bound their number."""


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


def latest(database: Database, limit: int, offset: int = 0) -> list[Lately]:
    """Return the sessions that went on last, newest first, from a place on."""
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
        .offset(offset)
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


@dataclass(frozen=True, slots=True)
class Taken:
    """One stored turn, as far as it tells what was asked for and what came of it.

    Args:
        plan, relaxations: As stored.
        items: How many were shown.
    """

    session_id: str
    number: int
    time: datetime
    utterance: str
    plan: Mapping[str, Any]
    relaxations: tuple[Mapping[str, Any], ...]
    items: int


def turns_of(database: Database, ids: Collection[str]) -> Iterator[Taken]:
    """Yield the turns of some sessions, in no order."""
    own = list(ids)
    for at in range(0, len(own), _AT_ONCE):
        yield from _turns(database, _TURNS.where(tables.turns.c.session_id.in_(
            own[at : at + _AT_ONCE])))  # fmt: skip


def latest_turns(database: Database, limit: int) -> Iterator[Taken]:
    """Yield the turns taken last, newest first."""
    return _turns(database, _TURNS.order_by(desc(tables.turns.c.time)).limit(limit))


_TURNS = select(
    tables.turns.c.session_id, tables.turns.c.number, tables.turns.c.time,
    tables.turns.c.utterance, tables.turns.c.plan, tables.turns.c.relaxations,
    select(func.count())
    .where(tables.slate_items.c.slate_id == tables.turns.c.slate_id)
    .scalar_subquery()
    .label("items"),
)  # fmt: skip


def _turns(database: Database, query: Select[Any]) -> Iterator[Taken]:
    with database.read() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        yield Taken(row.session_id, row.number, row.time, row.utterance, row.plan,
                    tuple(row.relaxations), row.items)  # fmt: skip


def flagged(database: Database, ids: Collection[str]) -> dict[tuple[str, int], set[Flag]]:
    """Return what speaks against turns of some sessions, by session and number of the turn.

    "nothing" is not among them: whether items should have been shown is the plan's to say.
    """
    found: dict[tuple[str, int], set[Flag]] = {}
    own = list(ids)
    for at in range(0, len(own), _AT_ONCE):
        for session, number, flag in _flags(database, own[at : at + _AT_ONCE]):
            found.setdefault((session, number), set()).add(flag)
    return found


def _flags(database: Database, ids: list[str]) -> Iterator[tuple[str, int, Flag]]:
    turns, slates = tables.turns, tables.slates
    events, handovers = tables.feedback_events, tables.handovers
    told = (
        select(turns.c.session_id, turns.c.number, events.c.kind, events.c.value)
        .join(slates, slates.c.id == events.c.slate_id)
        .join(turns, turns.c.id == slates.c.turn_id)
        .where(turns.c.session_id.in_(ids), events.c.kind.in_(_AGAINST))
    )
    called = (
        select(turns.c.session_id, turns.c.number)
        .join(handovers, handovers.c.turn_id == turns.c.id)
        .where(turns.c.session_id.in_(ids))
    )
    with database.read() as connection:
        against, persons = connection.execute(told).all(), connection.execute(called).all()
    for session, number, kind, value in against:
        if kind != "rating" or float(value) <= _BAD:
            yield session, number, "thumbs_down"
    for session, number in persons:
        yield session, number, "handover"


def told_by_day(database: Database, since: datetime) -> dict[tuple[str, str], int]:
    """Return how many events of each kind there were each day (UTC), by day and kind."""
    events = tables.feedback_events
    query = select(events.c.time, events.c.kind).where(events.c.time >= since)
    counts: dict[tuple[str, str], int] = {}
    with database.read() as connection:
        for row in connection.execute(query):
            key = (f"{row.time:%Y-%m-%d}", row.kind)
            counts[key] = counts.get(key, 0) + 1
    return counts
