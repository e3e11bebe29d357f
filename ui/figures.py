"""Measured figures as tables: pure functions over the JSON that the benchmarks wrote.

What was not measured yet is left out. Which block of which document holds a table: `ui.docs`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ui.loop_rows import gate_rows, loop_rows, off_policy_rows, swap_rows

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


def _share(value: float | None, interval: Sequence[float] | None = None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" + (f" ({interval[0]:.2f}–{interval[1]:.2f})" if interval else "")


def _both(spread: Report, unit: str = "") -> str:
    names = ("p50", "p95") if "p50" in spread else ("p50_ms", "p95_ms")
    return " / ".join(f"{spread[name]:.1f}" for name in names) + unit


def _indexing(report: Report) -> Iterator[Row]:
    one = report["sizes"][-1]
    items = f"{one['items']:,} items"
    yield (
        f"indexing {items}, beside the bare encoder",
        f"{one['share_of_bare']:.0%} of its speed ({one['share_of_bare_in_cpu_time']:.0%} by CPU)",
        "≥ 85 %",
    )
    yield f"time to index {items}", f"{one['build_s']:.0f} s, {one['texts_per_s']:.0f} texts/s", ""
    yield f"peak memory while indexing {items}", f"{one['peak_mb']:,} MB", ""
    yield f"indexing {items} again, none changed", f"{one['rebuild_unchanged_s']:.1f} s", ""


def _turns(report: Report) -> Iterator[Row]:
    one = report["sizes"][-1]
    items, stages = f"{one['items']:,} items", one["stages_ms"]
    yield f"whole turn over {items}, p50 / p95", _both(stages["whole"], " ms"), "p95 < 60 ms"
    yield "of this, linking", _both(stages["link"], " ms"), "p95 < 5 ms"
    start = f"{one['second_start']['median_s']:.1f} s"
    yield f"second start over {items} to the first prompt", start, "< 3 s"


def _conversations(report: Report) -> Iterator[Row]:
    yield "random conversations", f"{report['conversations']:,}", "≥ 100,000"
    wrong = sum(report["violations"].values())
    what = "items outside the catalog, broken constraints, exceptions, false claims …"
    yield what, f"{wrong:,} in {report['turns']:,} turns", "0"


def _understanding(report: Report) -> Iterator[Row]:
    targets = {"state_exact": "≥ .90", "reference_accuracy": "≥ .92"}
    one = report["sets"].get(HELD_OUT)
    for metric, target in targets.items() if one else ():
        turns = f"{one['n']['turns']} held-out turns"
        value = _share(one["ours"][metric], one["intervals"][metric])
        yield f"{METRICS[metric]}, {turns}", value, target


def _llm(report: Report) -> Iterator[Row]:
    most = max((run["clients"] for run in report.get("saturation", ())), default=0)
    told = {"planner": "the planner", "turns": "whole turns"}
    for way in told if most else ():
        ratios = {run["placement"]: run[way]["ratio"] for run in report["saturation"]
                  if run["clients"] == most}  # fmt: skip
        yield (
            f"vLLM's tokens/s through {told[way]} beside bare HTTP, {most} clients",
            " and ".join(f"{ratio:.2f} (cores {name})" for name, ratio in ratios.items()),
            "≥ .90",
        )
    house = report["first"]["house"]
    yield "first item of a turn, house model in this process", _both(house["item_ms"], " ms"), ""
    yield "first word of a turn, house model in this process", _both(house["word_ms"], " ms"), ""
    medians = {one["calls"]["median"] for one in report["calls"].values()}
    yield "model calls per turn, median", f"{max(medians):g}", "≤ 1"


def _retrieval(report: Report) -> Iterator[Row]:
    for name, told in (
        ("electronics", "electronics ratings"),
        ("homedepot", "Home Depot, judged titles"),
        ("homedepot_catalog", "Home Depot, all titles"),
    ):
        one = report["sets"].get(name)
        if one is None:
            continue
        floors = {key: own["ndcg@10"]["mean"] for key, own in one["baselines"].items()}
        best = max(floors, key=lambda key: floors[key])
        yield (
            f"nDCG@10 on {told}, beside the best floor ({best})",
            f"{one['ours']['ndcg@10']['mean']:.3f} and {floors[best]:.3f}",
            "≥ the best floor",
        )


def _critiques(report: Report) -> Iterator[Row]:
    catalogs = report["catalogs"].values()
    for name, told, aim in (
        ("change_accuracy", "asked-for changes made", "≥ .98"),
        ("keep_accuracy", "kept of what should stay", "≥ .90"),
    ):
        low, high = (edge(one["ours"][name] for one in catalogs) for edge in (min, max))
        yield f"like this but X, {told}", f"{low:.3f} to {high:.3f} over the catalogs", aim
    low, high = (edge(one["ours"]["violation_rate"] for one in catalogs) for edge in (min, max))
    yield "like this but X, slates with an item that breaks it", f"{low:g} to {high:g}", "0"


def _engines(report: Report) -> Iterator[Row]:
    sizes = [int(key.split("@")[1]) for key in report["results"] if key.startswith("qdrant-edge@")]
    size = max(sizes)
    one = report["results"][f"qdrant-edge@{size}"]
    shares = one["selectivity"].values()
    recalls = " / ".join(f"{share['recall@10']:.3f}" for share in shares)
    slow = " / ".join(f"{share['hybrid_p95_ms']:.1f}" for share in shares)
    yield f"recall@10 at {size:,} items, all / 10 / 1 / 0.1 % match", recalls, "≥ .95"
    yield f"hybrid search at {size:,} items, p95", f"{slow} ms", "≤ 3 × the first"
    yield f"memory serving {size:,} items", f"{one['after_queries']['rss_mb']:,.0f} MB", "≤ 2 GB"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What writes a file of figures, how it measures, and the rows of the README it gives."""

    rows: Callable[[Report], Iterator[Row]]
    command: str
    protocol: str


BENCHMARKS = {
    "understanding": Benchmark(
        _understanding,
        "python benchmarks/understanding.py",
        "hand-labelled dialogues replayed with the rule planner, earlier errors carried along; "
        "95 % intervals ([more](docs/evaluation.md))",
    ),
    "conversations": Benchmark(
        _conversations,
        "python benchmarks/conversations.py",
        "a random speaker talks to small real and odd invented shops whose items change; every "
        "turn is checked ([more](docs/measurements.md#random-conversations))",
    ),
    "turns": Benchmark(
        _turns,
        "python benchmarks/turns.py --sizes 1000 5000 20000 44000",
        "scripted sessions over the fashion catalog, rule planner, MiniLM, every turn stored "
        "durably ([more](docs/measurements.md#a-turn))",
    ),
    "indexing": Benchmark(
        _indexing,
        "python benchmarks/indexing.py",
        "the first rows of the fashion catalog, each size in a process of its own, the encoder "
        "alone timed just before and after ([more](docs/measurements.md#indexing))",
    ),
    "retrieval": Benchmark(
        _retrieval,
        "python benchmarks/retrieval_quality.py",
        "queries and items judged by people, nothing tuned on their judgements; paired intervals "
        "and the floors in full in [retrieval](docs/retrieval.md#results)",
    ),
    "critiques": Benchmark(
        _critiques,
        "python benchmarks/critiques.py",
        "2,000 cases made from each catalog, the words typed into the whole dialogue with the rule "
        "planner ([more](docs/critiques.md))",
    ),
    "engines": Benchmark(
        _engines,
        "python benchmarks/engines.py",
        "engine `qdrant-edge`, real items of six catalogs and mixtures of their neighbours, 200 "
        "real shopping queries, recall against comparing every vector ([more](docs/scale.md))",
    ),
    "llm": Benchmark(
        _llm,
        "python benchmarks/llm.py",
        "the requests of scripted sessions sent to vLLM on this machine in three ways, in turn; "
        "turns with the fast path on, over the demo catalog "
        "([more](docs/measurements.md#the-language-model))",
    ),
    "loop": Benchmark(
        loop_rows,
        "attune loop demo",
        "simulated users with a taste that the base does not know; people never learned from, "
        "paired, on seeds that its makers had looked at "
        "([more](docs/loop.md#shown-on-simulated-users))",
    ),
    "gate": Benchmark(
        gate_rows,
        "python benchmarks/gate.py",
        "adapters trained to be worse in one way each, and the same faults put on from outside "
        "([more](docs/gate.md))",
    ),
    "swap": Benchmark(
        swap_rows,
        "python benchmarks/swap.py",
        "plan requests through the router while adapters are promoted and rolled back "
        "([more](docs/adapters.md))",
    ),
    "off_policy": Benchmark(
        off_policy_rows,
        "python -m benchmarks.off_policy",
        "explored slates replayed beside the truth of simulated users, SNIPS, settings that it "
        "asks to be trusted in ([more](docs/loop.md#before-and-beside-the-gate))",
    ),
}


def headlines(results: Path = RESULTS) -> str:
    """Return the table of the README, and the command and protocol behind each figure."""
    reports = {name: read(name, results) for name in BENCHMARKS}
    rows, sources = [], []
    for name, report in reports.items():
        if report is None:
            continue
        own, link = BENCHMARKS[name], f"[{name}](benchmarks/results/{name}.json)"
        rows += [(*row, link) for row in own.rows(report)]
        sources.append(f"- {name}: `{own.command}`; {own.protocol}.\n")
    if not rows:
        return MISSING
    return table(("what", "measured", "aim", "from"), rows) + "\n" + "".join(sources)


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
         f"{one['disk_mb']:.0f}", _both(one["search"]["hybrid"]), f"{one['load_average']:.1f}")
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
        (stage, *(_both(one["stages_ms"][stage]) for one in sizes))
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
    figures = (_share(one["ours"][m], one["intervals"][m]) for m in METRICS)
    return (f"`{name}`", ROLES.get(name, ""), str(one["n"]["turns"]), *figures)


def _baselines(held: Report) -> str:
    rows = [("ours", *(_share(held["ours"][m]) for m in METRICS))]
    rows += [(n, *(_share(one[m]) for m in METRICS)) for n, one in held["baselines"].items()]
    return "Held out, beside the baselines:\n\n" + table(("", *METRICS.values()), rows)


def _by_catalog(held: Report) -> str:
    rows = [
        (name, str(one["n"]), *(_share(one[m]) for m in METRICS))
        for name, one in held["by_catalog"].items()
    ]
    return "Held out, by catalog:\n\n" + table(("catalog", "turns", *METRICS.values()), rows)


def _kinds(held: Report) -> str:
    rows = [(kind, str(count)) for kind, count in held["errors"]["kinds"].items()]
    return "Held out, new errors by kind:\n\n" + table(("kind", "times"), rows)
