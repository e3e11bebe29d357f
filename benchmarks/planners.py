"""Compare the planners (rules, house model, both) on labelled dialogues and on human turns.

    python benchmarks/planners.py [--model FOLDER] [--sure S …] [--most N] [--held-out] [--out JSON]

Only figures are kept, no turns. The held-out labels are measured with --held-out alone, so that
whoever tunes a planner by this script does not tune it on them. Without a model, the rules alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from agent.local_chat import LocalChat
from finetune.act_sets import SOURCES, act_sets
from finetune.catalogs import SHARED
from finetune.errors import LabelError
from finetune.labels import Dialogue, read_dialogues
from finetune.planners import Contender, contenders, measure_acts, measure_labels
from finetune.rule_parts import by_rules
from ui.reports import table

ROOT = Path(__file__).parents[1]
LABELS = ROOT / "finetune/data"
HOUSE = ROOT / "finetune/house/model"
HELD_OUT = "understanding_heldout"


def label_files(given: argparse.Namespace) -> list[Path]:
    """Return the label files to measure."""
    found = {path.stem: path for path in sorted(LABELS.glob("understanding_*.jsonl"))}
    if not given.held_out:
        found.pop(HELD_OUT, None)
    return [path for name, path in found.items() if not given.sets or name in given.sets]


def some(dialogues: list[Dialogue], most: int, seed: int) -> list[Dialogue]:
    """Return whole dialogues, of at most so many turns together."""
    Random(seed).shuffle(dialogues)
    chosen, turns = [], 0
    for dialogue in dialogues:
        turns += len(dialogue.turns)
        if turns <= most:
            chosen.append(dialogue)
    return chosen


def measured(
    runners: tuple[Contender, ...], given: argparse.Namespace
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each set's name with its figures, as they come."""
    make_parts = cache(by_rules())
    for path in label_files(given):
        dialogues = some(read_dialogues(path), given.most, given.seed)
        figures = measure_labels(runners, dialogues, make_parts, given.seed)
        seen = path.stem in given.trained_on
        about = "labelled dialogues" + ", in the model's training rows" * seen
        yield path.stem, _set(about, figures, trained_on=seen)
    make_parts.cache_clear()
    names = [name for name in SOURCES if not given.sets or name in given.sets]
    try:
        for one in act_sets(given.data, given.most, given.seed, names) if names else ():
            figures = measure_acts(runners, one, given.seed)
            yield one.name, _set(one.about, figures, weak=one.weak)
    except LabelError as error:
        print(f"skipped: {error}")


def _set(
    about: str, planners: dict[str, Any], weak: bool = False, trained_on: bool = False
) -> dict[str, Any]:
    return {"about": about, "weak": weak, "trained_on": trained_on, "planners": planners}


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def lines(name: str, figures: dict[str, Any]) -> list[str]:
    """Return the table of one set."""
    rows = [("planner", "n", "state", "references", "acts", "calls", "p50 / p95 ms", "planned by")]
    for planner, own in figures["planners"].items():
        made = ", ".join(f"{who} {share:.0%}" for who, share in own.get("planned_by", {}).items())
        rows.append((
            planner, str(own["n"]), _share(own.get("state_exact")),
            _share(own.get("reference_accuracy")), _share(own["act_accuracy"]),
            f"{own.get('calls_per_turn', 0):.2f}",
            f"{own.get('p50_ms', 0):.1f} / {own.get('p95_ms', 0):.1f}", made,
        ))  # fmt: skip
    return ["", f"{name}: {figures['about']}", *table(rows), *_more(figures["planners"])]


def _more(planners: dict[str, Any]) -> Iterator[str]:
    for planner, own in planners.items():
        if "coarse" in own:
            by = ", ".join(f"{c} {_share(v['f1'])}" for c, v in own["coarse"]["f1"].items())
            yield f"coarse, {planner}: exact {_share(own['coarse']['exact'])}; F1 {by}"
        if "facet_accuracy" in own:
            yield f"facet asked about, {planner}: {_share(own['facet_accuracy']['value'])}"
        for other, counts in own["against"].items():
            yield f"{planner} beside {other}: {counts['fixed']} fixed, {counts['broken']} broken"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare planners and keep the figures.")
    parser.add_argument("--model", type=Path, default=HOUSE, help="folder of the house model")
    parser.add_argument(
        "--sure", type=float, nargs="+", default=[0.0], help="least confidence, both together"
    )
    parser.add_argument(
        "--trained-on", nargs="*", default=[], help="label sets whose turns the model was shown"
    )
    parser.add_argument("--deadline", type=float, default=3.0, help="seconds a plan may take")
    parser.add_argument("--most", type=int, default=300, help="turns of a set")
    parser.add_argument("--held-out", action="store_true", help="measure the held-out labels too")
    parser.add_argument("--sets", nargs="+", default=[], help="only these")
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/planners.json")
    return parser.parse_args()


def main() -> None:
    """Measure, print the tables and write the figures down."""
    given, started = _arguments(), time.perf_counter()
    model = LocalChat(given.model) if given.model.is_dir() else None
    if model is not None:
        model.wait()
    else:
        print(f"no model in {given.model}: the rules alone")
    sets = {}
    for name, figures in measured(contenders(model, given.sure, given.deadline), given):
        sets[name] = figures
        print("\n".join(lines(name, figures)), flush=True)
    config = {
        "model": model.name if model else None, "trained_on": given.trained_on,
        "sure": given.sure, "most": given.most,
        "seed": given.seed, "deadline_s": given.deadline,
        "seconds": round(time.perf_counter() - started),
    }  # fmt: skip
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"sets": sets, "config": config}, indent=2) + "\n")


if __name__ == "__main__":
    main()
