"""What those who run a shop look up in the store: the latest and the slowest sessions, what was
said and what went wrong in their turns, the items ever shown, what people told of them."""

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

Flag = Literal["thumbs_down", "fallback", "nothing", "handover", "slow"]
"""What makes a turn worth a look: somebody was not content; a model was asked and rules planned
instead; nothing was found; a person was called; it took long."""

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


def latest(
    database: Database, limit: int, offset: int = 0, ids: Collection[str] | None = None
) -> list[Lately]:
    """Return the sessions that went on last, newest first, from a place on.

    Args:
        ids: Only these, at most 500.
    """
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
    if ids is not None:
        query = query.where(own.c.id.in_(list(ids)))
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
        ms: How long it took.
    """

    session_id: str
    number: int
    time: datetime
    utterance: str
    plan: Mapping[str, Any]
    relaxations: tuple[Mapping[str, Any], ...]
    items: int
    ms: float


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
    tables.turns.c.timings,
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
                    tuple(row.relaxations), row.items, _whole(row.timings))  # fmt: skip


def _whole(timings: Mapping[str, float]) -> float:
    """Return the milliseconds of all stages of a turn."""
    return float(sum(timings.values()))


def slowest(database: Database, among: int, most: int) -> dict[str, float]:
    """Return the sessions with the slowest of the latest turns: milliseconds by id, slowest first.

    Args:
        among: Turns that are looked at.
        most: Sessions that are returned.
    """
    turns = tables.turns
    query = select(turns.c.session_id, turns.c.timings).order_by(desc(turns.c.time)).limit(among)
    found: dict[str, float] = {}
    with database.read() as connection:
        for id, timings in connection.execute(query):
            found[id] = max(found.get(id, 0.0), _whole(timings))
    order = sorted(found, key=lambda id: -found[id])[:most]
    return {id: found[id] for id in order}


def said_in(database: Database, ids: Collection[str]) -> Iterator[tuple[str, int, str, str]]:
    """Yield what was said in some sessions: id, number of the turn, words and answer, in order.

    They are compared by whoever asked: stored texts may be encrypted, so that SQL cannot.
    """
    turns, own = tables.turns, list(ids)
    query = select(turns.c.session_id, turns.c.number, turns.c.utterance, turns.c.reply)
    for at in range(0, len(own), _AT_ONCE):
        some = query.where(turns.c.session_id.in_(own[at : at + _AT_ONCE]))
        with database.read() as connection:
            rows = connection.execute(some.order_by(turns.c.session_id, turns.c.number)).all()
        for row in rows:
            yield row.session_id, row.number, row.utterance, row.reply


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


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that somebody told, and of what.

    Args:
        title: Of the item as it was shown; of none where it is about the whole answer.
        session, number: The turn that it is about; None where that was a feed.
        utterance: What had been said.
    """

    time: datetime
    kind: str
    value: float | str | None
    consent: bool
    item: str | None
    title: str
    slate: str
    session: str | None
    number: int | None
    utterance: str


def told(
    database: Database,
    kinds: Collection[str],
    *,
    since: datetime | None = None,
    slate: str | None = None,
    limit: int | None = None,
) -> Iterator[Event]:
    """Yield what people told, newest first.

    Args:
        kinds: What kinds of events.
        slate: Only of this one.
    """
    events, slates, turns = tables.feedback_events, tables.slates, tables.turns
    items = tables.slate_items
    own = (items.c.slate_id == events.c.slate_id) & (items.c.item_id == events.c.item_id)
    query = (
        select(events, slates.c.session_id, turns.c.number, turns.c.utterance, items.c.fields)
        .join(slates, slates.c.id == events.c.slate_id)
        .outerjoin(turns, turns.c.id == slates.c.turn_id)
        .outerjoin(items, own)
        .where(events.c.kind.in_(list(kinds)))
        .order_by(desc(events.c.time), events.c.id)
    )
    if since is not None:
        query = query.where(events.c.time >= since)
    if slate is not None:
        query = query.where(events.c.slate_id == slate)
    with database.read() as connection:
        for row in connection.execute(query.limit(limit) if limit else query):
            yield Event(
                row.time, row.kind, row.value, row.consent, row.item_id,
                str((row.fields or {}).get("title", "")), row.slate_id, row.session_id,
                row.number, row.utterance or "",
            )  # fmt: skip


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
