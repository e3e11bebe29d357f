"""Every request seen from outside: its id, its span, its line in the log, its counts.

The outermost layer of the app. Paths are told as their routes, so no id in them and nothing of a
query string goes anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.observability import tracing
from agent.observability.request import Facts, current, request_id, trace_of
from agent.server.metrics import Metrics
from agent.telemetry import Attribute, Meter, Span, metered, server_span

log = logging.getLogger("attune.access")

UNKNOWN = "unknown"
"""The route of paths that lead nowhere."""

QUIET = frozenset({"/health", "/ready", "/metrics"})
"""Routes that machines ask for every few seconds; logged where they fail."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observed:
    """Passes requests on and tells what came of them."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and tell what came of it when it ends."""
        if scope["type"] == "lifespan":
            provider = tracing.start()
            try:
                await self.app(scope, receive, send)
            finally:
                tracing.stop(provider)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        facts = Facts(
            request_id(headers.get("x-request-id")),
            trace_of(headers.get("traceparent")),
            scope.setdefault("state", {}),
        )
        token = current.set(facts)
        try:
            with metered() as meter, _span(scope, headers) as span:
                answer = _Answer(send, facts, self._metrics)
                await self._pass(scope, receive, answer, span, meter)
        finally:
            current.reset(token)

    async def _pass(
        self, scope: Scope, receive: Receive, answer: _Answer, span: Span, meter: Meter
    ) -> None:
        start = perf_counter()
        gauge = self._metrics.instruments.in_flight
        gauge.inc()
        try:
            await self.app(scope, receive, answer.send)
        finally:
            gauge.dec()
            answer.end()
            self._tell(scope, answer, span, meter, perf_counter() - start)

    def _tell(
        self, scope: Scope, answer: _Answer, span: Span, meter: Meter, seconds: float
    ) -> None:
        facts, status = answer.facts, answer.status
        route = getattr(scope.get("route"), "path", UNKNOWN)
        # Methods are the client's own words, and each label is a series for ever.
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        metrics = self._metrics.for_tenant(facts.tenant)
        metrics.request(route, method, status, seconds)
        metrics.models(meter.uses)
        if facts.error:
            metrics.error(facts.error)
        _finish(span, facts, method, route, status)
        ms = round(seconds * 1000, 1)
        level = logging.DEBUG if route in QUIET and status < 400 else logging.INFO
        told = {"method": method, "route": route, "status": status, "ms": ms}
        if facts.error:
            told["error"] = facts.error
        log.log(level, "%s %s %d, %s ms", method, route, status, ms, extra={"told": told})


class _Answer:
    """Watches an answer on its way out, and writes the request's id on it."""

    def __init__(self, send: Send, facts: Facts, metrics: Metrics) -> None:
        self.facts = facts
        self.status = 500
        self._send = send
        self._streams = metrics.instruments.streams
        self._streaming = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.facts.id
            if headers.get("content-type", "").startswith("text/event-stream"):
                self._streaming = True
                self._streams.inc()
        await self._send(message)

    def end(self) -> None:
        if self._streaming:
            self._streams.dec()


def _span(scope: Scope, headers: Mapping[str, str]) -> Span:
    attributes: dict[str, Attribute] = {
        "http.request.method": scope["method"] if scope["method"] in _METHODS else "_OTHER",
        "url.scheme": scope.get("scheme", "http"),
    }
    return server_span(str(attributes["http.request.method"]), attributes, headers)


def _finish(span: Span, facts: Facts, method: str, route: str, status: int) -> None:
    if route != UNKNOWN:
        span.rename(f"{method} {route}")
        span.set("http.route", route)
    span.set("http.response.status_code", status)
    span.set("attune.request.id", facts.id)
    if facts.tenant:
        span.set("attune.tenant", facts.tenant)
    if facts.error:
        span.set("attune.error", facts.error)
    if status >= 500:
        span.fail(str(status))
