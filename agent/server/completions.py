"""/v1/chat/completions: a turn for OpenAI's clients, as one JSON object or as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse
from starlette.responses import Response

from agent import tokens
from agent.errors import Moved, UnknownSession
from agent.payload import items_answer, turn_answer
from agent.server.access import needs
from agent.server.completions_answer import (
    DONE,
    Attune,
    ChatCompletion,
    Chunks,
    ModelUsage,
    Usage,
    Worder,
    calls_of,
    completion,
    completion_id,
    encode,
    finish_of,
    in_markdown,
    listed,
)
from agent.server.completions_errors import OpenAIErrorAnswer, error_body, openai_shape
from agent.server.completions_request import Asked, ChatRequest, Refused, read, texts_of
from agent.server.completions_thread import Thread, follow, remember
from agent.server.context import Catalog, Context, Here
from agent.server.errors import describe
from agent.server.examples import EVENTS
from agent.server.models import answering_models, parts_of
from agent.server.taking import Events, Taken, Taking
from agent.server.turns import TurnStream
from agent.telemetry import Meter, current_meter, in_one_context, metered
from agent.turn import Done, Items, StreamEvent, Text
from agent.utterance import clean_utterance

router = APIRouter(prefix="/v1/chat", tags=["completions"], dependencies=[needs("chat")])

SESSION_HEADER = "X-Attune-Session"
TRIES = 3
"""How often a conversation is looked up anew because another request of it came in between."""

ERROR: dict[str, Any] = {"model": OpenAIErrorAnswer}


@dataclass(frozen=True, slots=True)
class _Request:
    """A request as it was read."""

    here: Context
    body: ChatRequest
    asked: Asked
    taking: Taking
    meter: Meter


@dataclass(frozen=True, slots=True)
class _Answering:
    """A request whose turn has begun."""

    request: _Request
    thread: Thread
    events: Events

    @property
    def retriever(self) -> Catalog:
        return self.request.here.retriever

    def content(self, done: Done, words: str) -> str:
        """Return the whole text of the message."""
        return words + self.list_of(done)

    def list_of(self, done: Done) -> str:
        """Return the items as they follow the words."""
        if not self.request.asked.items_in_words or not done.slate.items:
            return ""
        return "\n\n" + listed(items_answer(done.slate, self.retriever))

    def attune(self, done: Done) -> Attune:
        """Return what is under `attune`."""
        meter = self.request.meter
        used = ModelUsage(
            calls=len(meter.uses), prompt_tokens=meter.input_tokens,
            completion_tokens=meter.output_tokens,
        )  # fmt: skip
        turn = turn_answer(done, self.retriever)
        return Attune(**dict(turn), history=self.thread.history, model_usage=used,
                      ignored=self.request.body.ignored)  # fmt: skip

    def usage(self, content: str) -> Usage:
        """Return the tokens of messages and answer."""
        prompt, answer = tokens.count(texts_of(self.request.body)), tokens.count([content])
        return Usage(prompt_tokens=prompt, completion_tokens=answer, total_tokens=prompt + answer)

    def ended(self, done: Done, content: str) -> None:
        """Count the turn, and have the next request find it."""
        if self.thread.again is None:
            self.request.here.metrics.turn(done)
        remember(self.request.here, self.thread, done, content)


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
    try:
        asked = _read(body, here, session)
    except Refused as error:
        return JSONResponse(error_body(str(error), error.param, error.code), error.status)
    with taking.computing():
        with _metered() as meter:
            first, answering = _begin(_Request(here, body, asked, taking, meter))
        events = chain([first], answering.events)
        if body.stream:
            return TurnStream(_streamed(answering, events), answering.events)
        with closing(answering.events):
            done = next(event for event in events if isinstance(event, Done))
    content = answering.content(done, in_markdown(done.reply))
    answering.ended(done, content)
    return completion(
        completion_id(), body.model, done, content, answering.usage(content),
        answering.attune(done),
    )  # fmt: skip


def _read(body: ChatRequest, here: Context, session: str | None) -> Asked:
    asked = read(body, session)
    if body.model not in {one.id for one in answering_models(here)}:
        raise Refused(f"no model {body.model[:100]!r}; GET /v1/models lists those there are",
                      "model", "model_not_found", 404)  # fmt: skip
    clean_utterance(asked.text, here.limits.characters)
    return asked


@contextmanager
def _metered() -> Iterator[Meter]:
    """Give the meter of the request, or one of its own."""
    meter = current_meter()
    if meter is not None:
        yield meter
        return
    with metered() as own:
        yield own


def _begin(request: _Request) -> tuple[StreamEvent, _Answering]:
    """Find the session and begin the turn, so that what is wrong is told before a stream begins."""
    for _ in range(TRIES - 1):
        try:
            return _began(request)
        except Moved:
            continue
        except UnknownSession:
            if request.asked.session_id is not None:
                raise
    return _began(request)


def _began(request: _Request) -> tuple[StreamEvent, _Answering]:
    request.taking.afford()  # before a session is begun or replayed for nothing
    thread = follow(request.here, request.taking, request.asked)
    # In one context, for the sake of the meter: the steps of a stream are asked for in others.
    events = in_one_context(_events(request, thread))
    return next(events), _Answering(request, thread, events)


def _events(request: _Request, thread: Thread) -> Events:
    if thread.again is not None:
        yield from _again(thread.again)
        return
    parts, text = parts_of(request.here, request.body.model), request.asked.text
    yield from request.taking.events(parts, thread.session_id, text, thread.extras)


def _again(done: Done) -> Iterator[StreamEvent]:
    if done.slate.items:
        yield Items(slate=done.slate)
    yield Text(delta=done.reply)
    yield done


def _streamed(answering: _Answering, events: Iterator[StreamEvent]) -> Iterator[bytes]:
    body = answering.request.body
    with_usage = body.stream_options is not None and body.stream_options.include_usage
    chunks = Chunks(completion_id(), body.model, with_usage=with_usage)
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
        status, described = describe(error)
        yield encode(openai_shape(status, described))


def _ended(answering: _Answering, chunks: Chunks, worder: Worder, done: Done) -> Iterator[bytes]:
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
