"""Sessions from elsewhere into the tables of the store: checked like those that happened here."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from agent import tables
from agent.errors import Conflict, UserInputError
from agent.feedback import CLOCK_SKEW, FeedbackEvent, Showing, check_event, valid_id
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn
from agent.state import State
from agent.store_log import logged_session
from agent.store_turns import insert_slate, insert_turn, plain
from agent.store_users import deletion

MAX_USER = 200
MAX_POLICY = 64

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL character in JSON; not a backslash that somebody typed before u0000."""


def check_session(session: LoggedSession, now: datetime) -> None:
    """Check that a session can have happened as it is told.

    Raises:
        UserInputError: If not; says what was given and what was expected.
    """
    for problem in _problems(session, now):
        raise UserInputError(f"session {session.id[:64]!r}: {problem}")
    showings = {one.slate_id: one for one in _showings(session)}
    for place, event in enumerate(session.events):
        if event.slate_id not in showings:
            raise UserInputError(
                f"session {session.id!r}: events.{place} is about slate {event.slate_id!r}, which "
                "the session does not have"
            )
        try:
            check_event(event, showings[event.slate_id], now)
        except UserInputError as error:
            raise UserInputError(f"session {session.id!r}: events.{place}: {error}") from error


def _problems(session: LoggedSession, now: datetime) -> Iterator[str]:
    """Yield what is wrong with a session, its feedback aside."""
    turns, slates = session.turns, session.slates
    ids = {"turns": [one.id for one in turns], "slates": [one.id for one in slates],
           "events": [one.id for one in session.events]}  # fmt: skip
    for id in (session.id, *ids["turns"], *ids["slates"]):
        if not valid_id(id):
            yield f"{id[:80]!r} is no id of 1 to 64 letters, digits or _.:-"
    for what, own in ids.items():
        yield from (f"two {what} have the id {id!r}" for id in _twice(own))
    if session.user is not None and not 0 < len(session.user) <= MAX_USER:
        yield f"a user's name has 1 to {MAX_USER} characters, not {len(session.user)}"
    numbers = [turn.number for turn in turns]
    if numbers != list(range(1, len(turns) + 1)):
        yield f"its turns are numbered {numbers[:10]}, expected 1, 2, … without a gap"
    for turn in turns:
        if turn.state.turn != turn.number:
            yield f"turn {turn.number} has the state after turn {turn.state.turn}"
    times = [session.created, *(turn.time for turn in turns), *(one.time for one in slates)]
    if any(time.tzinfo is None for time in times if time):
        yield "a time has no zone"
    elif max(time for time in times if time) > now + CLOCK_SKEW:
        yield "it is from the future"
    for slate in slates:
        yield from (f"slate {slate.id!r}: {one}" for one in _slate_problems(slate, session))
    yield from _unstorable(session)


def _slate_problems(slate: LoggedSlate, session: LoggedSession) -> Iterator[str]:
    if slate.turn_id is not None and slate.turn_id not in {turn.id for turn in session.turns}:
        yield f"it belongs to turn {slate.turn_id!r}, which the session does not have"
    if not slate.items or slate.time is None:
        yield "it has no item, or no time"
    if len(slate.policy) > MAX_POLICY:
        yield f"a policy's name has at most {MAX_POLICY} characters, not {len(slate.policy)}"
    ranks = [item.rank for item in slate.items]
    if ranks != sorted(set(ranks)) or (ranks and ranks[0] < 1):
        yield f"its ranks are {ranks}, expected growing numbers from 1"
    yield from (f"item {id[:80]!r} is shown twice"
                for id in _twice(one.item_id for one in slate.items))  # fmt: skip
    for item in slate.items:
        if not 0 < item.propensity <= 1 or not math.isfinite(item.score):
            yield (f"item {item.item_id[:80]!r} has propensity {item.propensity} and score "
                   f"{item.score}; expected more than 0, at most 1, and a number")  # fmt: skip


def _twice(ids: Iterable[str]) -> list[str]:
    return [id for id, times in Counter(ids).items() if times > 1]


def _unstorable(session: LoggedSession) -> Iterator[str]:
    try:
        text = json.dumps(session.model_dump(), default=str, allow_nan=False)
    except ValueError:
        yield "a field of an item is NaN or infinite, which JSON does not have"
    else:
        if _NUL.search(text):
            yield "it holds a NUL character, which a database may not keep"


def _showings(session: LoggedSession) -> Iterator[Showing]:
    times = {turn.slate_id: turn.time for turn in session.turns if turn.slate_id}
    yield from (Showing(id, (), time) for id, time in times.items())
    for slate in session.slates:
        items = tuple(item.item_id for item in slate.items)
        yield Showing(slate.id, items, slate.time or times.get(slate.id))


def put_session(
    connection: Connection, session: LoggedSession, keys: Sequence[str], now: datetime
) -> bool:
    """Add a session, or what is new of one that is there; return whether anything was.

    Args:
        session: With its user as stored.
        keys: By any of which a deletion of that user is found.

    Raises:
        UserInputError: If it cannot have happened so, or its user's data was deleted since.
        Conflict: If what is stored under one of its ids is something else.
    """
    check_session(session, now)
    _check_not_deleted(connection, session, keys)
    stored = logged_session(connection, session.id)
    if stored is None:
        row = {"id": session.id, "user": session.user, "created": session.created, "version": 0,
               "turns": 0, "state": plain(State())}  # fmt: skip
        connection.execute(insert(tables.sessions).values(row))
    elif (stored.user, stored.created) != (session.user, session.created):
        raise Conflict(f"session {session.id!r} is stored already, of another user or time")
    turns = _new("turn", stored.turns if stored else (), session.turns)
    slates = _new("slate", stored.slates if stored else (), session.slates)
    events = _new("event", stored.events if stored else (), session.events)
    _add_turns(connection, session, turns)
    for slate in slates:
        insert_slate(connection, session.id, slate)
    if events:
        connection.execute(insert(tables.feedback_events), [dict(event) for event in events])
    return stored is None or bool(turns or slates or events)


def _check_not_deleted(connection: Connection, session: LoggedSession, keys: Sequence[str]) -> None:
    for found in (deletion(connection, key) for key in keys):
        if found is not None and session.created <= found.time:
            raise UserInputError(
                f"session {session.id!r}: its user's data was deleted on "
                f"{found.time:%Y-%m-%d}; it is not taken again"
            )


def _new(what: str, stored: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Return what is not stored; Conflict where something else has the same id."""
    known = {one.id: one for one in stored}
    for one in given:
        if one.id in known and not _same(known[one.id], one):
            raise Conflict(f"{what} {one.id!r} is stored already with other content")
    return [one for one in given if one.id not in known]


def _same(stored: Any, given: Any) -> bool:
    return stored.same_as(given) if isinstance(stored, FeedbackEvent) else bool(stored == given)


def _add_turns(connection: Connection, session: LoggedSession, turns: Sequence[LoggedTurn]) -> None:
    with_items = {slate.id for slate in session.slates}
    for turn in turns:
        insert_turn(connection, session.id, turn, {}, plain(turn.state))
        if turn.slate_id is not None and turn.slate_id not in with_items:
            own = {"id": turn.slate_id, "session_id": session.id, "turn_id": turn.id}
            connection.execute(insert(tables.slates).values(own))
    if turns:
        last, row = session.turns[-1], tables.sessions.c
        query = update(tables.sessions).where(row.id == session.id)
        values = {"state": plain(last.state), "turns": last.number, "version": row.version + 1}
        connection.execute(query.values(values))
