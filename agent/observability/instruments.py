"""Every metric there is, by Prometheus' conventions: `attune_…`, base units, `_total` for counts.

Labels are names that the owner chose (tenants, tools, models) or of small closed sets. The label
`tenant` is on whatever is of a tenant, so that one can be shown its own figures only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.multiprocess import MultiProcessCollector

# A second series for each count, with the time it began, is of no use to anybody here.
disable_created_metrics()  # type: ignore[no-untyped-call]

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of the client library: folder that several processes count in together."""

_STAGE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Instruments:
    """The metrics of one app; all of its tenants count in them."""

    def __init__(self) -> None:
        self.shared = FOLDER in os.environ
        self.registry = CollectorRegistry()
        self._http()
        self._turns()
        self._service()
        self._models()
        build = self._gauge("attune_build_info", "The version that runs", ("version",), "max")
        build.labels(version("attune")).set(1)
        if self.shared:
            self.registry = CollectorRegistry()
            MultiProcessCollector(self.registry)  # type: ignore[no-untyped-call]
        else:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)

    def _http(self) -> None:
        self.requests = self._counter(
            "attune_requests", "HTTP requests by route, method and status",
            ("tenant", "route", "method", "status"),
        )  # fmt: skip
        self.request_seconds = self._histogram(
            "attune_request_seconds", "Time to the end of the answer", ("route",), _REQUEST_S
        )
        self.errors = self._counter(
            "attune_errors", "Requests that ended in an error, by its type (docs/api.md)",
            ("tenant", "type"),
        )  # fmt: skip
        self.in_flight = self._gauge("attune_requests_in_flight", "Requests being answered now")
        self.streams = self._gauge("attune_active_streams", "Answers being streamed now")

    def _turns(self) -> None:
        self.turns = self._counter("attune_turns", "Turns by planner", ("tenant", "planner"))
        self.turn_seconds = self._histogram(
            "attune_turn_seconds", "Time in the stages of a turn", ("tenant", "planner"), _STAGE_S
        )
        self.stage_seconds = self._histogram(
            "attune_stage_seconds", "Time per stage of a turn", ("tenant", "stage"), _STAGE_S
        )
        self.turns_waiting = self._gauge("attune_turns_waiting", "Turns that stand in line now")
        self.fallbacks = self._counter(
            "attune_planner_fallbacks", "Turns that rules planned although a model was asked",
            ("tenant", "reason"),
        )  # fmt: skip
        self.searches = self._counter(
            "attune_searches", "Turns that sought items: hit where some are shown, else empty",
            ("tenant", "outcome"),
        )  # fmt: skip
        self.relaxations = self._counter(
            "attune_relaxations", "Wishes that could not be kept: dropped, or replaced by a wider",
            ("tenant", "outcome"),
        )  # fmt: skip
        self.voices = self._counter(
            "attune_voice_turns", "Turns by adapter, or model without one", ("tenant", "voice")
        )
        self.feedback = self._counter(
            "attune_feedback", "Feedback events by kind", ("tenant", "kind")
        )

    def _service(self) -> None:
        self.knowledge = self._counter(
            "attune_knowledge_answers", "Turns answered from the shop's pages, or refused",
            ("tenant", "outcome"),
        )  # fmt: skip
        self.tools = self._counter(
            "attune_tool_uses", "Steps with tools by what came of them",
            ("tenant", "tool", "status"),
        )  # fmt: skip
        self.handovers = self._counter(
            "attune_handovers", "Sessions handed over to people", ("tenant", "reason")
        )

    def _models(self) -> None:
        self.model_calls = self._counter(
            "attune_model_calls", "Calls of language models", ("tenant", "model", "outcome")
        )
        self.model_seconds = self._histogram(
            "attune_model_call_seconds", "Time per call of a language model",
            ("tenant", "model"), _REQUEST_S,
        )  # fmt: skip
        self.tokens = self._counter(
            "attune_model_tokens", "Tokens as language models' servers report them",
            ("tenant", "model", "direction"),
        )  # fmt: skip

    def _counter(self, name: str, about: str, labels: Sequence[str]) -> Counter:
        return Counter(name, about, labels, registry=self.registry)

    def _histogram(
        self, name: str, about: str, labels: Sequence[str], buckets: Sequence[float]
    ) -> Histogram:
        return Histogram(name, about, labels, buckets=buckets, registry=self.registry)

    def _gauge(
        self, name: str, about: str, labels: Sequence[str] = (), mode: str = "livesum"
    ) -> Gauge:
        return Gauge(
            name, about, labels, registry=self.registry,
            multiprocess_mode=mode,  # type: ignore[arg-type]
        )  # fmt: skip
