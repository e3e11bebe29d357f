"""How requests are sent and tried again, and how a stream is cut into events. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx
from pydantic import ValidationError

from agent.client.call import Request, Streamed, json_of
from agent.client.errors import (
    AttuneError,
    NotReached,
    NotUnderstood,
    TooSlow,
    refused,
    seconds,
)

T = TypeVar("T")

AGAIN = frozenset({429, 502, 503})
"""Statuses that pass by themselves; nothing was done, unless it is a 502."""

LONGEST_PAUSE_S = 30.0
CONNECT_S = 3.0
"""To get through to the server; what it does then may take much longer."""

_FIRST_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """When a request is sent again.

    Args:
        retries: How often, at most.
    """

    retries: int

    def pause(
        self, request: Request, tried: int, found: httpx.Response | httpx.RequestError
    ) -> float | None:
        """Return the seconds to wait before another try; None where it is the end.

        Args:
            tried: How often it was sent.
        """
        if tried > self.retries:
            return None
        if isinstance(found, httpx.RequestError):
            return _backoff(tried) if _passes(request, found) else None
        if found.status_code not in AGAIN or found.status_code in request.fine:
            return None
        if found.status_code == 502 and request.once:  # it may have broken off after it was done
            return None
        told = seconds(found.headers.get("retry-after"))
        if told is None:
            return _backoff(tried)
        return told if told <= LONGEST_PAUSE_S else None


def _passes(request: Request, error: httpx.RequestError) -> bool:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return True
    # Whoever waited as long as was allowed is told so, not made to wait as long again.
    broken = isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError)
    return broken and not request.once


def _backoff(tried: int) -> float:
    longest = min(_FIRST_PAUSE_S * float(2 ** (tried - 1)), LONGEST_PAUSE_S)
    return longest * (0.5 + random.random() / 2)


def options_of(url: str, key: str | None, timeout: float) -> dict[str, Any]:
    """Return what both of httpx's clients are made with.

    Args:
        key: The API key; no error shows it.

    Raises:
        ValueError: If the address is none of HTTP, or the key cannot be sent.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"no address: {url!r}; expected one like http://localhost:8000") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError(f"no address: {url!r}; expected one like http://localhost:8000")
    if key and not _sendable(key):
        raise ValueError("the key cannot be sent: expected printable ASCII characters, no spaces")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    wait = httpx.Timeout(timeout, connect=min(timeout, CONNECT_S))
    return {"base_url": address, "headers": headers, "timeout": wait}


def _sendable(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def request_of(client: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    """Return a request as httpx sends it.

    Raises:
        ValueError: If something in it cannot be sent.
    """
    headers = {}
    if request.key is not None:
        if not request.key.strip() or not _sendable(request.key.replace(" ", "")):
            raise ValueError(f"no idempotency key: {request.key!r}; expected ASCII characters")
        headers["Idempotency-Key"] = request.key.strip()
    if request.language is not None:
        if not _sendable(request.language.replace(" ", "")):
            raise ValueError(f"no language: {request.language!r}; expected e.g. 'de-AT, en;q=0.5'")
        headers["Accept-Language"] = request.language
    try:
        return client.build_request(
            request.method, request.path, json=request.body, params=request.query or None,
            headers=headers,
        )  # fmt: skip
    except httpx.InvalidURL as error:
        raise ValueError(f"{request.method} {request.path[:80]!r}: {error}") from error


def failure_of(error: httpx.RequestError, request: Request) -> AttuneError:
    """Return what is to be said of a request without an answer that can be read."""
    where = f"{request.method} {request.path[:200]}"
    if isinstance(error, httpx.TimeoutException):
        return TooSlow(f"{where}: no answer in time ({type(error).__name__})", request.key)
    if isinstance(error, httpx.TransportError):
        return NotReached(f"{where}: no answer ({error or type(error).__name__})", request.key)
    return NotUnderstood(f"{where}: an answer that cannot be read ({error})")


class Events(Generic[T]):
    """Cuts a stream into events: bytes in, values out.

    Lines are cut at line feeds alone: text may hold other characters that some take for ends.
    """

    def __init__(self, call: Streamed[T]) -> None:
        self._call = call
        self._rest = b""
        self._ended = False

    def feed(self, more: bytes) -> list[T]:
        """Return the events that are complete now.

        Raises:
            AttuneError: If one of them tells that the request failed.
        """
        *blocks, self._rest = (self._rest + more).split(b"\n\n")
        return [event for block in blocks if (event := self._event(block)) is not None]

    def end(self) -> None:
        """Tell that no more bytes come.

        Raises:
            NotReached: If that is too early.
        """
        if not self._ended:
            raise NotReached("the stream ended before the answer did", self._call.request.key)

    def _event(self, block: bytes) -> T | None:
        fields = dict(_field(line) for line in block.split(b"\n") if b":" in line)
        name = fields.get(b"event", b"").decode("utf-8", "replace")
        data = json_of(fields.get(b"data", b""))
        if name == "error":
            raise refused(200, data)
        read = self._call.kinds.get(name)
        if read is None:  # a comment, or an event that this version does not know
            return None
        try:
            event = read(data)
        except ValidationError as error:
            raise NotUnderstood(f"event {name!r} is not as expected: {error}") from error
        self._ended = self._ended or name == "done"
        return event


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value.removeprefix(b" ")
