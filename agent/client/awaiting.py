"""The client for programs that do several things at once: the same calls, to be awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx

from agent.client import calls, operator_calls
from agent.client.call import Call, Request, Streamed, as_method, error_of
from agent.client.values import File
from agent.client.wire import Events, Patience, failure_of, options_of, request_of

P = ParamSpec("P")
T = TypeVar("T")


def _one(
    call: Callable[P, Call[T]],
) -> Callable[Concatenate[AsyncAttuneClient, P], Coroutine[Any, Any, T]]:
    """Return the method that sends a call and returns its answer."""

    async def method(self: AsyncAttuneClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._do(call(*args, **kwargs))

    return as_method(method, call)


def _many(
    call: Callable[P, Streamed[T]],
) -> Callable[Concatenate[AsyncAttuneClient, P], AbstractAsyncContextManager[AsyncIterator[T]]]:
    """Return the method that sends a call and gives its events as they come."""

    def method(
        self: AsyncAttuneClient, /, *args: P.args, **kwargs: P.kwargs
    ) -> AbstractAsyncContextManager[AsyncIterator[T]]:
        return self._stream(call(*args, **kwargs))

    return as_method(method, call, "AbstractAsyncContextManager[AsyncIterator[{}]]")


class AsyncAttuneClient:
    """Asks Attune over HTTP from one event loop; close it, or use it with `async with`.

    What fails in passing (no connection, 429, 503) is tried again; turns and feedback carry an
    idempotency key, so that nothing is done twice. What each method takes and returns is told by
    the function of its name in `agent.client.calls` and `agent.client.operator_calls`.

    Args:
        url: Where the server is, e.g. "http://localhost:8000".
        key: The API key; none is needed for a server that takes none.
        timeout: Seconds to wait for an answer, or for the next piece of a stream.
        retries: How often a request is sent again.
        transport: What carries the requests, where httpx's own does not.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 2,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(transport=transport, **options_of(url, key, timeout))
        self._patience = Patience(retries)

    async def __aenter__(self) -> AsyncAttuneClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; safe to call twice."""
        await self._http.aclose()

    create_session = _one(calls.create_session)
    open_session = _one(calls.open_session)
    session = _one(calls.session)
    delete_session = _one(calls.delete_session)
    session_feedback = _one(calls.session_feedback)
    suggestions = _one(calls.suggestions)
    say = _one(calls.say)
    stream = _many(calls.stream)
    send_feedback = _one(calls.send_feedback)
    recommend = _one(calls.recommend)
    explain = _one(calls.explain)
    stream_explanations = _many(calls.stream_explanations)
    facets = _one(calls.facets)
    item = _one(calls.item)
    picture = _one(calls.picture)
    models = _one(calls.models)
    model = _one(calls.model)

    upsert_items = _one(operator_calls.upsert_items)
    delete_items = _one(operator_calls.delete_items)
    reindex = _one(operator_calls.reindex)
    delete_user = _one(operator_calls.delete_user)
    export_user = _one(operator_calls.export_user)
    knowledge = _one(operator_calls.knowledge)
    add_knowledge = _one(operator_calls.add_knowledge)
    delete_knowledge = _one(operator_calls.delete_knowledge)
    jobs = _one(operator_calls.jobs)
    job = _one(operator_calls.job)
    retry_job = _one(operator_calls.retry_job)
    handovers = _one(operator_calls.handovers)
    handover = _one(operator_calls.handover)
    close_handover = _one(operator_calls.close_handover)
    keys = _one(operator_calls.keys)
    add_key = _one(operator_calls.add_key)
    revoke_key = _one(operator_calls.revoke_key)
    adapters = _one(operator_calls.adapters)
    promote_adapter = _one(operator_calls.promote_adapter)
    canary_adapter = _one(operator_calls.canary_adapter)
    roll_back_adapter = _one(operator_calls.roll_back_adapter)
    ready = _one(operator_calls.ready)
    ask = _one(operator_calls.ask)

    @asynccontextmanager
    async def download(
        self, path: str, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[File[AsyncIterator[bytes]]]:
        """Get a file piece by piece, from any route that gives one: `async with … as file:`."""
        request = operator_calls.file(path, query)
        async with self._opened(request) as response:
            media_type = response.headers.get("content-type", "")
            yield File(media_type, self._pieces(response, request))

    async def _do(self, call: Call[T]) -> T:
        return call.read(await self._send(call.request))

    @asynccontextmanager
    async def _stream(self, call: Streamed[T]) -> AsyncIterator[AsyncIterator[T]]:
        async with self._opened(call.request) as response:
            yield self._events(response, call)

    @asynccontextmanager
    async def _opened(self, request: Request) -> AsyncIterator[httpx.Response]:
        """Send a request and give its answer, its body not read yet."""
        response = await self._send(request, stream=True)
        try:
            if not response.is_success:
                raise error_of(response)
            yield response
        finally:
            await response.aclose()

    async def _send(self, request: Request, *, stream: bool = False) -> httpx.Response:
        tried = 0
        while True:
            tried += 1
            try:
                response = await self._http.send(request_of(self._http, request), stream=stream)
                pause = self._patience.pause(request, tried, response)
                if pause is None:
                    if stream and not response.is_success:
                        await response.aread()
                    return response
                await response.aclose()
            except httpx.RequestError as error:
                pause = self._patience.pause(request, tried, error)
                if pause is None:
                    raise failure_of(error, request) from error
            await asyncio.sleep(pause)

    async def _events(self, response: httpx.Response, call: Streamed[T]) -> AsyncIterator[T]:
        events = Events(call)
        async for piece in self._pieces(response, call.request):
            for event in events.feed(piece):
                yield event
        events.end()

    async def _pieces(self, response: httpx.Response, request: Request) -> AsyncIterator[bytes]:
        try:
            async for piece in response.aiter_bytes():
                yield piece
        except httpx.RequestError as error:
            raise failure_of(error, request) from error
