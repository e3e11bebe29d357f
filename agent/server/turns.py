"""/v1/sessions/{id}/turns: one turn, as one JSON object or as a stream of its events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from agent.desk import Extras
from agent.languages.languages import LANGUAGE
from agent.payload import ShownItem, TurnAnswer, items_answer, turn_answer
from agent.plan import Plan
from agent.pressed import Press
from agent.server.access import needs
from agent.server.context import Context, Here
from agent.server.errors import ErrorAnswer, describe
from agent.server.examples import EVENTS, TURN, TURN_EVENTS
from agent.server.taking import Events, Taken
from agent.state import State
from agent.turn import Done, Items, StreamEvent, Text, Understood
from agent.utterance import clean_utterance

router = APIRouter(prefix="/v1/sessions", tags=["turns"], dependencies=[needs("chat")])

ContextName = Annotated[str, Field(max_length=100)]
ContextValue = Annotated[str, Field(max_length=1_000)]


class NewTurn(BaseModel):
    """What the user says; with `stream`, the answer is Server-Sent Events.

    `press` is what was pressed instead: it is done exactly, and `text` is its words for the
    transcript. `language` is what is answered in from here on, e.g. "zh"; without, that of the
    session. `context` is what tools may be called with, e.g. a customer's number; it is neither
    stored nor logged.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "a blue shirt under 60"}]}
    )

    text: str
    stream: bool = False
    press: Press | None = None
    language: str | None = Field(default=None, pattern=LANGUAGE)
    context: dict[ContextName, ContextValue] = Field(default={}, max_length=20)


class UnderstoodData(BaseModel):
    """Data of the event `understood`: what was recognised and what will be done."""

    plan: Plan
    state: State


class ItemsData(BaseModel):
    """Data of the event `items`: the slate, before any words."""

    slate_id: str
    items: list[ShownItem]


class TextData(BaseModel):
    """Data of the event `text`: the next piece of the reply."""

    delta: str


STREAM = {
    "description": "The whole turn; with `stream`, the events understood, items, text… and done "
    "(whose data is this same object), or error.",
    "content": {
        "application/json": {"example": TURN},
        "text/event-stream": {**EVENTS, "example": TURN_EVENTS},
    },
}


@router.post(
    "/{session_id}/turns",
    response_model=TurnAnswer,
    responses={200: STREAM, 409: {"model": ErrorAnswer, "description": "Another turn was first"}},
)
def take(session_id: str, body: NewTurn, here: Here, taking: Taken) -> Response:
    """Take a turn: understand, find items, reply."""
    text = clean_utterance(body.text, here.limits.characters)
    language = here.parts.languages.asked(body.language)
    extras = Extras(context=body.context, press=body.press, language=language)
    with taking.computing():
        taken = taking.before() is not None  # then it was counted when it was taken
        events = taking.events(here.parts, session_id, text, extras)
        if not body.stream:
            with closing(events):
                answer = turn_answer(_last(events, here, taken), here.retriever)
            # As text at once: FastAPI would have another thread check what is checked already.
            return Response(answer.model_dump_json(), media_type="application/json")
        # The first event is awaited here: an unknown session is a 404 and not a broken stream.
        first = next(events)
    return TurnStream(_stream(chain([first], events), here, taken), events)


class TurnStream(EventSourceResponse):
    """A stream that ends its turn when the client leaves, so that the session is free again."""

    def __init__(self, content: Iterator[bytes], events: Events) -> None:
        super().__init__(content, headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, then end the turn if it has not ended."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._events.close()


def _last(events: Events, here: Context, taken: bool) -> Done:
    for event in events:
        if isinstance(event, Done):
            if not taken:
                here.metrics.turn(event)
            return event
    raise AssertionError("respond() ended without Done")


def _stream(events: Iterator[StreamEvent], here: Context, taken: bool) -> Iterator[bytes]:
    try:
        for event in events:
            if isinstance(event, Done) and not taken:
                here.metrics.turn(event)
            yield _encode(event.kind, _data(event, here))
    except Exception as error:
        _, body = describe(error)
        yield _encode("error", ErrorAnswer(error=body))


def _data(event: StreamEvent, here: Context) -> BaseModel:
    match event:
        case Understood():
            return UnderstoodData(plan=event.plan, state=event.state)
        case Items():
            items = items_answer(event.slate, here.retriever)
            return ItemsData(slate_id=event.slate.id, items=items)
        case Text():
            return TextData(delta=event.delta)
        case Done():
            return turn_answer(event, here.retriever)


def _encode(name: str, data: BaseModel) -> bytes:
    plain = data.model_dump_json(exclude_none=isinstance(data, ErrorAnswer))
    return format_sse_event(event=name, data_str=plain)
