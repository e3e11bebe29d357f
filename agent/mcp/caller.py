"""Whose catalog and sessions a tool works on: found once per message, from the message's request.

Over stdio everything is one caller's. Over HTTP each request brings its own, so tools of one
server serve several tenants and can reach nothing but the caller's own `Context`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from anyio import from_thread
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.mcpserver.exceptions import ToolError

from agent.dialogue import respond
from agent.server.context import Context
from agent.turn import StreamEvent

Events = Generator[StreamEvent, None, None]
Turns = Callable[[str, str], Events]
"""Session and words to the events of a turn."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Args:
        scopes: What they may do; None: everything.
        turns: Takes turns within the caller's limits; None: without limits.
    """

    here: Context
    scopes: frozenset[str] | None = None
    turns: Turns | None = None

    def check(self, scope: str) -> None:
        """Refuse a tool that the caller's key does not cover."""
        if self.scopes is not None and scope not in self.scopes:
            held = ", ".join(sorted(self.scopes)) or "none"
            raise ToolError(f"this takes a key with the scope {scope!r}; the scopes here: {held}")

    def events(self, session_id: str, words: str) -> Events:
        """Yield the events of a turn."""
        if self.turns is not None:
            yield from self.turns(session_id, words)
        else:
            yield from respond(self.here.parts, session_id, words)


Find = Callable[[Any], Caller]
"""The caller of a message, from its HTTP request (None over stdio)."""

Report = Callable[[float, float, str], Coroutine[Any, Any, None]]
"""Tells whoever asked for it how far a call is: done, of how much, in words."""

_CALLER: ContextVar[Caller] = ContextVar("mcp_caller")
_REPORT: ContextVar[Report] = ContextVar("mcp_report")


def caller() -> Caller:
    """Return the caller of the message that is being answered."""
    return _CALLER.get()


def report(done: int, of: int, said: str) -> None:
    """Tell the client of the message that is being answered how far it is, if it wants to know."""
    from_thread.run(_REPORT.get(), float(done), float(of), said)


def finding(find: Find) -> ServerMiddleware[Any]:
    """Return middleware that finds the caller of each message before anything handles it."""

    async def admit(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        token, told = _CALLER.set(find(ctx.request)), _REPORT.set(ctx.session.report_progress)
        try:
            return await call_next(ctx)
        finally:
            _REPORT.reset(told)
            _CALLER.reset(token)

    return admit
