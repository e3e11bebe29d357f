"""Index engines side by side at 10k, 100k and 1M real-like items of 384 dimensions.

    python benchmarks/engines.py [--sizes N…] [--engines NAME…] [--keep] [--out JSON]

Needs ../shared/data (see benchmarks/engine_load/realistic.py for what the items are). Every engine
builds and serves in processes of its own, so that its memory is its own. Recall is against the
exact scan of all vectors. Prints a table; the JSON is added to, so sizes can be run one by one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.engine_load import realistic  # noqa: E402

SIZES = (10_000, 100_000, 1_000_000)
ENGINES = ("exact", "qdrant-edge", "pgvector")
SHARES = {"all": 1.0, "10 %": 0.1, "1 %": 0.01, "0.1 %": 0.001}
K = 10
QPS_SECONDS = 10.0
TIE = 1e-5
ENCODER = "all-MiniLM-L6-v2"
DIMENSION = 384


def bucket(share: float) -> Any:
    """Return a filter that lets through a share of the items, whatever the query."""
    from retrieval.filters import Compare

    return None if share == 1.0 else Compare("bucket", "lt", realistic.BUCKETS * share)


# What an engine runs on


@contextmanager
def target(engine: str) -> Iterator[tuple[str, Path | None]]:
    """Yield the URL of an engine and where its server keeps its data, starting one if need be."""
    if engine != "pgvector":
        yield "", None
        return
    from benchmarks.engine_load.postgres import server

    with server() as running:
        yield running.database("bench"), running.folder


def place(folder: Path, url: str) -> Any:
    """Return what the engine is opened with."""
    from retrieval.engines import Place

    return Place(folder / "project", ENCODER, DIMENSION, url, "bench" if url else "")


def child(job: str, engine: str, size: int, folder: Path, url: str) -> Any:
    """Run a job of this file in a process of its own and return what it prints last."""
    command = [sys.executable, __file__, "--job", job, "--engines", engine, "--sizes", str(size),
               "--folder", str(folder), "--url", url]  # fmt: skip
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{job} of {engine} at {size:,} failed")
    return json.loads(done.stdout.splitlines()[-1])


# Jobs


def build(engine: str, size: int, folder: Path, url: str) -> dict[str, Any]:
    """Write all items and make the index ready; return seconds and peak memory."""
    from retrieval.engines import open_index

    source = realistic.pool()
    index = open_index(engine, place(folder, url))
    base, writing = memory()["rss_mb"], 0.0
    for number, (items, vectors) in enumerate(realistic.chunks(source, size)):
        began = time.perf_counter()
        index.apply(items, vectors)
        writing += time.perf_counter() - began
        if number % 10 == 9:
            print(f"{engine}: {(number + 1) * 10_000:,} in {writing:.0f} s", file=sys.stderr)
    began = time.perf_counter()
    index.save()
    saving = time.perf_counter() - began
    index.close()
    return {
        "write_s": round(writing, 1),
        "finish_s": round(saving, 1),
        "build_peak_mb": round(memory()["peak_mb"]),
        "items_held_by_the_benchmark_mb": round(base),
    }


def serve(engine: str, size: int, folder: Path, url: str) -> dict[str, Any]:
    """Open the index as a reader and ask it everything; return times, recall and memory."""
    from retrieval.engines import open_index

    texts, vectors = realistic.queries()
    truth = json.loads((realistic.KEPT / f"truth-{size}.json").read_text())
    before = memory()["rss_mb"]
    began = time.perf_counter()
    index = open_index(engine, place(folder, url), write=False)
    index.search(vectors[0], texts[0], k=K)
    opened = time.perf_counter() - began
    result: dict[str, Any] = {"open_s": round(opened, 2), "selectivity": {}}
    for name, share in SHARES.items():
        result["selectivity"][name] = asked(index, texts, vectors, bucket(share), truth[name])
    result["qps_2_threads"] = round(throughput(index, texts, vectors), 1)
    result["after_queries"] = memory()
    result["grown_mb"] = round(memory()["rss_mb"] - before)
    index.close()
    return result


def asked(
    index: Any, texts: list[str], vectors: Any, filter: Any, truth: list[list[str]]
) -> dict[str, float]:
    """Return recall@10 and latencies of dense and hybrid searches under a filter."""
    hits = []
    dense, hybrid = list[float](), list[float]()
    for text, vector, expected in zip(texts, vectors, truth, strict=True):
        began = time.perf_counter()
        found = index.search(vector, filter=filter, k=K)
        dense.append(time.perf_counter() - began)
        # Whoever ties with the last true neighbour is as good as it: shops sell twins.
        worst = float((index.vectors(expected) @ vector).min()) - TIE
        hits.append(sum(one.dense >= worst for one in found) / len(expected))
        began = time.perf_counter()
        both = index.search(vector, text, filter, k=K)
        hybrid.append(time.perf_counter() - began)
        assert len(both) == K, f"{len(both)} found for {text!r} under {filter!r}"
    return {
        "recall@10": round(float(np.mean(hits)), 4),
        **{f"dense_{name}": value for name, value in percentiles(dense).items()},
        **{f"hybrid_{name}": value for name, value in percentiles(hybrid).items()},
    }


def throughput(index: Any, texts: list[str], vectors: Any) -> float:
    """Return hybrid searches per second of two threads, a tenth of them filtered."""
    counts, stop = [0, 0], time.perf_counter() + QPS_SECONDS

    def ask(thread: int) -> None:
        number = thread * 50
        while time.perf_counter() < stop:
            at = number % len(texts)
            index.search(vectors[at], texts[at], bucket(0.1) if number % 10 == 0 else None, K)
            counts[thread] += 1
            number += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / QPS_SECONDS


def truth(size: int) -> None:
    """Write the ids of the true nearest items of each query, by selectivity."""
    path = realistic.KEPT / f"truth-{size}.json"
    if path.is_file():
        return
    source = realistic.pool()
    whole = realistic.matrix(source, size)
    _, vectors = realistic.queries()
    buckets = np.concatenate(
        [[item.fields["bucket"] for item in items] for items, _ in realistic.chunks(source, size)]
    )
    found: dict[str, list[list[str]]] = {}
    for name, share in SHARES.items():
        rows = np.flatnonzero(buckets < realistic.BUCKETS * share)
        best = np.full((len(vectors), K), -2.0, np.float32), np.zeros((len(vectors), K), np.int64)
        for start in range(0, len(rows), 20_000):
            chosen = rows[start : start + 20_000]
            scores = np.concatenate([best[0], vectors @ whole[chosen].T], axis=1)
            ids = np.concatenate([best[1], np.tile(chosen, (len(vectors), 1))], axis=1)
            top = np.argpartition(-scores, K - 1, axis=1)[:, :K]
            best = np.take_along_axis(scores, top, 1), np.take_along_axis(ids, top, 1)
        found[name] = [[f"item-{row}" for row in line] for line in best[1].tolist()]
    path.write_text(json.dumps(found))


# Measuring


def memory() -> dict[str, float]:
    """Return resident memory of this process in MB: all, not backed by files, of files, peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kb = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}
    names = {"rss_mb": "VmRSS", "anonymous_mb": "RssAnon", "file_mb": "RssFile", "peak_mb": "VmHWM"}
    return {name: round(kb[own] / 1024, 1) for name, own in names.items()}


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return p50 and p95 in milliseconds."""
    return {f"p{p}_ms": round(float(np.percentile(seconds, p)) * 1000, 2) for p in (50, 95)}


def disk_mb(folder: Path) -> float:
    """Return what the files of a folder take on disk."""
    blocks = (path.lstat().st_blocks for path in folder.rglob("*") if path.is_file())
    return round(sum(blocks) * 512 / 2**20, 1)


def measure(engine: str, size: int, folder: Path) -> dict[str, Any]:
    """Build one engine at one size, serve from it, and return all figures."""
    with target(engine) as (url, data):
        result = child("build", engine, size, folder, url)
        result["disk_mb"] = disk_mb(folder)
        if data is not None:
            result["server_disk_mb"] = disk_mb(data)
        result.update(child("serve", engine, size, folder, url))
        if data is not None:
            from benchmarks.engine_load.postgres import resident_mb

            result["server_mb"] = resident_mb()
    shares = result["selectivity"]
    result["filtered_over_unfiltered_p95"] = round(
        max(one["hybrid_p95_ms"] for name, one in shares.items() if name != "all")
        / shares["all"]["hybrid_p95_ms"], 2,
    )  # fmt: skip
    return result


COLUMNS = ("engine", "items", "build s", "disk MB", "serving MB", "open s", "recall@10",
           "dense p95 ms", "hybrid p95 ms", "queries/s")  # fmt: skip


def table(results: dict[str, dict[str, Any]]) -> None:
    """Print what was measured; figures with slashes are at all / 10 % / 1 % / 0.1 % matching."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(*COLUMNS, caption="all / 10 % / 1 % / 0.1 % of the items match")
    for key, one in results.items():
        engine, size = key.split("@")
        shares = one["selectivity"].values()
        held = one["after_queries"]["rss_mb"] + one.get("server_mb", 0)
        shown.add_row(
            engine, f"{int(size):,}", f"{one['write_s'] + one['finish_s']:,.0f}",
            f"{one['disk_mb'] + one.get('server_disk_mb', 0):,.0f}", f"{held:,.0f}",
            f"{one['open_s']:.2f}",
            *(" / ".join(f"{share[name]:{form}}" for share in shares) for name, form in
              (("recall@10", ".3f"), ("dense_p95_ms", ".1f"), ("hybrid_p95_ms", ".1f"))),
            f"{one['qps_2_threads']:.1f}",
        )  # fmt: skip
    Console(width=160).print(shown)


JOBS: dict[str, Callable[..., dict[str, Any]]] = {"build": build, "serve": serve}


def main() -> None:
    """Measure every engine at every size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--keep", action="store_true", help="leave the built indexes in build/")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/engines.json")
    for name in ("job", "folder", "url"):
        parser.add_argument(f"--{name}", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        job = JOBS[args.job]
        print(json.dumps(job(args.engines[0], args.sizes[0], Path(args.folder), args.url)))
        return
    if not realistic.DATA.is_dir():
        raise SystemExit("needs ../shared/data, which is not here")
    report = json.loads(args.out.read_text()) if args.out.is_file() else {"results": {}}
    report["machine"] = {"cpus": os.cpu_count(), "python": platform.python_version()}
    for size in args.sizes:
        truth(size)
        for engine in args.engines:
            folder = realistic.KEPT / "engines" / f"{engine}-{size}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            report["results"][f"{engine}@{size}"] = measure(engine, size, folder)
            args.out.write_text(json.dumps(report, indent=2) + "\n")
            if not args.keep:
                shutil.rmtree(folder)
    table(report["results"])


if __name__ == "__main__":
    main()
