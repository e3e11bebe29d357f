"""Measure how well items are found on judged queries, and keep the figures.

    python benchmarks/retrieval_quality.py [--project DIR …] [--out JSON]

The same as `attune evaluate retrieval --json` over the shared sample data, and, for projects that
are indexed already, how their rankings would be weighed by queries made from them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from retrieval.fusion_tuning import tune_fusion
from ui import wiring
from ui.cli import settings
from ui.errors import UIError
from ui.retrieval_quality import measured, retrieval_text

ROOT = Path(__file__).parents[1]


def tuning(folder: Path) -> dict[str, Any]:
    """Return what queries made from a project say about its weights, and how long that took."""
    with wiring.open_retriever(folder, settings()) as retriever:
        began = time.perf_counter()
        report = tune_fusion(retriever)
        return {
            "items": retriever.index.count(),
            "dense": report.fusion.dense,
            "queries": report.n,
            "curves": {kind: list(curve) for kind, curve in report.curves.items()},
            "seconds": time.perf_counter() - began,
        }


def main() -> None:
    """Evaluate, print the tables and write the figures down."""
    parser = argparse.ArgumentParser(description="Evaluate retrieval and keep the figures.")
    parser.add_argument("--project", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/retrieval.json")
    given = parser.parse_args()
    try:
        report = measured(None, None, settings(), sample=500, seed=0)
    except UIError as error:
        sys.exit(f"nothing measured: {error}")
    print(retrieval_text(report))
    report["tuning"] = {folder.name: tuning(folder) for folder in given.project}
    for name, one in report["tuning"].items():
        print(f"{name}: dense {one['dense']:g}, {one['queries']} queries, {one['seconds']:.1f} s")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
