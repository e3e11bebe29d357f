"""One event loop in a daemon thread, for calls that must end on time.

A blocking call cannot be stopped: a socket timeout starts anew with every byte that drips in. A
task can, so network calls run here and the calling thread waits no longer than it said.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from agent.pace import waiting

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None

GRACE_S = 0.5
"""How much longer than the deadline to wait for the loop to deliver the timeout itself."""


def submit(task: Coroutine[Any, Any, T]) -> Future[T]:
    """Start a coroutine on the background loop."""
    return asyncio.run_coroutine_threadsafe(task, _running())


def call(task: Coroutine[Any, Any, T], deadline_s: float) -> T:
    """Run a coroutine on the background loop; TimeoutError after `deadline_s`, come what may."""
    with waiting():
        future = submit(_limited(task, deadline_s))
        try:
            return future.result(deadline_s + GRACE_S)
        finally:
            future.cancel()


async def _limited(task: Coroutine[Any, Any, T], deadline_s: float) -> T:
    async with asyncio.timeout(deadline_s):
        return await task


def _running() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="attune-calls", daemon=True).start()
        return _loop
