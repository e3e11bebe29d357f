"""The suites of the gate. Each module makes one with `make(bench)`, or says what it would need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from finetune.gate.bench import Bench
from finetune.gate.suite import Suite
from finetune.gate.suites import critiques, understanding

SUITES: Mapping[str, Callable[[Bench], Suite]] = {
    "understanding": understanding.make,
    "critiques": critiques.make,
}
"""By the name that their metrics begin with."""
