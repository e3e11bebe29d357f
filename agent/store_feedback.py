"""Feedback in the tables of the store: checked against what was shown, added, read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select

from agent import tables
from agent.desk import Once
from agent.errors import AgentError, Conflict, UnknownSlate
from agent.feedback import FeedbackEvent, Showing, check_event
from agent.store_beside import answer_given, insert_answer
from agent.tables import feedback_events


class Adding:
    """Adds events in one transaction, each checked against its slate; slates are read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._now = datetime.now(UTC)
        self._shown: dict[str, Showing] = {}

    def add(self, event: FeedbackEvent) -> bool:
        """Add an event; return whether it is new.

        Raises:
            UnknownSlate: If no such slate was ever shown.
            UserInputError: If the item was not on it, or the time can't be right.
            Conflict: If the id was used for another event.
        """
        if not self._is_new(event):
            return False
        showing = self._showing(event.slate_id)
        event = _not_before(event, showing)
        check_event(event, showing, max(self._now, showing.time or self._now))
        self._connection.execute(insert(feedback_events).values(dict(event)))
        return True

    def add_each(self, events: Sequence[FeedbackEvent]) -> list[bool | AgentError]:
        """Add those that can be; return for each whether it is new, or why it was refused."""
        outcomes: list[bool | AgentError] = []
        for event in events:
            try:
                outcomes.append(self.add(event))
            except AgentError as error:
                outcomes.append(error)
        return outcomes

    def add_all(self, events: Sequence[FeedbackEvent]) -> list[bool]:
        """Add all; the first that can't be is named by its place, and the caller rolls back."""
        outcomes = []
        for place, event in enumerate(events):
            try:
                outcomes.append(self.add(event))
            except AgentError as error:
                raise type(error)(f"events.{place}: {error}") from error
        return outcomes

    def add_once(self, events: Sequence[FeedbackEvent], once: Once) -> list[str]:
        """Add all, unless the same request did before; return the ids that it was answered."""
        earlier = answer_given(self._connection, once)
        if earlier is None:
            if len(events) == 1:
                self.add(events[0])
            else:
                self.add_all(events)
            earlier = {"ids": [event.id for event in events]}
            insert_answer(self._connection, once, earlier, self._now)
        ids: list[str] = earlier["ids"]
        return ids

    def _is_new(self, event: FeedbackEvent) -> bool:
        query = select(feedback_events).where(feedback_events.c.id == event.id)
        row = self._connection.execute(query).first()
        if row is not None and not event.same_as(FeedbackEvent(**row._mapping)):
            raise Conflict(f"feedback id {event.id!r} was used for another event; take a new id")
        return row is None

    def _showing(self, slate_id: str) -> Showing:
        if slate_id not in self._shown:
            self._shown[slate_id] = _showing(self._connection, slate_id)
        return self._shown[slate_id]


def _not_before(event: FeedbackEvent, showing: Showing) -> FeedbackEvent:
    """Return an event with the time of its slate, where our clock went back since that was shown.

    Who tells a time of their own is held to it.
    """
    if "time" in event.model_fields_set or showing.time is None or event.time >= showing.time:
        return event
    return event.model_copy(update={"time": showing.time})


def _showing(connection: Connection, slate_id: str) -> Showing:
    slates, turns, seen = tables.slates, tables.turns, tables.impressions
    query = select(slates.c.id, turns.c.time).outerjoin(turns, turns.c.id == slates.c.turn_id)
    row = connection.execute(query.where(slates.c.id == slate_id)).first()
    if row is None:
        raise UnknownSlate(f"no slate {slate_id!r}; it comes with the turn as slate_id")
    shown = select(seen.c.item_id).where(seen.c.slate_id == slate_id).order_by(seen.c.rank)
    items = tuple(connection.scalars(shown))
    time = connection.scalar(select(func.min(seen.c.time)).where(seen.c.slate_id == slate_id))
    return Showing(slate_id, items, time or row.time)


def events_of(connection: Connection, session_id: str) -> Iterator[FeedbackEvent]:
    """Yield the feedback on everything a session was shown, oldest first."""
    slates = tables.slates
    query = (
        select(feedback_events)
        .join(slates, slates.c.id == feedback_events.c.slate_id)
        .where(slates.c.session_id == session_id)
        .order_by(feedback_events.c.time, feedback_events.c.id)
    )
    for row in connection.execute(query):
        yield FeedbackEvent(**row._mapping)
