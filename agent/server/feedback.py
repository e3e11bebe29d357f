"""/v1/feedback: what people did with what they were shown."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from agent.errors import UserInputError
from agent.feedback import FeedbackEvent
from agent.server.access import needs
from agent.server.context import Here
from agent.server.idempotency import Sent

router = APIRouter(prefix="/v1/feedback", tags=["feedback"], dependencies=[needs("feedback")])


class FeedbackBatch(BaseModel):
    """Several events: all are stored, or none."""

    model_config = ConfigDict(extra="forbid")

    events: list[FeedbackEvent] = Field(min_length=1)


class FeedbackAnswer(BaseModel):
    """The ids of the stored events, in order."""

    ids: list[str]


def _form(body: object) -> str:
    return "batch" if isinstance(body, dict) and "events" in body else "event"


# Told apart by a function, so that an error is about the form that was sent.
Told = Annotated[
    Annotated[FeedbackEvent, Tag("event")] | Annotated[FeedbackBatch, Tag("batch")],
    Discriminator(_form),
    Body(),
]


@router.post("", status_code=201)
def add(body: Told, here: Here, once: Sent) -> FeedbackAnswer:
    """Store one event, or several; sending the same id again counts once."""
    store = here.parts.store
    events = body.events if isinstance(body, FeedbackBatch) else [body]
    if len(events) > here.limits.batch:
        raise UserInputError(f"{len(events)} events at once; at most {here.limits.batch} are taken")
    events = [event.masked(here.parts.masker.mask) for event in events]
    if once is not None:
        ids = store.add_feedback_once(events, once)
    elif isinstance(body, FeedbackBatch):
        ids = store.add_feedback_batch(events)
    else:
        ids = [store.add_feedback(events[0])]
    for event in events:
        here.metrics.feedback(event.kind)
    return FeedbackAnswer(ids=ids)
