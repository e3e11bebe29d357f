"""The header Idempotency-Key: a request that is sent again is done once.

A key of the client's own choosing counts for 24 hours, for the API key that sent it and for one
path. What was answered is stored with what was done (`agent.store_beside`), so a retry is answered
the same whichever process takes it, and whatever became of the first one.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import Depends, Header, Request

from agent.desk import Once
from agent.errors import UserInputError
from agent.server.access import Who

HEADER = "Idempotency-Key"
MAX_KEY = 255
_FORM = ("stream", "stream_options")
"""Fields that say how to answer, not what to do: a stream can be asked for again as one object."""


async def _once(
    request: Request, who: Who, key: Annotated[str | None, Header(alias=HEADER)] = None
) -> Once | None:
    """Return the idempotency key of a request, None where none was sent."""
    if key is None:
        return None
    if not key.strip() or len(key) > MAX_KEY or not (key.isascii() and key.isprintable()):
        raise UserInputError(
            f"{HEADER}: expected 1 to {MAX_KEY} printable ASCII characters, got {key[:40]!r}"
        )
    return once_of(who.id, f"{request.method} {request.url.path}", key, await request.body())


Sent = Annotated[Once | None, Depends(_once)]
"""The idempotency key of the request."""


def once_of(payer: str, route: str, key: str, body: bytes) -> Once:
    """Return what an idempotency key is stored as; two keys of two senders are never the same.

    The body's hash has the key in it, so that nobody who reads the store can try out bodies.
    """
    named = json.dumps([payer, route, key]).encode()
    content = named + b"\n" + _canonical(body)
    return Once(hashlib.sha256(named).hexdigest(), hashlib.sha256(content).hexdigest())


def _canonical(body: bytes) -> bytes:
    """Return JSON with its keys in order and without its spaces, which do not count."""
    try:
        read: Any = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if isinstance(read, dict):
        read = {name: value for name, value in read.items() if name not in _FORM}
    return json.dumps(read, sort_keys=True, separators=(",", ":")).encode()
