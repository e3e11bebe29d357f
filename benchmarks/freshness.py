"""Write a thousand items a second while people search: rates, what searches notice, what is missed.

    python benchmarks/freshness.py [--seconds 60] [--synthetic 200000 …] [--quick] [--out JSON]

Over the fashion catalog of ../shared/data where it is, and over invented ones. Vectors come from
word hashes, so that no time of an encoder is in the figures; a changed price or stock needs none
anyway. Each catalog is measured in a process of its own. Prints a table, writes JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.indexing import FASHION, peak_mb  # noqa: E402

DIMENSION = 384
ASKING = 2
PAUSE_S = 0.05
"""Searching threads, and how long each waits after an answer, as people do."""
WRITERS = 16
BATCH = 100
RATE = 1_000
"""Items per second that the paced writer keeps to."""
SYNCS = 200


@dataclass(slots=True)
class Seen:
    """What a phase showed: when each write was acknowledged, how long each search took."""

    acknowledged: list[tuple[float, int]] = field(default_factory=list)
    searches: list[float] = field(default_factory=list)
    misses: int = 0
    checked: int = 0


def sync_rate(folder: Path) -> float:
    """Return how many appends of one vector the disk makes durable in a second."""
    path = folder / "syncs"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    began = time.perf_counter()
    for number in range(SYNCS):
        os.pwrite(descriptor, b"x" * 4 * DIMENSION, number * 4 * DIMENSION)
        os.fsync(descriptor)
    spent = time.perf_counter() - began
    os.close(descriptor)
    path.unlink()
    return SYNCS / spent


def run(seconds: float, seen: Seen, *workers: Callable[[Callable[[], bool]], None]) -> None:
    """Run workers in threads until the time is over."""
    end = time.perf_counter() + seconds
    threads = [
        threading.Thread(target=work, args=(lambda: time.perf_counter() < end,)) for work in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def asker(retriever: Any, titles: Sequence[str], seen: Seen, seed: int) -> Any:
    """Return a worker that searches by meaning and words, a third of the time under a filter."""
    from retrieval import Compare

    chance = random.Random(seed)
    facet = next(f for f in retriever.facets if f.values)
    common = Compare(facet.name, "eq", facet.values[0][0])

    def ask(going: Callable[[], bool]) -> None:
        while going():
            words = " ".join(chance.choice(titles).split()[:4])
            filter = common if chance.random() < 1 / 3 else None
            began = time.perf_counter()
            retriever.search(words, filter=filter, k=50)
            seen.searches.append(time.perf_counter() - began)
            time.sleep(PAUSE_S)

    return ask


def writer(
    retriever: Any, items: Sequence[Any], seen: Seen, seed: int, size: int, every_s: float = 0.0
) -> Any:
    """Return a worker that flips prices and stock, some items at a time, at most so often."""
    chance = random.Random(seed)

    def write(going: Callable[[], bool]) -> None:
        due = time.perf_counter()
        while going():
            retriever.upsert([flipped(item, chance) for item in chance.sample(items, size)])
            seen.acknowledged.append((time.perf_counter(), size))
            due += every_s
            time.sleep(max(0.0, due - time.perf_counter()))

    return write


def checker(retriever: Any, items: Sequence[Any], seen: Seen, seed: int) -> Any:
    """Return a worker that looks for every write as soon as it is acknowledged."""
    from retrieval import Compare

    chance = random.Random(seed)

    def check(going: Callable[[], bool]) -> None:
        # Items of its own: another writer's later price is no miss.
        own = [replace(item, id=f"{seed}/{item.id}") for item in chance.sample(items, 50)]
        while going():
            item = flipped(chance.choice(own), chance)
            price = item.fields["price"]
            gone = chance.random() < 0.2
            retriever.delete([item.id]) if gone else retriever.upsert([item])
            seen.acknowledged.append((time.perf_counter(), 1))
            expected = [] if gone else [price]
            found = [one.fields["price"] for one in retriever.get_many([item.id])]
            exact = Compare("price", "eq", price)
            hits = [hit.item.id for hit in retriever.search(item.title, filter=exact, k=200)]
            seen.misses += found != expected or (item.id in hits) == gone
            seen.checked += 1

    return check


def flipped(item: Any, chance: random.Random) -> Any:
    """Return an item with another price and stock."""
    price = float(chance.randint(1, 10**6))
    return replace(item, fields={**item.fields, "price": price, "in_stock": price % 2 == 0})


def figures(seen: Seen, seconds: float) -> dict[str, Any]:
    """Return the rates and times of a phase."""
    found: dict[str, Any] = {}
    if seen.searches:
        p50, p95 = np.percentile(seen.searches, [50, 95]) * 1000
        found |= {
            "searches": len(seen.searches), "p50_ms": round(float(p50), 1),
            "p95_ms": round(float(p95), 1), "slowest_ms": round(max(seen.searches) * 1000, 1),
        }  # fmt: skip
    if seen.acknowledged:
        times = sorted(when for when, _ in seen.acknowledged)
        gaps = np.diff(times) if len(times) > 1 else np.zeros(1)
        found["upserts_per_s"] = round(sum(size for _, size in seen.acknowledged) / seconds)
        found["longest_pause_of_writes_ms"] = round(float(gaps.max()) * 1000, 1)
    if seen.checked:
        found |= {"checked": seen.checked, "misses": seen.misses}
    return found


def phases(retriever: Any, items: Sequence[Any], seconds: float) -> dict[str, Any]:
    """Return the figures before writes, and during each kind of them."""
    titles = [item.title for item in items]
    found: dict[str, Any] = {}

    def phase(name: str, make: Callable[[Seen], list[Any]], length: float = seconds) -> None:
        seen = Seen()
        asking = [asker(retriever, titles, seen, seed) for seed in range(ASKING)]
        cpu = time.process_time()
        run(length, seen, *asking, *make(seen))
        # Shows whether the machine was busy with something else: at most its cores.
        found[name] = figures(seen, length) | {
            "cores_used": round((time.process_time() - cpu) / length, 2),
            "load_average": round(os.getloadavg()[0], 1),
        }
        print(f"  {name}: {found[name]}", file=sys.stderr, flush=True)

    def writing(threads: int, size: int, every_s: float = 0.0) -> Callable[[Seen], list[Any]]:
        return lambda seen: [
            writer(retriever, items, seen, 100 + seed, size, every_s) for seed in range(threads)
        ]

    # A field that no item had before makes a new facet; that is not what is measured.
    retriever.upsert([flipped(items[0], random.Random(0))])
    run(2.0, Seen(), asker(retriever, titles, Seen(), 0))
    phase("before", lambda seen: [], min(seconds, 20))
    phase("paced", writing(1, BATCH, BATCH / RATE))
    phase("batches", writing(1, BATCH))
    phase("single", writing(WRITERS, 1))
    phase("checked", lambda seen: [checker(retriever, items, seen, n) for n in range(4)],
          min(seconds, 20))  # fmt: skip
    return found


def measure(file: Path | None, size: int, seconds: float, encoder_name: str) -> dict[str, Any]:
    """Build a catalog and write into it while it is searched."""
    from benchmarks.indexing import catalog
    from retrieval.encoder import make_encoder
    from retrieval.engines import Target
    from retrieval.retriever import Retriever

    loaded = catalog(file, size)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as scratch:
        folder = Path(scratch)
        syncs = sync_rate(folder)
        encoder = make_encoder(encoder_name)
        Retriever.build(loaded, folder, encoder=encoder, target=Target("exact"))
        with Retriever.open(folder, encoder) as retriever:
            found = phases(retriever, loaded.items, seconds)
            began = time.perf_counter()
            rows = len(list(retriever.index.ids()))
        closing = time.perf_counter() - began
    assert rows >= len(loaded.items)
    return {
        "catalog": file.name if file else "invented",
        "items": len(loaded.items),
        "syncs_per_s": round(syncs),
        "phases": found,
        "single_per_sync": round(found["single"]["upserts_per_s"] / syncs, 2),
        "p95_during_to_before": round(found["paced"]["p95_ms"] / found["before"]["p95_ms"], 2),
        "close_s": round(closing, 2),
        "peak_mb": round(peak_mb()),
    }


def table(results: list[dict[str, Any]]) -> str:
    """Return the results as a table, one catalog and phase per row."""
    header = ("items", "phase", "upserts/s", "p50 ms", "p95 ms", "slowest", "write pause", "misses",
              "cores", "load")  # fmt: skip
    rows = [header]
    for one in results:
        for name, phase in one["phases"].items():
            keys = ("upserts_per_s", "p50_ms", "p95_ms", "slowest_ms", "longest_pause_of_writes_ms",
                    "misses", "cores_used", "load_average")  # fmt: skip
            rows.append((f"{one['items']:,}", name, *(str(phase.get(key, "")) for key in keys)))
    widths = [max(len(row[place]) for row in rows) for place in range(len(header))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure writes beside searches.")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each phase")
    parser.add_argument("--synthetic", type=int, nargs="*", default=[200_000], help="items")
    parser.add_argument("--quick", action="store_true", help="a small catalog, a few seconds")
    parser.add_argument("--encoder", default=f"hashing-{DIMENSION}")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/freshness.json")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure one catalog in this process, or all of them in one process each."""
    given = arguments()
    if given.size:
        print(json.dumps(measure(given.file, given.size, given.seconds, given.encoder)))
        return
    wanted = [(None, size) for size in given.synthetic]
    if given.quick:
        wanted, given.seconds = [(None, 2_000)], min(given.seconds, 2.0)
    elif FASHION.exists():
        wanted.insert(0, (FASHION, 10**9))
    results = []
    for file, size in wanted:
        command = [sys.executable, __file__, "--size", str(size), "--seconds", str(given.seconds),
                   "--encoder", given.encoder]  # fmt: skip
        command += ["--file", str(file)] if file else []
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        results.append(json.loads(output.stdout.splitlines()[-1]))
    about = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "seconds": given.seconds,
        "catalogs": results,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(about, indent=2) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
