"""The MCP server over streamable HTTP: one ASGI endpoint of the API server, at /mcp.

It keeps nothing between requests, so any process can answer any of them. Who calls is known before
MCP sees the request. Where no key was shown, only requests to a loopback name are taken, so that
no web page can reach the server by rebinding its own name (DNS).
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from anyio import from_thread
from mcp.server.mcpserver import MCPServer
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from agent.access.keys import SCOPES
from agent.mcp.caller import Caller, Events, Turns
from agent.mcp.server import make_server
from agent.server.access import caller_of
from agent.server.taking import Taking

BODY_BYTES = 1024 * 1024

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
LOCAL_ONLY = TransportSecuritySettings(
    allowed_hosts=[*_LOOPBACK, *(f"{host}:*" for host in _LOOPBACK)],
    allowed_origins=[f"http://{host}{port}" for host in _LOOPBACK for port in ("", ":*")],
)
"""Whom a server without keys answers."""

ANY_HOST = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""With a key: a page that rebinds its name has none to send."""

logging.getLogger("mcp.server.streamable_http_manager").setLevel(logging.WARNING)


class MCPEndpoint:
    """ASGI app that answers MCP requests which `agent.server.access` has let in."""

    @cached_property
    def _server(self) -> MCPServer[Any]:
        """The server, made for the first who asks: most shops have nobody who does."""
        return make_server(admitted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        proven = caller_of(Request(scope)).proven
        manager = self._manager(ANY_HOST if proven else LOCAL_ONLY)
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    def _manager(self, security: TransportSecuritySettings) -> StreamableHTTPSessionManager:
        # A manager per request: without sessions there is nothing that one could remember.
        self._server.streamable_http_app(
            stateless_http=True, max_request_body_size=BODY_BYTES,
            transport_security=security,
        )  # fmt: skip
        return self._server.session_manager


def admitted(request: Any) -> Caller:
    """Return the caller of a request: whose key it carries, with that tenant's context."""
    who, key = caller_of(request), caller_of(request).key
    scopes = None if key is None else frozenset(one for one in SCOPES if key.allows(one))
    return Caller(request.state.context, scopes, _turns(request, who.id))


def _turns(request: Any, payer: str) -> Turns:
    """Return what takes turns as the other routes do: with a place, a budget and a deadline."""
    here, course, places = request.state.context, request.state.course, request.app.state.places

    def take(session_id: str, words: str) -> Events:
        from_thread.run(places.take)  # which is of the event loop
        course.leaving.append(places.leave)
        yield from Taking(here, payer, None, course).events(here.parts, session_id, words)

    return take
