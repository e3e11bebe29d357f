"""Hold random conversations with many small catalogs and check every turn of them.

    python benchmarks/conversations.py [--conversations N] [--seed S] [--workers W] [--out JSON]
    python benchmarks/conversations.py --replay '{"shop": …, "steps": […]}'

Prints a table of what was done and what was violated, and for each kind of violation the command
that plays the shortest case again. Exit code 1 when anything was violated. The catalogs are the
demo, samples of ../shared/data where it is, and invented odd ones; `benchmarks.random_talk` says
what is said and what is checked.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from benchmarks.random_talk.play import KINDS, Talk, converse, replay, reproduction, shrink
from benchmarks.random_talk.shops import Shop, names, open_shop
from benchmarks.random_talk.speech import Words

ROOT = Path(__file__).parents[1]
BATCH = 25
SHRUNK = 2
"""So many cases of each kind of violation are made short, by each worker."""


@dataclass(slots=True)
class Tally:
    """What came of many conversations."""

    conversations: Counter[str] = field(default_factory=Counter)
    turns: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    where: Counter[str] = field(default_factory=Counter)
    cases: list[dict[str, str]] = field(default_factory=list)

    def add(self, talk: Talk) -> None:
        """Count one conversation."""
        self.conversations[talk.shop] += 1
        self.turns[talk.shop] += talk.turns
        self.acts.update(talk.acts)
        for name in ("refused", "shown", "claims", "changes", "relaxed"):
            self.counts[name] += getattr(talk, name)
        for one in talk.violations:
            self.violations[one.kind] += 1
            self.where[talk.shop] += 1

    def merge(self, other: Tally) -> None:
        """Add another tally to this one."""
        for name in ("conversations", "turns", "counts", "acts", "violations", "where"):
            getattr(self, name).update(getattr(other, name))
        self.cases += other.cases


@dataclass(frozen=True, slots=True)
class Batch:
    """Some conversations with one shop."""

    shop: str
    seed: int
    first: int
    count: int
    scratch: str


_open: dict[str, tuple[Shop, Words]] = {}
_shrunk: Counter[str] = Counter()


def _shop(batch: Batch) -> tuple[Shop, Words]:
    """Return a shop of this process, opening it when it is first talked to."""
    if batch.shop not in _open:
        while _open:
            _open.popitem()[1][0].close()
        shop = open_shop(batch.shop, Path(tempfile.mkdtemp(dir=batch.scratch)))
        _open[batch.shop] = shop, Words.of(shop.retriever.facets, shop.items.values())
    return _open[batch.shop]


def hold(batch: Batch) -> Tally:
    """Hold the conversations of a batch."""
    shop, words = _shop(batch)
    tally = Tally()
    for number in range(batch.first, batch.first + batch.count):
        talk = converse(shop, words, f"{batch.seed}/{batch.shop}/{number}")
        tally.add(talk)
        tally.cases += _cases(shop, talk)
    return tally


def _cases(shop: Shop, talk: Talk) -> Iterator[dict[str, str]]:
    """Yield the violations of a talk with the shortest steps that show them."""
    for kind in {one.kind for one in talk.violations}:
        _shrunk[kind] += 1
        if _shrunk[kind] > SHRUNK:
            continue
        first = next(one for one in talk.violations if one.kind == kind)
        steps = shrink(shop, talk.steps[: first.step + 1], kind)
        yield {"kind": kind, "detail": first.detail, "again": reproduction(shop.name, steps)}


def batches(total: int, seed: int, shops: tuple[str, ...], scratch: str) -> list[Batch]:
    """Return the work: the same number of conversations with every shop, shop after shop."""
    shares = [total // len(shops) + (place < total % len(shops)) for place in range(len(shops))]
    return [
        Batch(shop, seed, first, min(BATCH, share - first), scratch)
        for shop, share in zip(shops, shares, strict=True)
        for first in range(0, share, BATCH)
    ]


def run(work: list[Batch], workers: int, console: Console) -> Tally:
    """Hold all conversations, in several processes, with a progress bar."""
    tally = Tally()
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    # Spawned, not forked: threads of numeric libraries do not survive a fork.
    pool = multiprocessing.get_context("spawn").Pool(workers)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("conversations", total=sum(batch.count for batch in work))
        for one in pool.imap_unordered(hold, work):
            tally.merge(one)
            progress.advance(task, sum(one.conversations.values()))
            found = sum(tally.violations.values())
            progress.update(task, description=f"conversations, {found} violations")
    pool.close()
    pool.join()
    return tally


def report(tally: Tally, seconds: float, given: argparse.Namespace) -> dict[str, Any]:
    """Return the outcome as plain values."""
    conversations, turns = sum(tally.conversations.values()), sum(tally.turns.values())
    return {
        "conversations": conversations,
        "turns": turns,
        "seed": given.seed,
        "workers": given.workers,
        "seconds": round(seconds, 1),
        "conversations_per_s": round(conversations / seconds, 1),
        "turns_per_s": round(turns / seconds, 1),
        "violations": {kind: tally.violations[kind] for kind in KINDS},
        "refused_utterances": tally.counts["refused"],
        "items_shown": tally.counts["shown"],
        "claims_verified": tally.counts["claims"],
        "turns_with_relaxation": tally.counts["relaxed"],
        "catalog_changes": tally.counts["changes"],
        "acts": dict(tally.acts.most_common()),
        "shops": {
            shop: {"conversations": tally.conversations[shop], "turns": tally.turns[shop],
                   "violations": tally.where[shop]}
            for shop in tally.conversations
        },
        "machine": f"{platform.machine()}, python {platform.python_version()}",
    }  # fmt: skip


def table(outcome: dict[str, Any]) -> Table:
    """Return the outcome as a table."""
    shown = Table("what", "count", title="Random conversations")
    shown.columns[1].justify = "right"
    for name, value in outcome.items():
        if isinstance(value, int | float) and name != "seed":
            shown.add_row(name.replace("_", " "), f"{value:,}")
    for section in ("acts", "violations"):
        shown.add_section()
        for name, count in outcome[section].items():
            prefix = "act" if section == "acts" else "violation"
            shown.add_row(
                f"{prefix}: {name}", f"{count:,}", style="red" if _bad(prefix, count) else ""
            )
    shown.add_section()
    for name, one in outcome["shops"].items():
        shown.add_row(f"shop: {name}", f"{one['conversations']:,} / {one['turns']:,} turns")
    return shown


def _bad(prefix: str, count: int) -> bool:
    return prefix == "violation" and count > 0


def play_again(case: str, console: Console) -> int:
    """Play one written-down case and print what it violates."""
    data = json.loads(case)
    with tempfile.TemporaryDirectory() as scratch:
        shop = open_shop(data["shop"], Path(scratch))
        talk = replay(shop, data["steps"])
        shop.close()
    for one in talk.violations:
        console.print(f"step {one.step}: {one.kind}\n{one.detail}\n", markup=False)
    console.print(f"{talk.turns} turns, {len(talk.violations)} violations")
    return 1 if talk.violations else 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Hold random conversations and check every turn.")
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--shops", nargs="+", default=list(names()), choices=names())
    parser.add_argument("--replay", metavar="CASE", help="play the steps of one case again")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/conversations.json")
    return parser.parse_args()


def main() -> int:
    """Hold the conversations, print the outcome and write it down."""
    given, console = arguments(), Console()
    if given.replay:
        return play_again(given.replay, console)
    with tempfile.TemporaryDirectory() as scratch:
        work = batches(given.conversations, given.seed, tuple(given.shops), scratch)
        began = time.perf_counter()
        tally = run(work, given.workers, Console(stderr=True))
        outcome = report(tally, time.perf_counter() - began, given)
    console.print(table(outcome))
    for case in tally.cases:
        console.print(f"\n{case['kind']}\n{case['detail']}\n{case['again']}", markup=False,
                      soft_wrap=True)  # fmt: skip
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(outcome, indent=2, ensure_ascii=False) + "\n")
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
