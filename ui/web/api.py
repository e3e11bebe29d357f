"""The API as the pages call it, and what can go wrong in words a person can act on.

One process or two: the pages always talk HTTP, to the server they are mounted in or to another.
How that is done, the client knows (`agent.client`); here is which of it the pages need, as the
JSON they keep, and which trouble each error is to somebody who shops.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import httpx

from agent.client import (
    AsyncAttuneClient,
    AttuneError,
    Done,
    Feedback,
    Items,
    NotAllowed,
    NotFound,
    NotReached,
    NotUnderstood,
    Refused,
    TimedOut,
    TooSlow,
    Understood,
    Value,
    Words,
)
from agent.client.values import File, Picture

Trouble = Literal["server", "busy", "slow", "session", "login", "refused"]
Json = dict[str, Any]
T = TypeVar("T")

TURN_S = 60.0
"""Longer than any turn takes, deadlines of a language model included."""

_PAGES = "page-"
_BUSY = (429, 502, 503)
_NAMES = {Understood: "understood", Items: "items", Words: "text", Done: "done"}


class ApiError(Exception):
    """The API did not do what was asked.

    Args:
        kind: What a person can do about it (`trouble.…` in the tables of words).
        reason: The API's own message, where it gave one.
    """

    def __init__(self, kind: Trouble, reason: str = "") -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a turn: understood, items, text or done."""

    name: str
    data: Json


class Api:
    """The routes that the pages need.

    Nothing is sent again by itself: whoever looks at a page is told what is wrong, and tries again.

    Args:
        url: Where the API is, e.g. "http://127.0.0.1:8000".
        key: Sent as a bearer token; never shown or logged.
        transport: What carries the requests, where httpx's own does not.
    """

    def __init__(
        self, url: str, key: str = "", transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._client = AsyncAttuneClient(
            url, key or None, timeout=TURN_S, retries=0, transport=transport
        )

    async def start(self, user: str | None = None, language: str | None = None) -> Json:
        """Start a session; return its id, and its opening where there is one.

        Args:
            language: What it is answered in; English, if left out.
        """
        return await _json(self._client.open_session(_named(user) if user else None, language))

    async def session(self, id: str) -> Json:
        """Return a session with its turns."""
        return await _json(self._client.session(id))

    async def delete_session(self, id: str) -> None:
        """Delete a session with all that hangs on it; one that is gone already is no error."""
        try:
            await _told(self._client.delete_session(id))
        except ApiError as error:
            if error.kind != "session":
                raise

    async def known_of(self, person: str) -> Json:
        """Return everything that is stored of somebody."""
        return await _told(self._client.export_user(_named(person)))

    async def forget(self, person: str) -> Json:
        """Delete everything that is stored of somebody; return how much that was."""
        return await _json(self._client.delete_user(_named(person)))

    async def votes(self, id: str) -> Sequence[Json]:
        """Return what was told of all that a session was shown, oldest first."""
        return [_plain(event) for event in await _told(self._client.session_feedback(id))]

    async def suggestions(self, id: str, language: str | None = None) -> Json:
        """Return the wishes of a session as chips, and what may be said next."""
        return await _json(self._client.suggestions(id, language=language))

    async def facets(self, language: str | None = None) -> Json:
        """Return what items can be searched by, with counts."""
        return await _json(self._client.facets(language=language))

    async def feed(self, count: int, language: str | None = None) -> Json:
        """Return items for nobody in particular, and their slate."""
        return await _json(self._client.recommend(k=count, language=language))

    async def item(self, id: str) -> Json:
        """Return one item as it is in the catalog now."""
        return await _json(self._client.item(id))

    async def feedback(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Tell what people did; each event has an id of its own, so that it counts once."""
        with _in_words():
            told = [Feedback.model_validate(event) for event in events]
            await self._client.send_feedback(*told)

    async def turn(
        self,
        session: str,
        text: str,
        press: Mapping[str, Any] | None,
        once: str,
        language: str | None = None,
    ) -> AsyncIterator[Event]:
        """Take a turn and yield its events as they come.

        Args:
            language: What is answered in from here on; that of the session, if left out.
            once: Idempotency key: the same request is taken once, however often it is sent.

        Raises:
            ApiError: Before the first event or on the way; nothing of the turn is kept then.
        """
        taken = self._client.stream(
            session, text, press=press, language=language, idempotency_key=once
        )
        with _in_words():
            async with taken as events:
                async for event in events:
                    data = event.turn if isinstance(event, Done) else event
                    yield Event(_NAMES[type(event)], _plain(data))

    async def send(self, method: str, path: str, body: Any = None) -> Json:
        """Send a request and return its JSON object; {} where the answer has none."""
        return dict(await self.ask(method, path, body) or {})

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and return its JSON, whatever that is; None where the answer has none."""
        return await _told(self._client.ask(method, path, body))

    @asynccontextmanager
    async def download(
        self, path: str, given: Mapping[str, str]
    ) -> AsyncIterator[File[AsyncIterator[bytes]]]:
        """Get a file piece by piece."""
        with _in_words():
            async with self._client.download(path, given) as file:
                yield file

    async def picture(self, path: str) -> Picture | None:
        """Return a picture that lies beside the catalog; None where there is none.

        Whoever looks at the page names the path, and the key opens more than pictures: the client
        sends no path that would lead elsewhere.
        """
        try:
            return await self._client.picture(path)
        except (NotFound, ValueError):
            return None
        except AttuneError as error:
            raise in_words(error) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _named(person: str) -> str:
    """Return the API's name of somebody at a page.

    A browser says who it is, so its names are kept apart: no page tells or deletes what is stored
    under the names that the owner's other clients use.
    """
    return f"{_PAGES}{person}"


def _plain(value: Value) -> Json:
    """Return a value as the JSON that it came as."""
    return value.model_dump(mode="json", exclude_unset=True)


async def _json(asked: Awaitable[Value]) -> Json:
    return _plain(await _told(asked))


async def _told(asked: Awaitable[T]) -> T:
    with _in_words():
        return await asked


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except AttuneError as error:
        raise in_words(error) from error
    except ValueError as error:  # it cannot be sent at all
        raise ApiError("refused", str(error)) from error


def in_words(error: AttuneError) -> ApiError:
    """Return which trouble an error is to somebody at a page."""
    if isinstance(error, TooSlow | TimedOut):
        return ApiError("slow")
    if isinstance(error, NotReached):
        return ApiError("server")
    status = error.status if isinstance(error, Refused | NotUnderstood) else None
    reason = error.message if isinstance(error, Refused) else ""
    if isinstance(error, NotAllowed) or status in (401, 403):
        return ApiError("login", reason)
    if status == 504:
        return ApiError("slow", reason)
    if status in _BUSY:
        return ApiError("busy", reason)
    if isinstance(error, Refused):
        return ApiError("session" if error.type == "unknown_session" else "refused", reason)
    return ApiError("server")  # something else answers there
