"""The suites of the gate. Each module makes one with `make(bench)`, or says what it would need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from finetune.gate.bench import Bench
from finetune.gate.suite import Suite
from finetune.gate.suites import (
    behaviour,
    critiques,
    explanations,
    held,
    safety,
    simulator,
    understanding,
)

SUITES: Mapping[str, Callable[[Bench], Suite]] = {
    "held": held.make,
    "understanding": understanding.make,
    "critiques": critiques.make,
    "explanations": explanations.make,
    "safety": safety.make,
    "simulator": simulator.make,
    "behaviour": behaviour.make,
}
"""By the name that their metrics begin with."""
