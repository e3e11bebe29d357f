"""Turns and slates in the tables of the store: written as they are logged, read as they were said.

Both what happens now and what is imported is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from agent import tables
from agent.logged import LoggedSlate, LoggedTurn, Shown
from agent.turn import Done, Slate


def plain(value: Any) -> Any:
    """Return a value, or a tuple of values, as JSON holds it."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return value.model_dump(mode="json")


def logged_turn(done: Done, time: datetime) -> LoggedTurn:
    """Return a finished turn as it is logged."""
    same = ("utterance", "reply", "plan", "state", "claims", "relaxations", "notes", "written",
            "voice", "service")  # fmt: skip
    values = {name: getattr(done, name) for name in same}
    return LoggedTurn(
        id=done.turn_id, number=done.state.turn, time=time, slate_id=done.slate.id, **values
    )


def logged_slate(
    slate: Slate,
    turn_id: str | None,
    time: datetime,
    policy: str,
    propensities: Mapping[str, float] | None,
) -> LoggedSlate:
    """Return a slate as it is logged; what has no propensity was sure to be shown."""
    chances = propensities or {}
    items = tuple(
        Shown(**dict(item), propensity=chances.get(item.item_id, 1.0)) for item in slate.items
    )
    return LoggedSlate(id=slate.id, turn_id=turn_id, policy=policy, time=time, items=items)


# Made once: SQLAlchemy takes longer to put a statement together than SQLite to run it.
_TURN = insert(tables.turns)
_SLATE = insert(tables.slates)
_ITEMS = insert(tables.slate_items)
_IMPRESSIONS = insert(tables.impressions)


def insert_turn(
    connection: Connection,
    session_id: str,
    turn: LoggedTurn,
    timings: Mapping[str, float],
    state: Any,
) -> None:
    """Write a turn without its slate.

    Args:
        state: That of the turn, as JSON holds it.
    """
    values = {name: getattr(turn, name) for name in
              ("id", "number", "time", "utterance", "reply", "slate_id", "voice")}  # fmt: skip
    values |= {name: plain(getattr(turn, name)) for name in
               ("plan", "claims", "relaxations", "written")}  # fmt: skip
    values |= {
        "session_id": session_id,
        "state": state,
        "service": None if turn.service is None else plain(turn.service),
        "notes": list(turn.notes),
        "timings": dict(timings),
        "planner": turn.plan.planner,
        "model": turn.plan.model,
        "prompt": turn.plan.prompt,
    }
    connection.execute(_TURN, values)


def insert_slate(connection: Connection, session_id: str | None, slate: LoggedSlate) -> None:
    """Write a slate with its items, and the chances they were shown with."""
    own = {"id": slate.id, "session_id": session_id, "turn_id": slate.turn_id}
    connection.execute(_SLATE, own)
    if not slate.items:
        return
    items = [
        {"slate_id": slate.id, **item.model_dump(mode="json", exclude={"propensity"})}
        for item in slate.items
    ]
    connection.execute(_ITEMS, items)
    impressions = [
        {
            "slate_id": slate.id,
            "rank": item.rank,
            "item_id": item.item_id,
            "propensity": item.propensity,
            "policy": slate.policy,
            "time": slate.time,
        }
        for item in slate.items
    ]
    connection.execute(_IMPRESSIONS, impressions)


def turns_of(connection: Connection, session_id: str) -> list[Done]:
    """Return the turns of a session as they were yielded, oldest first.

    Raises:
        ValidationError: If a value was stored by a version that this one cannot read.
    """
    turns = tables.turns
    query = select(turns).where(turns.c.session_id == session_id).order_by(turns.c.number)
    items = _items(connection, session_id)
    return [_done(row, items.get(row.slate_id, [])) for row in connection.execute(query)]


def _items(connection: Connection, session_id: str) -> dict[str, list[Row[Any]]]:
    items, slates = tables.slate_items, tables.slates
    query = (
        select(items)
        .join(slates, slates.c.id == items.c.slate_id)
        .where(slates.c.session_id == session_id)
        .order_by(items.c.rank)
    )
    by_slate: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query):
        by_slate.setdefault(row.slate_id, []).append(row)
    return by_slate


def _done(row: Row[Any], items: list[Row[Any]]) -> Done:
    same = ("session_id", "utterance", "reply", "plan", "state", "claims", "relaxations", "notes",
            "timings", "planner", "voice", "service")  # fmt: skip
    values = {name: row._mapping[name] for name in same} | {"written": row.written or ()}
    shown = [{k: v for k, v in item._mapping.items() if k != "slate_id"} for item in items]
    slate = {"id": row.slate_id, "items": shown}
    return Done.model_validate({**values, "turn_id": row.id, "slate": slate})
