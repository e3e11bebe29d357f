"""Index a catalog at several sizes: rate beside the bare encoder, memory, disk, open and search.

    python benchmarks/indexing.py [FILE] [--quick] [--encoder NAME] [--out JSON]

Without FILE: the fashion catalog of ../shared/data where it is, else invented items. Every size
runs in a process of its own, so that its peak memory is its own. Prints a table, writes JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
FASHION = ROOT.parent / "shared/data/catalog_fashion.csv.gz"
SIZES = (1_000, 5_000, 20_000, 44_000)
QUICK_SIZES = (200, 1_000)
QUERIES = 300
BARE = 2_000
"""Texts the bare encoder is timed on, in each of two rounds around the build."""


def invented(count: int) -> Any:
    """Return a catalog of made-up items."""
    from retrieval.catalog import Item
    from retrieval.loading import LoadedCatalog, Mapping, infer_facets

    chance = random.Random(7)
    words = ["".join(chance.choices("aeioubdklmnrst", k=6)) for _ in range(2_000)]
    items = tuple(
        Item(
            str(number),
            " ".join(chance.choices(words, k=6)),
            fields={"colour": chance.choice(words[:40]), "price": float(chance.randint(1, 300))},
        )
        for number in range(count)
    )
    return LoadedCatalog("invented", items, infer_facets(items, Mapping()), Mapping())


def catalog(file: Path | None, size: int) -> Any:
    """Return the first items of a catalog."""
    from retrieval.loading import infer_facets, load

    if file is None:
        return invented(size)
    loaded = load([file])
    items = loaded.items[:size]
    return replace(loaded, items=items, facets=infer_facets(items, loaded.mapping))


def peak_mb() -> float:
    """Return the peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return p50 and p95 in milliseconds."""
    return {f"p{p}_ms": round(float(np.percentile(seconds, p)) * 1000, 2) for p in (50, 95)}


def bare_rate(encoder: Any, texts: list[str]) -> tuple[float, float]:
    """Return the texts per second, and per CPU second, of the encoder alone.

    They are sorted by length as the build does.
    """
    chosen = sorted(texts, key=len)
    began, cpu = time.perf_counter(), time.process_time()
    encoder.encode_items(chosen)
    spent = time.process_time() - cpu
    return len(chosen) / (time.perf_counter() - began), len(chosen) / spent


def timed(calls: list[Any]) -> dict[str, float]:
    """Return how long each call takes."""
    seconds = []
    for call in calls:
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return percentiles(seconds)


def searches(retriever: Any) -> dict[str, dict[str, float]]:
    """Time searches for words of the catalog's own titles, none asked twice."""
    from retrieval import And, Compare, Not

    chance = random.Random(3)
    titles = [item.title for item in retriever.items()]
    facet = next(f for f in retriever.facets if f.values)
    common = Compare(facet.name, "eq", facet.values[0][0])
    narrow = And((common, Not(Compare("text", "contains", titles[0].split()[0]))))

    def query() -> str:
        words = chance.choice(titles).split() + chance.choice(titles).split()
        return " ".join(chance.sample(words, min(5, len(words)))) + f" {chance.randint(0, 10**6)}"

    vector = retriever.encoder.encode_queries([titles[0]])
    asked = retriever.search
    search = retriever.index.search
    calls: dict[str, Callable[[], Any]] = {
        "hybrid": lambda: asked(query(), k=50),
        "filtered": lambda: asked(query(), filter=common, k=50),
        "negated": lambda: asked(query(), filter=narrow, k=50),
        "dense only": lambda: search(vector, k=50),
        "words only": lambda: search(text=query(), k=50),
    }
    found = {}
    for name, call in calls.items():
        call()
        found[name] = timed([call] * QUERIES)
    return found


def measure(file: Path | None, size: int, encoder_name: str, cache: Path) -> dict[str, Any]:
    """Build, open and search one size; the figures of it."""
    from retrieval.encoder import make_encoder
    from retrieval.retriever import Retriever
    from retrieval.texts import item_text, leading_facets

    loaded = catalog(file, size)
    leading = leading_facets(loaded.facets)
    texts = list(dict.fromkeys(item_text(item, leading) for item in loaded.items))
    encoder = make_encoder(encoder_name, cache)
    encoder.encode_items(texts[:64])
    before = peak_mb()
    sample = random.Random(5).sample(texts, min(len(texts), BARE))
    bare = [bare_rate(encoder, sample)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        cpu = time.process_time()
        report = Retriever.build(loaded, folder, encoder=encoder)
        cpu = time.process_time() - cpu
        peak = peak_mb()
        bare.append(bare_rate(encoder, sample))
        began = time.perf_counter()
        again = Retriever.build(loaded, folder, encoder=encoder)
        rebuild = time.perf_counter() - began
        began = time.perf_counter()
        retriever = Retriever.open(folder, encoder)
        assert retriever.facets
        opened = time.perf_counter() - began
        found = searches(retriever)
        written = writes(retriever, loaded.items)
        retriever.close()
        disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    rate, (alone, alone_cpu) = report.encoded / report.seconds, np.mean(bare, axis=0)
    assert again.encoded == 0
    return {
        "items": report.items,
        "load_average": round(os.getloadavg()[0], 1),
        "distinct_texts": report.encoded,
        "encoder_class": type(encoder).__name__,
        "build_s": round(report.seconds, 2),
        "encoding_s": round(report.encode_seconds, 2),
        "texts_per_s": round(rate, 1),
        "bare_encoder_per_s": [round(one, 1) for one, _ in bare],
        "share_of_bare": round(float(rate / alone), 3),
        "share_of_bare_in_cpu_time": round(float(report.encoded / cpu / alone_cpu), 3),
        "share_of_build_spent_encoding": round(report.encode_seconds / report.seconds, 3),
        "rebuild_unchanged_s": round(rebuild, 2),
        "open_s": round(opened, 3),
        "peak_mb": round(peak),
        "peak_before_build_mb": round(before),
        "disk_mb": round(disk / 2**20, 1),
        "search": found,
        "write": written,
    }


def writes(retriever: Any, items: Any) -> dict[str, float]:
    """Time price changes one by one, and upserts each followed by a search."""
    changed = [replace(item, fields={**item.fields, "price": 1.0}) for item in items[:QUERIES]]
    began = time.perf_counter()
    for item in changed:
        retriever.upsert([item])
    single = len(changed) / (time.perf_counter() - began)
    began = time.perf_counter()
    for start in range(0, len(changed), 100):
        retriever.upsert(changed[start : start + 100])
    batched = len(changed) / (time.perf_counter() - began)

    def write_and_search(item: Any) -> None:
        retriever.upsert([item])
        retriever.search(item.title, k=10)

    both = timed([lambda item=item: write_and_search(item) for item in changed[:50]])
    return {
        "one_by_one_per_s": round(single),
        "in_hundreds_per_s": round(batched),
        "upsert_and_search_p95_ms": both["p95_ms"],
    }


def table(results: list[dict[str, Any]]) -> str:
    """Return the results as a table, one size per row."""
    header = ("items", "texts", "build s", "texts/s", "bare/s", "share", "by CPU", "peak MB",
              "disk MB", "open s", "again s", "hybrid p50/p95", "filtered",
              "dense", "words")  # fmt: skip
    rows = [header]
    for one in results:
        find = one["search"]
        both = [f"{find[kind]['p50_ms']}/{find[kind]['p95_ms']}" for kind in find]
        rows.append(
            (one["items"], one["distinct_texts"], one["build_s"], one["texts_per_s"],
             round(sum(one["bare_encoder_per_s"]) / 2, 1), one["share_of_bare"],
             one["share_of_bare_in_cpu_time"], one["peak_mb"],
             one["disk_mb"], one["open_s"], one["rebuild_unchanged_s"],
             both[0], both[1], both[3], both[4])
        )  # fmt: skip
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in texts) for place in range(len(header))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in texts
    )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure indexing and search at several sizes.")
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--encoder", default="all-MiniLM-L6-v2")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/attune")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/indexing.json")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure one size in this process, or all of them in one process each."""
    given = arguments()
    file = given.file or (FASHION if FASHION.exists() else None)
    if given.size:
        print(json.dumps(measure(file, given.size, given.encoder, given.cache)))
        return
    results = []
    for size in QUICK_SIZES if given.quick else SIZES:
        command = [sys.executable, __file__, *([str(file)] if file else []), "--size", str(size),
                   "--encoder", given.encoder, "--cache", str(given.cache)]  # fmt: skip
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        results.append(json.loads(output.stdout.splitlines()[-1]))
        keep(given, file, results)
    print(table(results))


def keep(given: argparse.Namespace, file: Path | None, results: list[dict[str, Any]]) -> None:
    """Write the results so far."""
    given.out.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "catalog": file.name if file else "invented",
        "encoder": given.encoder,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "load_average": [round(one, 1) for one in os.getloadavg()],
        "sizes": results,
    }
    given.out.write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
