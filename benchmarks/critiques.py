"""Like-this-but-X on every catalog that is here, and keep the figures.

    python -m benchmarks.critiques [--projects FOLDER] [--only NAME …] [--n 2000] [--out JSON]

The same as `attune evaluate critiques --json` on each catalog, without the lists of single cases.
`first_run` in the results holds the figures of the catalogs that were kept unseen, as they were
when they were run for the first time; what they showed was mended afterwards.
A project directory FOLDER/NAME is used where there is one, else the sample catalog is indexed for
the time being. Figures of catalogs that are not measured now stay as they are.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from finetune.catalogs import FILES, SHARED
from ui.critiques import critiques_text, measured
from ui.settings import Settings
from ui.wiring import demo_project

ROOT = Path(__file__).parents[1]
UNSEEN = ("grocery", "books", "courses")
"""Catalogs whose cases nobody looked at while rules and ranking were improved, before their first
run; the errors of that run were."""


def catalog(name: str, projects: Path | None) -> Path | None:
    """Return the project or the file of a catalog, or None where it is not here."""
    if name == "demo":
        return demo_project(Settings())
    if projects is not None and (projects / name).is_dir():
        return projects / name
    path = SHARED / FILES[name]
    return path if path.exists() else None


def without_cases(report: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a report to be kept: no single cases, intervals of kinds for ours only, rounded."""
    for system, kinds in report["by_kind"].items():
        for own in kinds.values() if system != "ours" else ():
            del own["intervals"]
    role = "unseen at its first run" if name in UNSEEN else "development"
    kept = {key: own for key, own in report.items() if key != "errors"}
    return {"role": role, **_rounded(kept)}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(own) for own in value]
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    """Measure, print the tables and write the figures down after each catalog."""
    parser = argparse.ArgumentParser(description="Measure like-this-but-X on every catalog.")
    parser.add_argument("--projects", type=Path, help="Folder with indexed projects.")
    parser.add_argument("--only", nargs="+", default=["demo", *FILES], metavar="NAME")
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--llm", help="What plans turns beside the rules, e.g. house.")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/critiques.json")
    given = parser.parse_args()
    kept = json.loads(given.out.read_text("utf-8")) if given.out.exists() else {"catalogs": {}}
    for name in given.only:
        path = catalog(name, given.projects)
        if path is None:
            print(f"{name}: not here, left out")
            continue
        report = measured(path, Settings(llm=given.llm), n=given.n, seed=given.seed)
        print(f"\n{critiques_text(report)}", flush=True)
        kept["catalogs"][name] = without_cases(report, name)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
