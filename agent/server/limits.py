"""Refuses a body that is too large: unread where its length is announced, else once it shows.

FastAPI's own limit answers in plain text, and every answer of ours is JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.server.errors import ErrorBody, answer
from agent.utterance import MAX_CHARACTERS


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may send.

    Args:
        body_bytes: Size of a request body.
        characters: Length of an utterance.
        batch: Items or feedback events in one request.
    """

    body_bytes: int = 16 * 1024 * 1024
    characters: int = MAX_CHARACTERS
    batch: int = 1_000


class BodyLimit:
    """Answers 413 to a body above the limit."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted, or refuse it."""
        length = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        if length.isdecimal() and int(length) > self.limit:
            message = f"the body has {int(length):,} bytes; at most {self.limit:,} are taken"
            body = ErrorBody(type="body_too_large", message=message, hint="send it in parts")
            await answer(scope, 413, body)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.limit:
                raise HTTPException(413, f"at most {self.limit:,} bytes are taken")
            return message

        await self.app(scope, counted, send)
