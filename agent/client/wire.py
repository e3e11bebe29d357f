"""How requests are sent and tried again, and how a stream is cut into events. Pure."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import ValidationError

from agent.client.calls import Call
from agent.client.errors import AttuneError, NotReached, NotUnderstood, refused, seconds
from agent.client.values import Done, Event, Items, Turn, Understood, Words

AGAIN = frozenset({429, 503})
"""Statuses that pass by themselves."""

LONGEST_PAUSE_S = 30.0
_FIRST_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """When a request is sent again.

    Args:
        retries: How often, at most.
    """

    retries: int

    def pause(self, tried: int, found: httpx.Response | httpx.TransportError) -> float | None:
        """Return the seconds to wait before another try; None where it is the end.

        Args:
            tried: How often it was sent.
        """
        if tried > self.retries:
            return None
        if isinstance(found, httpx.TransportError):
            # Whoever waited as long as was allowed is told so, not made to wait as long again.
            slow = isinstance(found, httpx.ReadTimeout | httpx.WriteTimeout | httpx.PoolTimeout)
            return None if slow else _backoff(tried)
        if found.status_code not in AGAIN:
            return None
        told = seconds(found.headers.get("retry-after"))
        if told is None:
            return _backoff(tried)
        return told if told <= LONGEST_PAUSE_S else None


def _backoff(tried: int) -> float:
    longest = min(_FIRST_PAUSE_S * float(2 ** (tried - 1)), LONGEST_PAUSE_S)
    return longest * (0.5 + random.random() / 2)


def headers_of(key: str | None) -> dict[str, str]:
    """Return the headers of every request.

    Args:
        key: The API key.
    """
    return {"Authorization": f"Bearer {key}"} if key else {}


def request_of(client: httpx.Client | httpx.AsyncClient, call: Call[Any]) -> httpx.Request:
    """Return a call as a request."""
    headers = {"Idempotency-Key": call.key} if call.key else None
    return client.build_request(call.method, call.path, json=call.body, headers=headers)


def not_reached(error: httpx.TransportError, call: Call[Any]) -> NotReached:
    """Return what is to be said of a request without an answer."""
    said = str(error) or type(error).__name__
    return NotReached(f"{call.method} {call.path}: no answer ({said})", call.key)


def error_of(response: httpx.Response) -> AttuneError:
    """Return the error of a response whose body is read."""
    return refused(response.status_code, _json(response.content), response.headers)


def answer_of(response: httpx.Response) -> Any:
    """Return the JSON of a good response.

    Raises:
        AttuneError: If the response tells of an error, or is not JSON.
    """
    if not response.is_success:
        raise error_of(response)
    if response.status_code == 204:
        return None
    answer = _json(response.content)
    if answer is None:
        raise NotUnderstood(f"status {response.status_code}, but no JSON; check the address")
    return answer


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


class Events:
    """Cuts a stream into events: bytes in, values out.

    Lines are cut at line feeds alone: text may hold other characters that some take for ends.
    """

    def __init__(self) -> None:
        self._rest = b""
        self.ended = False

    def feed(self, more: bytes) -> list[Event]:
        """Return the events that are complete now.

        Raises:
            AttuneError: If one of them tells that the turn failed.
        """
        *blocks, self._rest = (self._rest + more).split(b"\n\n")
        return [event for block in blocks if (event := self._event(block)) is not None]

    def _event(self, block: bytes) -> Event | None:
        fields = dict(_field(line) for line in block.split(b"\n") if b":" in line)
        name, data = fields.get(b"event", b"").decode(), _json(fields.get(b"data", b""))
        if name == "error":
            raise refused(200, data)
        try:
            event = _read(name, data)
        except ValidationError as error:
            raise NotUnderstood(f"event {name!r} is not as expected: {error}") from error
        self.ended = self.ended or isinstance(event, Done)
        return event


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value.removeprefix(b" ")


def _read(name: str, data: Mapping[str, Any]) -> Event | None:
    match name:
        case "understood":
            return Understood.model_validate(data)
        case "items":
            return Items.model_validate(data)
        case "text":
            return Words.model_validate(data)
        case "done":
            return Done(turn=Turn.model_validate(data))
        case _:  # a comment, or an event that this version does not know
            return None
