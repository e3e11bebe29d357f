"""A message of a client as one step of a trace, by OpenTelemetry's conventions for MCP.

In place of the SDK's own: that one tells errors in their words and names that clients made up,
and knows only a tracer of the whole process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.shared.exceptions import MCPError

from agent.telemetry import Attribute, Span, server_span, span

_PARENT = ("traceparent", "tracestate")
_METHODS = frozenset((
    "initialize", "ping", "server/discover", "tools/list", "tools/call", "resources/list",
    "resources/templates/list", "resources/read", "prompts/list", "prompts/get",
    "notifications/initialized", "notifications/cancelled",
))  # fmt: skip


def tracing(tools: Iterable[str]) -> ServerMiddleware[Any]:
    """Return middleware that tells of each message by its method, and of calls by the tool.

    Methods and tools that there are not are a client's own words and are not told.
    """
    known = frozenset(tools)

    async def traced(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        with _span(ctx, known) as entered:
            try:
                result = await call_next(ctx)
            except MCPError as error:  # told by its code, so raised again once the span has ended
                refused = error
                entered.set("rpc.response.status_code", str(error.error.code))
                entered.fail(str(error.error.code))
            else:
                if ctx.method == "tools/call" and _is_error(result):
                    entered.fail("tool_error")
                return result
        raise refused

    return traced


def _span(ctx: ServerRequestContext[Any, Any], known: frozenset[str]) -> Span:
    name = ctx.method if ctx.method in _METHODS else "_OTHER"
    about: dict[str, Attribute] = {
        "mcp.method.name": name,
        "mcp.protocol.version": ctx.protocol_version,
    }
    if ctx.method == "tools/call":
        about["gen_ai.operation.name"] = "execute_tool"
        if (tool := str((ctx.params or {}).get("name"))) in known:
            about["gen_ai.tool.name"] = tool
            name = f"{name} {tool}"
    within = _within(ctx.meta)
    return server_span(name, about, within) if within else span(name, about, "server")


def _within(meta: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the headers of the trace that a message says it is part of, if it does."""
    found = {name: (meta or {}).get(name) for name in _PARENT}
    if not isinstance(found["traceparent"], str):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _is_error(result: HandlerResult) -> bool:
    if isinstance(result, Mapping):
        return result.get("isError") is True
    return getattr(result, "is_error", False) is True
