"""Measured figures as tables: pure functions over the JSON that the benchmarks wrote.

What was not measured yet is left out. Which block of which document holds a table: `ui.docs`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks/results"
MISSING = "Not measured yet.\n"
HELD_OUT = "understanding_heldout"
ROLES = {
    "understanding_dev": "development",
    "understanding_dev2": "development, hard voices on purpose",
    "understanding_test": "held out at first, development since",
    HELD_OUT: "**held out**",
}
METRICS = {
    "state_exact": "state exact",
    "reference_accuracy": "references",
    "act_accuracy": "acts",
    "soft_recall": "soft wishes",
}

Report = dict[str, Any]
Row = Sequence[str]


def read(name: str, results: Path) -> Report | None:
    """Return the figures of a benchmark; None when it has not been run."""
    path = results / f"{name}.json"
    if not path.exists():
        return None
    report: Report = json.loads(path.read_text("utf-8"))
    return report


def table(header: Row, rows: Sequence[Row]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def share(value: float | None, interval: Sequence[float] | None = None) -> str:
    """Return a share with its interval; a dash for none."""
    if value is None:
        return "–"
    return f"{value:.3f}" + (f" ({interval[0]:.2f}–{interval[1]:.2f})" if interval else "")


def both(spread: Report, unit: str = "") -> str:
    """Return the median and the 95th percentile."""
    names = ("p50", "p95") if "p50" in spread else ("p50_ms", "p95_ms")
    return " / ".join(f"{spread[name]:.1f}" for name in names) + unit


def indexing(results: Path = RESULTS) -> str:
    """Return how indexing and search grow with the catalog."""
    report = read("indexing", results)
    if report is None:
        return MISSING
    header = ("items", "build s", "texts/s", "bare encoder/s", "share", "by CPU", "again s",
              "open s", "peak MB", "disk MB", "search ms", "load")  # fmt: skip
    rows = [
        (f"{one['items']:,}", f"{one['build_s']:.0f}", f"{one['texts_per_s']:.0f}",
         " and ".join(f"{rate:.0f}" for rate in one["bare_encoder_per_s"]),
         f"{one['share_of_bare']:.2f}", f"{one['share_of_bare_in_cpu_time']:.2f}",
         f"{one['rebuild_unchanged_s']:.2f}", f"{one['open_s']:.2f}", f"{one['peak_mb']:,}",
         f"{one['disk_mb']:.0f}", both(one["search"]["hybrid"]), f"{one['load_average']:.1f}")
        for one in report["sizes"]
    ]  # fmt: skip
    return f"{report['catalog']}, {report['machine']}\n\n{table(header, rows)}"


def turns(results: Path = RESULTS) -> str:
    """Return the time of every stage of a turn, and how it grows with the catalog."""
    report = read("turns", results)
    if report is None:
        return MISSING
    sizes = report["sizes"]
    header = ("ms, p50 / p95", *(f"{one['items']:,} items" for one in sizes))
    rows = [
        (stage, *(both(one["stages_ms"][stage]) for one in sizes))
        for stage in sizes[-1]["stages_ms"]
    ]
    rows.append(("second start, s", *(f"{one['second_start']['median_s']:.2f}" for one in sizes)))
    rows.append(("turns", *(f"{one['turns']:,}" for one in sizes)))
    rows.append(("load of the machine", *(f"{one['load_before']:.1f}" for one in sizes)))
    return f"{report['catalog']}, {report['machine']}\n\n{table(header, rows)}"


def conversations(results: Path = RESULTS) -> str:
    """Return what random conversations came to."""
    report = read("conversations", results)
    if report is None:
        return MISSING
    names = ("conversations", "turns", "items_shown", "claims_verified", "turns_with_relaxation",
             "catalog_changes", "refused_utterances")  # fmt: skip
    rows = [(name.replace("_", " "), f"{report[name]:,}") for name in names]
    rows += [(f"violation: {kind}", f"{n:,}") for kind, n in report["violations"].items()]
    shops = [
        (name, f"{one['conversations']:,}", f"{one['turns']:,}", f"{one['violations']:,}")
        for name, one in report["shops"].items()
    ]
    by_shop = table(("shop", "conversations", "turns", "violations"), shops)
    return f"seed {report['seed']}, {report['machine']}\n\n{table(('', ''), rows)}\n{by_shop}"


def understanding(results: Path = RESULTS) -> str:
    """Return the figures of every label set, and where the held-out one goes wrong."""
    report = read("understanding", results)
    if report is None:
        return MISSING
    sets = report["sets"]
    rows = [_set_row(name, one) for name, one in sets.items()]
    parts = [table(("set", "role", "turns", *METRICS.values()), rows)]
    if held := sets.get(HELD_OUT):
        parts += [_baselines(held), _by_catalog(held), _kinds(held)]
    return "\n".join(parts)


def _set_row(name: str, one: Report) -> Row:
    figures = (share(one["ours"][m], one["intervals"][m]) for m in METRICS)
    return (f"`{name}`", ROLES.get(name, ""), str(one["n"]["turns"]), *figures)


def _baselines(held: Report) -> str:
    rows = [("ours", *(share(held["ours"][m]) for m in METRICS))]
    rows += [(n, *(share(one[m]) for m in METRICS)) for n, one in held["baselines"].items()]
    return "Held out, beside the baselines:\n\n" + table(("", *METRICS.values()), rows)


def _by_catalog(held: Report) -> str:
    rows = [
        (name, str(one["n"]), *(share(one[m]) for m in METRICS))
        for name, one in held["by_catalog"].items()
    ]
    return "Held out, by catalog:\n\n" + table(("catalog", "turns", *METRICS.values()), rows)


def _kinds(held: Report) -> str:
    rows = [(kind, str(count)) for kind, count in held["errors"]["kinds"].items()]
    return "Held out, new errors by kind:\n\n" + table(("kind", "times"), rows)
