"""The README's table of figures: a few rows for each benchmark, its command and its protocol.

Pure functions over the JSON that the benchmarks wrote; what was not measured is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ui import service_rows
from ui.figures import (
    HELD_OUT,
    METRICS,
    MISSING,
    RESULTS,
    Report,
    Row,
    both,
    read,
    share,
    table,
)
from ui.loop_rows import gate_rows, loop_rows, off_policy_rows, swap_rows


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
    yield f"whole turn over {items}, p50 / p95", both(stages["whole"], " ms"), "p95 < 60 ms"
    yield "of this, linking", both(stages["link"], " ms"), "p95 < 5 ms"
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
        value = share(one["ours"][metric], one["intervals"][metric])
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
    yield "first item of a turn, house model in this process", both(house["item_ms"], " ms"), ""
    yield "first word of a turn, house model in this process", both(house["word_ms"], " ms"), ""
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
    "load": Benchmark(
        service_rows.load,
        "python benchmarks/load.py",
        "people (another process) talk over HTTP to one server process on the demo catalog; the "
        "model is scripted and takes 300 to 800 ms ([more](docs/reliability.md#load))",
    ),
    "faults": Benchmark(
        service_rows.faults,
        "python -m pytest -m '' tests/faults",
        "processes killed, databases restarted, disks filled under load; then the store is read "
        "([more](docs/reliability.md#what-holds))",
    ),
    "schemathesis": Benchmark(
        service_rows.fuzz,
        "python benchmarks/api_fuzz.py --examples 220",
        "requests made from the OpenAPI file ([more](docs/security.md#measured))",
    ),
    "hostile": Benchmark(
        service_rows.hostile,
        "python benchmarks/hostile.py",
        "instructions inside catalog, pages, tools, history and users' words; with the rules, with "
        "a model that obeys them, and with the house model ([more](docs/security.md))",
    ),
    "knowledge": Benchmark(
        service_rows.knowledge,
        "python -m benchmarks.knowledge",
        "questions to invented businesses that nothing was fitted on ([more](docs/knowledge.md))",
    ),
    "privacy": Benchmark(
        service_rows.privacy,
        "python benchmarks/privacy.py --set heldout",
        "generated and written utterances that nothing was tuned on ([more](docs/privacy.md))",
    ),
    "frameworks": Benchmark(
        service_rows.frameworks,
        "python benchmarks/frameworks.py",
        "the same labelled conversations, scripted model server and catalog, in alternation "
        "([more](docs/openai.md#beside-agent-frameworks))",
    ),
    "ui_speed": Benchmark(
        service_rows.ui_speed,
        "python -m benchmarks.ui_speed",
        "from Enter until it is on the screen, in the browser ([more](docs/ui.md#measured))",
    ),
    "languages": Benchmark(
        service_rows.languages,
        "python benchmarks/languages.py",
        "utterances written before the tables, by their maker ([more](docs/languages.md))",
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
