"""What operators watch, in Prometheus' text format. One registry per app, none global.

`Metrics` is what one tenant counts with; those of all tenants of an app share its registry. What
the counts are is said in `agent.observability.instruments`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from agent.access.keys import DEFAULT_TENANT
from agent.dialogue import shows
from agent.observability.instruments import FOLDER, Instruments
from agent.observability.labels import Bounded, fallback_of
from agent.observability.processes import forget_the_dead
from agent.routing import Status
from agent.service.values import Service
from agent.store_backlog import Backlog
from agent.telemetry import ModelUse
from agent.turn import Done

CLIENT_TOOL = "client"
"""Label of tools that clients bring along: their names are the clients' own."""

_MOST = 50
"""Distinct tools, models or voices that get a series of their own."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How one tenant stands when metrics are read.

    Args:
        store: Its jobs; None where the store cannot be read.
        routing: Its adapters, where it has any.
    """

    tenant: str
    catalog_version: int
    store: Backlog | None = None
    routing: Status | None = None


class Metrics:
    """What one tenant counts with.

    Args:
        instruments: Of the app; by default new ones.
    """

    def __init__(
        self, tenant: str = DEFAULT_TENANT, instruments: Instruments | None = None
    ) -> None:
        self.tenant = tenant
        self.instruments = instruments or Instruments()
        self._tool, self._model = Bounded(_MOST), Bounded(_MOST)
        self._voice = Bounded(_MOST)
        self._family: dict[str, Metrics] = {tenant: self}

    def for_tenant(self, tenant: str) -> Metrics:
        """Return what another tenant of the same app counts with; "" is that of nobody."""
        found = self._family.get(tenant)
        if found is None:
            found = self._family.setdefault(tenant, Metrics(tenant, self.instruments))
            found._family = self._family
        return found

    def turn(self, done: Done) -> None:
        """Count one finished turn with its stages and what came of it."""
        own, tenant = self.instruments, self.tenant
        own.turns.labels(tenant, done.planner).inc()
        own.voices.labels(tenant, self._voice(done.voice or "unknown")).inc()
        own.turn_seconds.labels(tenant, done.planner).observe(sum(done.timings.values()) / 1000)
        for stage, milliseconds in done.timings.items():
            own.stage_seconds.labels(tenant, stage).observe(milliseconds / 1000)
        if done.plan.fallback:
            own.fallbacks.labels(tenant, fallback_of(done.plan.fallback)).inc()
        if shows(done.plan):
            own.searches.labels(tenant, "hit" if done.slate.items else "empty").inc()
        for one in done.relaxations:
            outcome = "replaced" if one.instead is not None else "dropped"
            own.relaxations.labels(tenant, outcome).inc()
        if done.service is not None:
            self._serviced(done.service)

    def _serviced(self, service: Service) -> None:
        own, tenant = self.instruments, self.tenant
        if service.quotes:
            own.knowledge.labels(tenant, "answered").inc()
        if service.unanswered:
            own.knowledge.labels(tenant, "refused").inc()
        for use in service.tools:
            name = CLIENT_TOOL if use.status == "requested" else self._tool(use.tool)
            own.tools.labels(tenant, name, use.status).inc()
        if service.handover is not None:
            own.handovers.labels(tenant, service.handover.reason).inc()

    def models(self, uses: Iterable[ModelUse]) -> None:
        """Count calls of language models."""
        own, tenant = self.instruments, self.tenant
        for use in uses:
            model = self._model(use.model)
            own.model_calls.labels(tenant, model, use.error or "ok").inc()
            own.model_seconds.labels(tenant, model).observe(use.seconds)
            own.tokens.labels(tenant, model, "input").inc(use.input_tokens)
            own.tokens.labels(tenant, model, "output").inc(use.output_tokens)

    def feedback(self, kind: str) -> None:
        """Count one feedback event."""
        self.instruments.feedback.labels(self.tenant, kind).inc()

    def error(self, kind: str) -> None:
        """Count a request that ended in an error, a stream that broke off included."""
        self.instruments.errors.labels(self.tenant, kind).inc()

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.instruments.requests.labels(self.tenant, route, method, str(status)).inc()
        self.instruments.request_seconds.labels(route).observe(seconds)

    def render(self, now: Sequence[Snapshot], only: str | None = None) -> bytes:
        """Return everything counted so far as Prometheus reads it.

        Args:
            now: How the tenants stand.
            only: Show what is of this tenant and nothing else.
        """
        own = self.instruments
        if own.shared:
            forget_the_dead(Path(os.environ[FOLDER]))
        out = CollectorRegistry()
        out.register(_Shown(lambda: [*own.registry.collect(), *_standing(now)], only))
        return generate_latest(out)


class _Shown(Collector):
    """Metrics, or those series of them that are of one tenant."""

    def __init__(self, collect: Callable[[], Iterable[Metric]], only: str | None) -> None:
        self._collect = collect
        self._only = only

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        for metric in self._collect():
            if self._only is None:
                yield metric
                continue
            own = [one for one in metric.samples if one.labels.get("tenant") == self._only]
            if own:
                shown = Metric(metric.name, metric.documentation, metric.type, metric.unit)
                shown.samples = own
                yield shown


def _standing(now: Sequence[Snapshot]) -> list[Metric]:
    """Return how the tenants stand, as metrics."""
    version = _gauge("attune_catalog_version", "Grows with every change of the catalog")
    up = _gauge("attune_store_up", "Whether the store can be read")
    oldest = _gauge("attune_jobs_oldest_waiting_seconds", "How long a job that is due has waited")
    jobs = _gauge("attune_jobs", "Jobs by kind and status", "kind", "status")
    held = _gauge("attune_adapter_turns_now", "Turns in each adapter that is loaded", "adapter")
    problems = _gauge("attune_adapter_problems", "Adapters that cannot be loaded, and the like")
    for one in now:
        version.add_metric([one.tenant], one.catalog_version)
        up.add_metric([one.tenant], float(one.store is not None))
        if one.store is not None:
            oldest.add_metric([one.tenant], one.store.oldest_s)
            for (kind, status), count in one.store.counts.items():
                jobs.add_metric([one.tenant, kind, status], count)
        if one.routing is not None:
            problems.add_metric([one.tenant], len(one.routing.problems))
            for name, turns in one.routing.held.items():
                held.add_metric([one.tenant, name], turns)
    return [version, up, oldest, jobs, held, problems]


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, labels=("tenant", *labels))
