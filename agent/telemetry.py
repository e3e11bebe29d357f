"""Where those who watch look in: stage timings, the spans of a trace, what models were asked for.

While nobody watches this costs nanoseconds and imports nothing: spans go nowhere until
`trace_with` says where (`agent.observability.tracing`), uses of models until somebody opens a
`metered` block. No span carries what people wrote, what they were told, or an id as it is.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import Literal, Protocol, TypeVar

T = TypeVar("T")

Attribute = str | int | float | bool | tuple[str, ...]
Kind = Literal["internal", "client", "server"]


class Span:
    """A step of a trace; this one goes nowhere."""

    def __enter__(self) -> Span:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the step; an error's class is kept, never its message."""

    def set(self, key: str, value: Attribute) -> None:
        """Add an attribute. Names and figures only: no text of anybody, no id as it is."""

    def rename(self, name: str) -> None:
        """Give the step the name that turned out to be its."""

    def fail(self, kind: str) -> None:
        """Mark the step as failed although nothing was raised, e.g. by an answer's status."""

    def headers(self) -> dict[str, str]:
        """Return the headers by which another service goes on below this step."""
        return {}


class Tracer(Protocol):
    """Where spans go."""

    def span(
        self,
        name: str,
        attributes: Mapping[str, Attribute],
        kind: Kind,
        current: bool,
        carrier: Mapping[str, str] | None = None,
    ) -> Span:
        """Return a span that begins when it is entered, below the one that is current.

        Args:
            carrier: Headers of a request; where they tell of a trace, the span is part of it.
        """
        ...

    def headers(self) -> dict[str, str]:
        """Return the headers by which another service goes on with the trace."""
        ...

    def ids(self) -> tuple[str, str] | None:
        """Return the ids (hex) of the current trace and span, if there are."""
        ...


_NO_SPAN = Span()
_NOTHING: Mapping[str, Attribute] = {}
_tracer: Tracer | None = None


def trace_with(tracer: Tracer | None) -> None:
    """Send the spans of this process somewhere from now on; None: nowhere."""
    global _tracer
    _tracer = tracer


def span(
    name: str,
    attributes: Mapping[str, Attribute] = _NOTHING,
    kind: Kind = "internal",
    *,
    current: bool = True,
) -> Span:
    """Return a span to enter with `with`.

    Args:
        current: Whether spans begun inside are below it. Must be False where the block yields to
            a caller that may go on in another context.
    """
    return _NO_SPAN if _tracer is None else _tracer.span(name, attributes, kind, current)


def server_span(name: str, attributes: Mapping[str, Attribute], headers: Mapping[str, str]) -> Span:
    """Return a span for a request that came in, part of the trace its headers tell of."""
    if _tracer is None:
        return _NO_SPAN
    return _tracer.span(name, attributes, "server", True, headers)


def outgoing_headers() -> dict[str, str]:
    """Return the headers that carry the trace to another service; none while nothing is traced."""
    return {} if _tracer is None else _tracer.headers()


def trace_ids() -> tuple[str, str] | None:
    """Return the ids of the current trace and span; None while nothing is traced."""
    return None if _tracer is None else _tracer.ids()


@dataclass(frozen=True, slots=True)
class ModelUse:
    """One call of a language model.

    Args:
        input_tokens, output_tokens: As its server reports them, 0 where it does not.
        error: Class of what went wrong, or empty.
    """

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    error: str = ""


@dataclass(slots=True)
class Meter:
    """What was asked of language models within a block; shared by its threads."""

    uses: list[ModelUse] = field(default_factory=list)

    @property
    def input_tokens(self) -> int:
        """Tokens that models were shown."""
        return sum(use.input_tokens for use in self.uses)

    @property
    def output_tokens(self) -> int:
        """Tokens that models wrote."""
        return sum(use.output_tokens for use in self.uses)


_meter: ContextVar[Meter | None] = ContextVar("attune_meter", default=None)


def current_meter() -> Meter | None:
    """Return the meter of the block that is open, e.g. of the HTTP request being answered."""
    return _meter.get()


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what language models are asked for inside, in this thread and those it starts.

    Blocks may nest: what is counted in the inner one is in the outer one's count too.
    """
    outer, meter = _meter.get(), Meter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)
        if outer is not None:
            outer.uses += meter.uses


def in_one_context(events: Generator[T, None, None]) -> Generator[T, None, None]:
    """Yield what a generator yields, each step in one context, whichever threads ask for it.

    Servers ask for the steps of a stream in one thread after another, each with a context of its
    own: a span entered in one step would not be there in the next.
    """
    context = copy_context()
    try:
        while True:
            try:
                event = context.run(next, events)
            except StopIteration:
                return
            yield event
    finally:
        context.run(events.close)


class Timings:
    """Milliseconds spent per stage; a stage entered twice counts both times."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def span(self, name: str) -> Iterator[Span]:
        """Add the time spent inside, also when it ends in an error."""
        start = perf_counter()
        try:
            with span(*_stage(name)) as entered:
                yield entered
        finally:
            spent = (perf_counter() - start) * 1000
            self.ms[name] = round(self.ms.get(name, 0.0) + spent, 3)


def _stage(name: str) -> tuple[str, Mapping[str, Attribute]]:
    """Return the name and attributes of a stage's span, after OpenTelemetry's conventions."""
    return _STAGES.get(name) or (name, _NOTHING)


_STAGES: Mapping[str, tuple[str, Mapping[str, Attribute]]] = {
    "plan": ("plan attune", {"gen_ai.operation.name": "plan", "gen_ai.agent.name": "attune"}),
    "retrieve": (
        "retrieval catalog",
        {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "catalog"},
    ),
}


class NoTimings(Timings):
    """The off switch: spans that measure nothing."""

    @contextmanager
    def span(self, name: str) -> Iterator[Span]:
        """Measure nothing."""
        yield _NO_SPAN
