"""A suite of the gate: units, and what measures one contestant on one of them.

Both contestants take a unit one right after the other, so that whatever else the machine does
weighs on both alike. This module does not know what is measured (`finetune.gate.suites`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from finetune.contestant import Contestant
from finetune.errors import FinetuneError
from finetune.gate.metrics import METRICS, Readings, suite_of
from finetune.gate.pairing import Paired, paired

Examine = Callable[[str], Readings]


class NotMeasured(FinetuneError):
    """A suite has nothing to measure with here; says what it would need."""


class Suite(Protocol):
    """Measures contestants on units of its own."""

    @property
    def name(self) -> str:
        """The part of its metrics' names before the dot."""
        ...

    @property
    def units(self) -> Sequence[str]:
        """The names of its units, the same for every contestant."""
        ...

    def examiner(self, contestant: Contestant) -> Examine:
        """Return what measures a contestant on a unit; its readings by metric."""
        ...


def run(
    suite: Suite,
    candidate: Contestant,
    baseline: Contestant,
    track: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> dict[str, Paired]:
    """Return what both contestants made of the units of a suite, by metric.

    Args:
        track: Shows how far it is.
    """
    ours, theirs = suite.examiner(candidate), suite.examiner(baseline)
    own, other = dict[str, Readings](), dict[str, Readings]()
    for place, unit in enumerate(track(suite.units)):
        if place % 2:
            own[unit] = ours(unit)
            other[unit] = theirs(unit)
        else:
            other[unit] = theirs(unit)
            own[unit] = ours(unit)
    found = {
        name: paired(metric.statistic, name, own, other)
        for name, metric in METRICS.items()
        if suite_of(name) == suite.name
    }
    return {name: both for name, both in found.items() if both is not None}
