"""A gate's report as the registry reads it: who was judged beside whom, and whether it passed.

Adapters are known by the SHA-256 of their weights, so a report counts for exactly what it measured
whatever that was called. How a gate decides is not known here (`finetune.gate`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.errors import RegistryError
from finetune.weights import file_hash

EXPECTED = (
    'expected {"passed": true or false, "candidate": {"weights": SHA-256}, "baseline": '
    '{"weights": SHA-256, null for the base}, …}, as attune evaluate gate writes it'
)


@dataclass(frozen=True, slots=True)
class GateReport:
    """What counts of a gate's report.

    Args:
        candidate, baseline: Hashes of weights; None for the base model without an adapter.
        hash: SHA-256 of the file.
    """

    passed: bool
    candidate: str | None
    baseline: str | None
    path: Path
    hash: str


def read_report(path: Path) -> GateReport:
    """Return what a gate said.

    Raises:
        RegistryError: If the file is no gate's report.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        passed = data["passed"]
        if not isinstance(passed, bool):
            raise TypeError(f"'passed' is {passed!r}")
        candidate, baseline = _weights(data["candidate"]), _weights(data["baseline"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RegistryError(f"{str(path)!r} is no gate report ({type(error).__name__}: {error}); "
                            f"{EXPECTED}") from error  # fmt: skip
    return GateReport(passed, candidate, baseline, path, file_hash(path))


def _weights(side: Any) -> str | None:
    found = side["weights"]
    if found is not None and not isinstance(found, str):
        raise TypeError(f"'weights' is {found!r}")
    return found
