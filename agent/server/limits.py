"""How much a request may be, take and cost: size, time, turns at once, rates and tokens.

Sizes are looked at while a body is read; time where a request begins, because a handler in a
thread cannot be stopped from outside. FastAPI's own limit of sizes answers in plain text, and
every answer of ours is JSON.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.access.errors import TimedOut
from agent.access.rates import IN_MEMORY, parse_rate
from agent.access.usage import Budget
from agent.server.errors import ErrorBody, answer, render
from agent.utterance import MAX_CHARACTERS

log = logging.getLogger(__name__)

GRACE_S = 5.0
"""A turn that is out of time ends itself between two stages; this long it has for the stage."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may send. Those of a tenant, but for `body_bytes`, which is of the process.

    Args:
        body_bytes: Size of a request body.
        characters: Length of an utterance.
        batch: Items or feedback events in one request.
        rate_key: Requests of each key, such as "60/minute"; None for no limit.
        rate_tenant: Requests of all keys together.
        tokens: What each key, and all together, may use in a day.
        origins: Origins of web pages that may call from the browser; "*" for any.
    """

    body_bytes: int = 16 * 1024 * 1024
    characters: int = MAX_CHARACTERS
    batch: int = 1_000
    rate_key: str | None = None
    rate_tenant: str | None = None
    tokens: Budget = Budget()  # noqa: RUF009 (frozen)
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse rates that are none when they are set, not at the first request."""
        for rate in filter(None, (self.rate_key, self.rate_tenant)):
            parse_rate(rate)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one process takes on.

    Args:
        request_s: Seconds that a request may take.
        turns: Turns under way and in line; more are refused at once, rather than all late.
        at_once: Turns under way; the others stand in line.
        wait_s: Seconds that a turn may stand in line; it is refused at once where it would be more.
        storage: Where requests are counted.
    """

    request_s: float = 60.0
    turns: int = 1_000
    at_once: int = 64
    wait_s: float = 15.0
    storage: str = IN_MEMORY


class BodyLimit:
    """Answers 413 to a body above the limit: unread where its length is announced."""

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


@dataclass(slots=True)
class Course:
    """One request under way, as its handler sees it.

    Args:
        deadline: When it should have ended, by `time.monotonic`.
        leaving: What is to be done when its handler has ended, however it ends.
    """

    deadline: float
    leaving: list[Callable[[], None]]
    given_up: bool = False

    def check(self) -> None:
        """Pass where there is time left.

        Raises:
            TimedOut: If there is none.
        """
        if self.given_up or time.monotonic() >= self.deadline:
            raise TimedOut("the turn took longer than a request may; nothing of it is kept")


class TimeLimit:
    """Answers 504 to a request that takes too long; its handler ends on its own."""

    def __init__(self, app: ASGIApp, seconds: float, grace_s: float = GRACE_S) -> None:
        self.app = app
        self._seconds = seconds
        self._grace_s = grace_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer for it should it not end."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        course = Course(time.monotonic() + self._seconds, [])
        scope.setdefault("state", {})["course"] = course
        out = _Out(send, course)
        task = asyncio.create_task(self._run(scope, receive, out, course))
        try:
            await self._watch(task, out, course)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if course.given_up:
            late = TimedOut("this took longer than a request may, and may still come about; send "
                            "it again with the same Idempotency-Key to learn of it")  # fmt: skip
            await render(scope, late)(scope, receive, send)

    async def _watch(self, task: asyncio.Task[None], out: _Out, course: Course) -> None:
        """Wait for a request to end, or give it up."""
        done, _ = await asyncio.wait({task}, timeout=self._seconds + self._grace_s)
        if done or out.begun:
            # An answer that has begun goes on: its stages have deadlines of their own, a turn
            # looks at the time between them, and its reader sees what comes.
            await task
            return
        course.given_up = True
        task.add_done_callback(_told)
        log.error("a request was given up after %g s", self._seconds + self._grace_s)

    async def _run(self, scope: Scope, receive: Receive, out: _Out, course: Course) -> None:
        try:
            await self.app(scope, receive, out)
        finally:
            for leave in course.leaving:
                leave()


class _Out:
    """What a handler sends, until its request is given up."""

    def __init__(self, send: Send, course: Course) -> None:
        self.begun = False
        self._send = send
        self._course = course

    async def __call__(self, message: Message) -> None:
        if not self._course.given_up:
            self.begun = True
            await self._send(message)


def _told(task: asyncio.Task[None]) -> None:
    """Log how a request ended that nobody waited for any more."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a request that was given up failed", exc_info=error)
