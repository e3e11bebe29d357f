"""What operators watch, in Prometheus' text format. One registry per app, none global."""

from __future__ import annotations

from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.routing import Status
from agent.turn import Done

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counters and histograms of one app."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        labels = ("route", "method", "status")
        self._requests = Counter(
            "attune_requests", "Requests by route, method and status", labels, registry=own
        )
        self._seconds = Histogram(
            "attune_request_seconds", "Time to the end of the answer", ("route",),
            buckets=_SECONDS, registry=own,
        )  # fmt: skip
        self._turns = Counter("attune_turns", "Turns by planner", ("planner",), registry=own)
        self._stages = Histogram(
            "attune_stage_seconds", "Time per stage of a turn", ("stage",),
            buckets=_SECONDS, registry=own,
        )  # fmt: skip
        self._feedback = Counter(
            "attune_feedback", "Feedback events by kind", ("kind",), registry=own
        )
        self._voices = Counter(
            "attune_voice_turns", "Turns by adapter, or model without one", ("voice",), registry=own
        )
        self._adapters = Gauge(
            "attune_adapter_turns_now", "Loaded adapters, with the turns they are in", ("adapter",),
            registry=own,
        )  # fmt: skip
        self._problems = Gauge(
            "attune_adapter_problems", "Adapters that cannot be loaded, and the like", registry=own
        )
        self._version = Gauge(
            "attune_catalog_version", "Grows with every change of the catalog", registry=own
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def turn(self, done: Done) -> None:
        """Count one finished turn with its stages."""
        self._turns.labels(done.planner).inc()
        self._voices.labels(done.voice or "unknown").inc()
        for stage, milliseconds in done.timings.items():
            self._stages.labels(stage).observe(milliseconds / 1000)

    def feedback(self, kind: str) -> None:
        """Count one feedback event."""
        self._feedback.labels(kind).inc()

    def render(self, catalog_version: int, routing: Status | None = None) -> bytes:
        """Return everything counted so far as Prometheus reads it."""
        self._version.set(catalog_version)
        self._adapters.clear()
        if routing is not None:
            self._problems.set(len(routing.problems))
            for name, turns in routing.held.items():
                self._adapters.labels(name).set(turns)
        return generate_latest(self.registry)


class MetricsMiddleware:
    """Counts every request under its route's path, never under a path with ids in it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count it when it ends."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            self.metrics.request(route, scope["method"], status, perf_counter() - start)
