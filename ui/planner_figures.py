"""The planners side by side as tables: pure functions over what benchmarks/planners.py wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ui.figures import MISSING, RESULTS, Report, Row, read, table

_SET = ("set", "planner", "turns", "state exact", "references", "acts")
_COST = ("calls a turn", "p50 / p95", "planned by")
_CLASSES = ("preference", "more", "question", "verdict", "other")


def planners(results: Path = RESULTS) -> str:
    """Return what each planner makes of each set, what it costs, and the coarse view of IARD."""
    report = read("planners", results)
    if report is None:
        return MISSING
    rows = [row for name, one in report["sets"].items() for row in _rows(name, one)]
    text = table((*_SET, *_COST), rows)
    coarse = [row for one in report["sets"].values() for row in _coarse(one)]
    if coarse:
        head = ("planner", "all classes right", *(f"F1 {name}" for name in _CLASSES))
        text += f"\nIARD in five classes:\n\n{table(head, coarse)}"
    return f"{text}\n{_config(report['config'])}\n"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _rows(name: str, one: Report) -> Iterator[Row]:
    marks = " (weak)" * one["weak"] + " (trained on)" * one["trained_on"]
    for planner, own in one["planners"].items():
        interval = own.get("interval") or own["intervals"]["act_accuracy"]
        made = ", ".join(f"{who} {share:.0%}" for who, share in own["planned_by"].items())
        yield (
            f"`{name}`{marks}", planner, str(own["n"]), _share(own.get("state_exact")),
            _share(own.get("reference_accuracy")),
            f"{_share(own['act_accuracy'])} ({interval[0]:.2f}–{interval[1]:.2f})",
            f"{own['calls_per_turn']:.2f}", f"{own['p50_ms']:.1f} / {own['p95_ms']:.1f} ms", made,
        )  # fmt: skip


def _coarse(one: Report) -> Iterator[Row]:
    for planner, own in one["planners"].items():
        if "coarse" in own:
            by = own["coarse"]["f1"]
            yield (
                planner,
                _share(own["coarse"]["exact"]),
                *(_share(by[name]["f1"]) for name in _CLASSES),
            )


def _config(config: Report) -> str:
    if config["model"] is None:
        return "No house model was there when this was measured."
    sure = ", ".join(f"{one:g}" for one in config["sure"])
    return (
        f"House model `{config['model']}`, both together with a confidence of at least {sure}, at "
        f"most {config['most']} turns of a set, seed {config['seed']}."
    )
