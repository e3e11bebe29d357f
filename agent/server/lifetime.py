"""How an app begins and ends: what runs beside it, and what a signal to stop brings about.

SIGTERM: `/ready` answers 503 from that moment. Requests are still taken for `drain_s`, while load
balancers find out; then the server (uvicorn) takes no more, lets those under way finish, and ends
the app, which stops what runs beside it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from anyio import to_thread
from fastapi import FastAPI

log = logging.getLogger(__name__)

SPARE = 16
"""Threads for requests that are no turns: a click does not wait for those who talk."""


def live(
    app: FastAPI,
    *,
    start: Callable[[], None],
    stop: Callable[[], None],
    threads: int,
    drain_s: float = 0.0,
) -> None:
    """Have an app begin and end with something else.

    Args:
        start, stop: Called once each, in a thread, before the first request and after the last.
        threads: How many turns may be under way at once; the others stand in line.
        drain_s: Seconds between the signal to stop and the end of new requests.
    """
    own = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: Any) -> AsyncIterator[Any]:
        to_thread.current_default_thread_limiter().total_tokens = threads + SPARE
        _watch(app, drain_s)
        async with own(running) as state:
            await to_thread.run_sync(start)
            try:
                yield state
            finally:
                await to_thread.run_sync(stop)

    app.router.lifespan_context = lifespan


def is_draining(app: FastAPI) -> bool:
    """Return whether the app was told to stop."""
    return bool(getattr(app.state, "draining", False))


def _watch(app: FastAPI, drain_s: float) -> None:
    """Go before the server's own handler of SIGTERM, and call it when the time has come."""
    if threading.current_thread() is not threading.main_thread():
        return  # a test's server: nobody sends it signals
    servers, loop = signal.getsignal(signal.SIGTERM), asyncio.get_running_loop()
    if not callable(servers):
        return

    def on_term(number: int, frame: Any) -> None:
        wait = 0.0 if is_draining(app) else drain_s  # a second signal is impatient
        app.state.draining = True
        if wait:
            log.info("no longer ready; requests are taken for %g s more", wait)
            loop.call_soon_threadsafe(loop.call_later, wait, servers, number, None)
        else:
            servers(number, frame)

    signal.signal(signal.SIGTERM, on_term)
