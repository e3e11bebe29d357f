"""The API as the pages call it, and what can go wrong in words a person can act on.

One process or two: the pages always talk HTTP, to the server they are mounted in or to another.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import httpx

Trouble = Literal["server", "busy", "slow", "session", "login", "refused"]
Json = dict[str, Any]

TURN_S = 60.0
"""Longer than any turn takes, deadlines of a language model included."""


_PAGES = "page-"


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
    """One event of a turn: understood, items, text, done or error."""

    name: str
    data: Json


class Api:
    """The routes that the pages need.

    Args:
        url: Where the API is, e.g. "http://127.0.0.1:8000".
        key: Sent as a bearer token; never shown or logged.
    """

    def __init__(self, url: str, key: str = "", transport: Any = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.url = url.rstrip("/")
        self._client = httpx.AsyncClient(
            base_url=self.url, headers=headers, transport=transport,
            timeout=httpx.Timeout(TURN_S, connect=3.0),
        )  # fmt: skip

    async def start(self, user: str | None = None) -> Json:
        """Start a session; return its id, and its opening where there is one."""
        return await self.send("POST", "/v1/sessions", {"user": f"{_PAGES}{user}"} if user else {})

    async def session(self, id: str) -> Json:
        """Return a session with its turns."""
        return await self.send("GET", f"/v1/sessions/{quote(id, safe='')}")

    async def delete_session(self, id: str) -> None:
        """Delete a session with all that hangs on it; one that is gone already is no error."""
        try:
            await self.send("DELETE", f"/v1/sessions/{quote(id, safe='')}")
        except ApiError as error:
            if error.kind != "session":
                raise

    async def known_of(self, person: str) -> Json:
        """Return everything that is stored of somebody."""
        return await self.send("GET", f"/v1/users/{_shopper(person)}/export")

    async def forget(self, person: str) -> Json:
        """Delete everything that is stored of somebody; return how much that was."""
        return await self.send("DELETE", f"/v1/users/{_shopper(person)}")

    async def suggestions(self, id: str) -> Json:
        """Return the wishes of a session as chips, and what may be said next."""
        return await self.send("GET", f"/v1/sessions/{quote(id, safe='')}/suggestions")

    async def facets(self) -> Json:
        """Return what items can be searched by, with counts."""
        return await self.send("GET", "/v1/facets")

    async def item(self, id: str) -> Json:
        """Return one item as it is in the catalog now."""
        return await self.send("GET", f"/v1/items/{quote(id, safe='')}")

    async def feedback(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Tell what people did; each event has an id of its own, so that it counts once."""
        await self.send("POST", "/v1/feedback", {"events": list(events)})

    async def turn(
        self, session: str, text: str, press: Mapping[str, Any] | None, once: str
    ) -> AsyncIterator[Event]:
        """Take a turn and yield its events as they come.

        Args:
            once: Idempotency key: the same request is taken once, however often it is sent.

        Raises:
            ApiError: Before the first event or on the way; nothing of the turn is kept then.
        """
        body: Json = {"text": text, "stream": True}
        if press is not None:
            body["press"] = dict(press)
        path = f"/v1/sessions/{quote(session, safe='')}/turns"
        headers = {"Idempotency-Key": once}
        async with _told(), self._client.stream("POST", path, json=body, headers=headers) as got:
            if got.status_code >= 400:
                await got.aread()
                raise _refusal(got)
            ended = False
            async for event in _events(got):
                if event.name == "error":
                    error = event.data.get("error") or {}
                    raise ApiError("refused", str(error.get("message", "")))
                ended = event.name == "done"
                yield event
            if not ended:
                raise ApiError("server")

    async def send(self, method: str, path: str, body: Any = None) -> Json:
        """Send a request and return its JSON object; {} where the answer has none."""
        return dict(await self.ask(method, path, body) or {})

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and return its JSON, whatever that is; None where the answer has none."""
        async with _told():
            got = await self._client.request(method, path, json=body)
        if got.status_code >= 400:
            raise _refusal(got)
        return got.json() if got.content else None

    async def picture(self, path: str) -> httpx.Response:
        """Return the answer with a picture that lies beside the catalog.

        Whoever looks at the page names the path, and the key opens more than pictures: a path that
        would lead elsewhere is asked nobody.
        """
        if any(part in ("", ".", "..") for part in path.split("/")):
            return httpx.Response(404)
        async with _told():
            return await self._client.get(f"/v1/pictures/{quote(path)}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _shopper(person: str) -> str:
    """Return the API's name of somebody at a page.

    A browser says who it is, so its names are kept apart: no page tells or deletes what is stored
    under the names that the owner's other clients use.
    """
    return quote(f"{_PAGES}{person}", safe="")


@asynccontextmanager
async def _told() -> AsyncIterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise ApiError("slow") from error
    except httpx.TransportError as error:
        raise ApiError("server") from error


def _refusal(got: httpx.Response) -> ApiError:
    try:
        error = got.json()["error"]
        kind, reason = str(error.get("type", "")), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError):
        kind, reason = "", ""
    if got.status_code in (401, 403):
        return ApiError("login", reason)
    if got.status_code == 504:
        return ApiError("slow", reason)
    if got.status_code in (429, 502, 503):
        return ApiError("busy", reason)
    return ApiError("session" if kind == "unknown_session" else "refused", reason)


async def _events(got: httpx.Response) -> AsyncIterator[Event]:
    name = ""
    async for line in got.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield Event(name, json.loads(line.removeprefix("data: ")))
