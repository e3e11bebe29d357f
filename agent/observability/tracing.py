"""Traces by OpenTelemetry: where the spans of `agent.telemetry` go when tracing is on.

It is on where OTEL_EXPORTER_OTLP_ENDPOINT is set; the SDK reads that and every other OTEL_
variable itself. Errors are told by their class: messages may hold what people wrote.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING, Any

from agent.errors import AgentError
from agent.telemetry import Attribute, Kind, Span, trace_with

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as OTelSpan
    from opentelemetry.trace import Tracer as OTelAPITracer

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
HINT = "tracing needs the extra `otel`: pip install 'attune[otel]'"


class TracingUnavailable(AgentError):
    """Tracing was asked for, but OpenTelemetry is not installed."""


def wanted() -> bool:
    """Return whether the environment asks for traces."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    return any(os.environ.get(name) for name in ENDPOINTS)


def start(exporter: SpanExporter | None = None) -> TracerProvider | None:
    """Send the spans of this process to an exporter, or where the environment says.

    Returns None where it says nowhere. Call once per process, after a fork.

    Raises:
        TracingUnavailable: If the environment asks for traces that nothing here can send.
    """
    if exporter is None and not wanted():
        return None
    try:
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    except ModuleNotFoundError as error:
        raise TracingUnavailable(f"{ENDPOINTS[0]} is set, but {HINT}") from error
    own = Resource({"service.name": "attune", "service.version": version("attune")})
    provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()))
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    else:
        provider.add_span_processor(BatchSpanProcessor(_exporter()))
    trace_with(OTelTracer(provider))
    return provider


def stop(provider: TracerProvider | None) -> None:
    """Send what is left of a provider's spans, and nothing more."""
    if provider is not None:
        trace_with(None)
        provider.shutdown()


def _exporter() -> SpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ModuleNotFoundError as error:
        raise TracingUnavailable(f"{ENDPOINTS[0]} is set, but {HINT}") from error
    return OTLPSpanExporter()


class OTelTracer:
    """Spans of an OpenTelemetry provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("attune", version("attune"))

    def span(
        self,
        name: str,
        attributes: Mapping[str, Attribute],
        kind: Kind,
        current: bool,
        carrier: Mapping[str, str] | None = None,
    ) -> Span:
        """Return a span below the one that is current when it is entered."""
        return _Recorded(self._tracer, (name, attributes, kind), current, carrier)

    def headers(self) -> dict[str, str]:
        """Return `traceparent` and `tracestate` of the current span."""
        return _carried(None)

    def ids(self) -> tuple[str, str] | None:
        """Return the ids of the current trace and span."""
        from opentelemetry import trace

        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


class _Recorded(Span):
    """A span that is recorded."""

    def __init__(
        self,
        tracer: OTelAPITracer,
        begin: tuple[str, Mapping[str, Attribute], Kind],
        current: bool,
        carrier: Mapping[str, str] | None,
    ) -> None:
        self._tracer = tracer
        self._begin = begin
        self._current = current
        self._carrier = carrier
        self._span: OTelSpan | None = None
        self._token: Any = None

    def __enter__(self) -> Span:
        from opentelemetry import context, trace

        name, attributes, kind = self._begin
        within = None if self._carrier is None else _told(self._carrier)
        self._span = self._tracer.start_span(
            name, context=within, kind=trace.SpanKind[kind.upper()], attributes=dict(attributes),
            record_exception=False, set_status_on_exception=False,
        )  # fmt: skip
        if self._current:
            self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the span; what failed is told by its class."""
        from opentelemetry import context
        from opentelemetry.trace import StatusCode

        assert self._span is not None
        if self._token is not None:
            context.detach(self._token)
        if kind is not None and not issubclass(kind, GeneratorExit):
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()

    def set(self, key: str, value: Attribute) -> None:
        """Add an attribute."""
        if self._span is not None:
            self._span.set_attribute(key, value)

    def rename(self, name: str) -> None:
        """Give the span another name."""
        if self._span is not None:
            self._span.update_name(name)

    def fail(self, kind: str) -> None:
        """Mark the step as failed."""
        from opentelemetry.trace import StatusCode

        self.set("error.type", kind)
        if self._span is not None:
            self._span.set_status(StatusCode.ERROR)

    def headers(self) -> dict[str, str]:
        """Return the headers by which another service goes on below this span."""
        return _carried(self._span)


def _told(headers: Mapping[str, str]) -> Context:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract(headers)


def _carried(span: OTelSpan | None) -> dict[str, str]:
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    within = None if span is None else trace.set_span_in_context(span)
    TraceContextTextMapPropagator().inject(carrier, within)
    return carrier
