"""The client that waits for its answers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

import httpx

from agent.client import calls
from agent.client.calls import Call
from agent.client.errors import NotReached
from agent.client.values import (
    Deleted,
    Event,
    Explanation,
    Feed,
    Feedback,
    ItemDetail,
    Json,
    Model,
    Session,
    Stored,
    Turn,
)
from agent.client.wire import (
    Events,
    Patience,
    answer_of,
    error_of,
    headers_of,
    not_reached,
    request_of,
)

T = TypeVar("T")


class AttuneClient:
    """Asks Attune over HTTP. Safe to share between threads; close it, or use it with `with`.

    What fails in passing (no connection, 429, 503) is tried again; turns and feedback carry an
    idempotency key, so that nothing is done twice.

    Args:
        url: Where the server is, e.g. "http://localhost:8000".
        key: The API key; none is needed for a server that takes none.
        timeout: Seconds to wait for an answer, or for the next piece of a stream.
        retries: How often a request is sent again.
    """

    def __init__(
        self, url: str, key: str | None = None, *, timeout: float = 60.0, retries: int = 2
    ) -> None:
        self._http = httpx.Client(base_url=url, headers=headers_of(key), timeout=timeout)
        self._patience = Patience(retries)

    def __enter__(self) -> AttuneClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; safe to call twice."""
        self._http.close()

    def create_session(self, user: str | None = None) -> str:
        """Start a session and return its id; `user` is a name of your own."""
        return self._do(calls.create_session(user))

    def session(self, id: str) -> Session:
        """Return a session as it stands, with all its turns."""
        return self._do(calls.session(id))

    def delete_session(self, id: str) -> None:
        """Delete a session with everything that hangs on it."""
        self._do(calls.delete_session(id))

    def say(
        self,
        session_id: str,
        text: str,
        *,
        context: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Turn:
        """Take a turn.

        Args:
            context: What tools may be called with, such as a customer's number; not stored.
            idempotency_key: To take it once, also over several calls; else each call has its own.
        """
        return self._do(calls.turn(session_id, text, context, idempotency_key, stream=False))

    @contextmanager
    def stream(
        self,
        session_id: str,
        text: str,
        *,
        context: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Iterator[Iterator[Event]]:
        """Take a turn, and give its events as they come: `with client.stream(…) as events:`.

        Whoever leaves before the last event leaves a turn that is not kept.
        """
        call = calls.turn(session_id, text, context, idempotency_key, stream=True)
        response = self._send(call, stream=True)
        try:
            if not response.is_success:
                response.read()
                raise error_of(response)
            yield self._events(response, call)
        finally:
            response.close()

    def send_feedback(self, *events: Feedback) -> list[str]:
        """Tell what people did with what they were shown: all is stored, or none; return ids."""
        return self._do(calls.feedback(events))

    def recommend(
        self,
        *,
        filter: Json | None = None,
        text: str | None = None,
        session_id: str | None = None,
        k: int | None = None,
    ) -> Feed:
        """Return items for a filter, a text, a session's wishes, or nobody in particular."""
        return self._do(calls.recommend(filter, text, session_id, k))

    def explain(
        self,
        item_ids: Sequence[str],
        *,
        text: str | None = None,
        wishes: Sequence[Json] | str | None = None,
        session_id: str | None = None,
        language: str | None = None,
    ) -> tuple[Explanation, ...]:
        """Return why items fit what somebody wants."""
        return self._do(calls.explain(item_ids, text, wishes, session_id, language))

    def item(self, id: str) -> ItemDetail:
        """Return an item as the catalog has it now."""
        return self._do(calls.item(id))

    def upsert_items(self, rows: Sequence[Json]) -> Stored:
        """Add or replace items; bad rows are told, the others are stored."""
        return self._do(calls.upsert_items(rows))

    def delete_items(self, ids: Sequence[str]) -> int:
        """Delete items; return how many were there."""
        return self._do(calls.delete_items(ids))

    def delete_user(self, user: str) -> Deleted:
        """Delete everything that is stored of a user."""
        return self._do(calls.delete_user(user))

    def export_user(self, user: str) -> dict[str, Any]:
        """Return everything that is stored of a user."""
        return self._do(calls.export_user(user))

    def models(self) -> tuple[Model, ...]:
        """Return what can answer."""
        return self._do(calls.models())

    def _do(self, call: Call[T]) -> T:
        return call.read(answer_of(self._send(call)))

    def _send(self, call: Call[Any], *, stream: bool = False) -> httpx.Response:
        tried = 0
        while True:
            tried += 1
            try:
                response = self._http.send(request_of(self._http, call), stream=stream)
            except httpx.TransportError as error:
                pause = self._patience.pause(tried, error)
                if pause is None:
                    raise not_reached(error, call) from error
            else:
                pause = self._patience.pause(tried, response)
                if pause is None:
                    return response
                response.close()
            time.sleep(pause)

    def _events(self, response: httpx.Response, call: Call[Any]) -> Iterator[Event]:
        events = Events()
        try:
            for piece in response.iter_bytes():
                yield from events.feed(piece)
        except httpx.TransportError as error:
            raise not_reached(error, call) from error
        if not events.ended:
            raise NotReached("the stream ended before the turn did", call.key)
