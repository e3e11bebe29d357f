"""/v1/responses: a turn for OpenAI's newer clients, as one JSON object or as a stream of events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Header
from starlette.responses import Response

from agent.payload import items_answer
from agent.server.access import needs
from agent.server.answering import Answering, begin, check
from agent.server.asked import Asked, Said
from agent.server.completions import SESSION_HEADER
from agent.server.completions_answer import Worder, calls_of, in_markdown
from agent.server.completions_errors import OpenAIErrorAnswer, openai_shape
from agent.server.completions_thread import answered_before
from agent.server.context import Context, Here
from agent.server.errors import describe
from agent.server.examples import EVENTS
from agent.server.responses_answer import Events, ModelResponse, begun, ended, response_id
from agent.server.responses_request import ResponseRequest, read
from agent.server.taking import Taken
from agent.server.turns import TurnStream
from agent.turn import Done, Items, StreamEvent, Text

router = APIRouter(prefix="/v1/responses", tags=["responses"], dependencies=[needs("chat")])

ERROR: dict[str, Any] = {"model": OpenAIErrorAnswer}


@router.post(
    "",
    response_model=ModelResponse,
    responses={200: {"content": {"text/event-stream": EVENTS}},
               "4XX": ERROR, "5XX": ERROR},
)  # fmt: skip
def respond(
    body: ResponseRequest,
    here: Here,
    taking: Taken,
    session: Annotated[str | None, Header(alias=SESSION_HEADER, max_length=64)] = None,
) -> Response | ModelResponse:
    """Take a turn as OpenAI's Responses API has it: what was said in, what is answered out."""
    asked = _read(body, here, session)
    check(asked, here)
    response = begun(response_id(), body)
    with taking.computing():
        answering, first = begin(here, taking, asked)
        events = chain([first], answering.events)
        if body.stream:
            return TurnStream(_streamed(answering, events, response), answering.events)
        with closing(answering.events):
            done = next(event for event in events if isinstance(event, Done))
    return _whole(answering, done, response, answering.content(done, in_markdown(done.reply)))


def _read(body: ResponseRequest, here: Context, session: str | None) -> Asked:
    if body.previous_response_id is None:
        return read(body, session)
    place, done = answered_before(here, body.previous_response_id)
    calls = tuple((call.id, call.function.name, "") for call in calls_of(done))
    said = Said("user", done.utterance), Said("assistant", "", calls)
    return read(body, session, (place, said))


def _whole(
    answering: Answering, done: Done, response: ModelResponse, content: str
) -> ModelResponse:
    answering.ended(done, content, response.id)
    return ended(
        response, content, calls_of(done), answering.usage(content), answering.attune(done)
    )


def _streamed(
    answering: Answering, events: Iterator[StreamEvent], response: ModelResponse
) -> Iterator[bytes]:
    worder, told = Worder(), Events(response)
    try:
        yield from told.begin()
        for event in events:
            match event:
                case Items():
                    items = items_answer(event.slate, answering.retriever)
                    yield from told.items(event.slate.id, items)
                case Text() if new := worder.more(event.delta):
                    yield from told.words(new)
                case Done():
                    yield from _ended(answering, told, worder, event, response)
    except Exception as error:
        yield told.fail(openai_shape(*describe(error))[1])


def _ended(
    answering: Answering, told: Events, worder: Worder, done: Done, response: ModelResponse
) -> Iterator[bytes]:
    rest = worder.rest() + answering.list_of(done)
    whole = _whole(answering, done, response, answering.content(done, worder.said))
    if rest:
        yield from told.words(rest)
    yield from told.end(whole)
