"""What every request for a turn goes by, whichever route it comes in by.

What asks language models beside turns is paid for by `paid` among the dependencies of its route.
It has a place among the turns of the process, is paid for by the key that sent it, ends by its
deadline, and is taken once per idempotency key:

    def complete(body: Body, here: Here, taking: Taken) -> …:
        with taking.computing():
            events = taking.events(here.parts, session_id, text)
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from agent import pace
from agent.access.errors import BudgetSpent, Busy
from agent.desk import Extras, Once
from agent.dialogue import Parts, respond
from agent.server.access import Who
from agent.server.context import Context, Here
from agent.server.idempotency import Sent
from agent.server.limits import Course
from agent.server.places import Places
from agent.store_beside import insert_usage
from agent.telemetry import current_meter
from agent.turn import Done, StreamEvent
from agent.usage import Spent

Events = Generator[StreamEvent, None, None]


@dataclass(frozen=True, slots=True)
class Taking:
    """How one request takes its turn.

    Args:
        payer: Id of the key that the turn is counted for.
        once: The idempotency key that was sent, if one was.
        ticket: Its place in the line of those that compute.
    """

    here: Context
    payer: str
    once: Once | None
    course: Course
    ticket: pace.Ticket = field(default_factory=pace.Ticket)

    def computing(self) -> AbstractContextManager[None]:
        """Have a place among those that compute: for what a handler does beside the events, too."""
        return pace.computing(self.ticket)

    def events(
        self,
        parts: Parts,
        session_id: str,
        text: str,
        extras: Extras = Extras(),  # noqa: B008 (frozen)
    ) -> Events:
        """Return the events of a turn (`agent.dialogue.respond`), as long as there is time.

        Raises:
            BudgetSpent: If the day's tokens are used up, and this is no retry.
            TimedOut: If the time is over; nothing is stored then.
        """
        return pace.paced(self._events(parts, session_id, text, extras), self.ticket)

    def _events(self, parts: Parts, session_id: str, text: str, extras: Extras) -> Events:
        self.afford()
        extras = replace(extras, once=self.once, payer=self.payer)
        events = respond(parts, session_id, text, extras)
        try:
            for event in events:
                yield event
                if isinstance(event, Done):
                    return
                self.course.check()
        finally:
            events.close()

    def before(self) -> Done | None:
        """Return the turn that this very request took before; None where it did not.

        Raises:
            IdempotencyConflict: If another request was sent under its idempotency key.
        """
        return None if self.once is None else self.here.parts.store.taken(self.once)

    def afford(self) -> None:
        """Pass where the day has tokens left, or this is a retry; raises like `events`."""
        try:
            self.here.limits.tokens.check(self.here.parts.store.database, self.payer)
        except BudgetSpent:
            if self.before() is None:
                raise


async def _taking(request: Request, here: Here, who: Who, once: Sent) -> Taking:
    """Stand in line for a place, and have it until the answer is sent."""
    places, course = request.app.state.places, request.state.course
    assert isinstance(places, Places)
    assert isinstance(course, Course)
    with here.metrics.instruments.turns_waiting.track_inprogress():
        waited_s = await places.take()
    course.leaving.append(places.leave)
    if waited_s and await request.is_disconnected():
        raise Busy("whoever sent this has left")
    return Taking(here, who.id, once, course, pace.Ticket(waited_s))


Taken = Annotated[Taking, Depends(_taking)]
"""For handlers that take a turn."""


def _paid(here: Here, who: Who) -> Iterator[None]:
    """Let who has tokens left ask language models, and count what they were asked for."""
    database, meter = here.parts.store.database, current_meter()
    here.limits.tokens.check(database, who.id)
    try:
        yield
    finally:
        used = meter.input_tokens + meter.output_tokens if meter is not None else 0
        if used:
            with database.write() as connection:
                insert_usage(connection, Spent(who.id, used), datetime.now(UTC), turns=0)


paid = Depends(_paid)
"""For routes whose handlers ask language models and take no turn."""
