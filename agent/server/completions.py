"""/v1/chat/completions: a turn for OpenAI's clients, as one JSON object or as a stream."""

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
from agent.server.completions_answer import (
    DONE,
    ChatCompletion,
    Chunks,
    Worder,
    calls_of,
    completion,
    completion_id,
    encode,
    finish_of,
    in_markdown,
)
from agent.server.completions_errors import OpenAIErrorAnswer, openai_shape
from agent.server.completions_request import ChatRequest, read
from agent.server.context import Here
from agent.server.errors import describe
from agent.server.examples import EVENTS
from agent.server.taking import Taken
from agent.server.turns import TurnStream
from agent.turn import Done, Items, StreamEvent, Text

router = APIRouter(prefix="/v1/chat", tags=["completions"], dependencies=[needs("chat")])

SESSION_HEADER = "X-Attune-Session"

ERROR: dict[str, Any] = {"model": OpenAIErrorAnswer}


@router.post(
    "/completions",
    response_model=ChatCompletion,
    responses={200: {"content": {"text/event-stream": EVENTS}},
               "4XX": ERROR, "5XX": ERROR},
)  # fmt: skip
def complete(
    body: ChatRequest,
    here: Here,
    taking: Taken,
    session: Annotated[str | None, Header(alias=SESSION_HEADER, max_length=64)] = None,
) -> Response | ChatCompletion:
    """Take a turn as OpenAI's API has it: the conversation in, the next message out."""
    asked = read(body, session)
    check(asked, here)
    with taking.computing():
        answering, first = begin(here, taking, asked)
        events = chain([first], answering.events)
        if body.stream:
            options = body.stream_options
            chunks = Chunks(
                completion_id(), body.model,
                with_usage=options is not None and options.include_usage,
            )  # fmt: skip
            return TurnStream(_streamed(answering, events, chunks), answering.events)
        with closing(answering.events):
            done = next(event for event in events if isinstance(event, Done))
    content = answering.content(done, in_markdown(done.reply))
    answering.ended(done, content)
    return completion(
        completion_id(), body.model, done, content, answering.usage(content),
        answering.attune(done),
    )  # fmt: skip


def _streamed(
    answering: Answering, events: Iterator[StreamEvent], chunks: Chunks
) -> Iterator[bytes]:
    worder = Worder()
    try:
        yield chunks.first()
        for event in events:
            match event:
                case Items():
                    items = items_answer(event.slate, answering.retriever)
                    yield chunks.items(event.slate.id, items)
                case Text() if new := worder.more(event.delta):
                    yield chunks.words(new)
                case Done():
                    yield from _ended(answering, chunks, worder, event)
    except Exception as error:
        yield encode(openai_shape(*describe(error))[1])


def _ended(answering: Answering, chunks: Chunks, worder: Worder, done: Done) -> Iterator[bytes]:
    rest = worder.rest() + answering.list_of(done)
    content = answering.content(done, worder.said)
    answering.ended(done, content)
    if rest:
        yield chunks.words(rest)
    calls = calls_of(done)
    if calls:
        yield chunks.calls(calls)
    yield chunks.last(finish_of(done), answering.attune(done))
    if chunks.with_usage:
        yield chunks.usage(answering.usage(content))
    yield DONE
