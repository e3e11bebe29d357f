"""A gate's report as the registry reads it: who was judged beside whom, and how.

Adapters are known by their names in the registry, which carry a piece of the hash of their weights
(`finetune.registry.folders.name_of`), so a report counts for what it measured and nothing else.
How a gate decides is not known here (`finetune.gate`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.errors import RegistryError
from finetune.weights import file_hash

VERDICTS = {"promote": True, "refuse": False}


@dataclass(frozen=True, slots=True)
class GateReport:
    """What counts of a gate's report.

    Args:
        candidate, baseline: Names of the contestants.
        hash: SHA-256 of the file.
    """

    passed: bool
    candidate: str
    baseline: str
    hash: str


def read_report(path: Path) -> GateReport:
    """Return what a gate said.

    Raises:
        RegistryError: If the file is no gate's report.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        run = data["config"]
        named = _name(run["candidate"]), _name(run["baseline"])
        return GateReport(VERDICTS[data["verdict"]], *named, file_hash(path))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RegistryError(
            f"{str(path)!r} is no gate report ({type(error).__name__}: {error}); expected JSON "
            "with verdict, config.candidate and config.baseline, as attune evaluate gate writes it"
        ) from error


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no contestant's name")
    return value
