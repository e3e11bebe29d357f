"""Like-this-but-X as tables: pure functions over what benchmarks/critiques.py wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ui.figures import MISSING, RESULTS, Report, Row, read, table

_HEAD = ("change", "keep", "violations", "MRR")
_FIGURES = ("change_accuracy", "keep_accuracy", "violation_rate", "mrr")


def critiques(results: Path = RESULTS) -> str:
    """Return every catalog with every system, keep at equal change, and the first runs."""
    report = read("critiques", results)
    if report is None:
        return MISSING
    catalogs: Mapping[str, Report] = report["catalogs"]
    text = table(("catalog", "cases", "system", *_HEAD), _systems(catalogs))
    text += "\nKeep at equal change, ours minus the baseline's (ours):\n\n"
    names = next(iter(catalogs.values()))["keep_at_equal_change"]
    text += table(("catalog", *names), [(name, *_equal(one)) for name, one in catalogs.items()])
    if first := report.get("first_run"):
        text += "\nThe first run of the catalogs that were kept unseen until then:\n\n"
        text += table(("catalog", "cases", "system", *_HEAD), _systems(first))
    return text


def _systems(catalogs: Mapping[str, Report]) -> list[Row]:
    return [row for name, one in catalogs.items() for row in _rows(name, one)]


def _rows(name: str, one: Report) -> Iterator[Row]:
    low, high = one["intervals"]["keep_accuracy"]
    own = [_share(one["ours"][key]) for key in _FIGURES]
    own[1] += f" ({low:.3f}–{high:.3f})"
    yield (name, f"{one['n']:,}", "**ours**", *own)
    others = {"ours, plan given": one["ours_plan_given"], **one["baselines"]}
    for system, figures in others.items():
        yield ("", "", system, *(_share(figures[key]) for key in _FIGURES))


def _equal(one: Report) -> Iterator[str]:
    for own in one["keep_at_equal_change"].values():
        if own is None:
            yield "–"
        else:
            around = f"{own['low']:+.3f} to {own['high']:+.3f}"
            yield f"{own['mean']:+.3f} ({around}), {own['n']:,} cases"


def _share(value: float) -> str:
    return f"{value:.3f}"
