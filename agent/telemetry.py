"""Stage timings of one turn.

`agent.dialogue` wraps each stage in `timings.span(name)`; nothing below it knows of timings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Timings:
    """Milliseconds spent per stage; a stage entered twice counts both times."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Add the time spent inside, also when it ends in an error."""
        start = perf_counter()
        try:
            yield
        finally:
            spent = (perf_counter() - start) * 1000
            self.ms[name] = round(self.ms.get(name, 0.0) + spent, 3)


class NoTimings(Timings):
    """The off switch: spans that measure nothing."""

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Measure nothing."""
        yield
