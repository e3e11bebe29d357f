"""Evaluate understanding on the project's labelled dialogues and keep the figures.

    python benchmarks/understanding.py [--out JSON]

The same as `attune evaluate understanding --json`, but without the lists of single errors: whoever
works on the rules may look at the figures of the held-out set, not at its turns.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ui import wiring
from ui.reports import understanding_text

ROOT = Path(__file__).parents[1]


def without_turns(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report, and those of its sets, with errors counted but not listed."""
    kept = {**report, "errors": {"kinds": report["errors"]["kinds"]}}
    if "sets" in report:
        kept["sets"] = {name: without_turns(one) for name, one in report["sets"].items()}
    return kept


def main() -> None:
    """Evaluate, print the tables and write the figures down."""
    parser = argparse.ArgumentParser(description="Evaluate understanding and keep the figures.")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/understanding.json")
    given = parser.parse_args()
    report = without_turns(wiring.understanding((), None))
    print(understanding_text(report))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
