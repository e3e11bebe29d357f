"""Builds one graph of vectors with qdrant-edge, in a process of its own.

The library holds Python's lock while it builds, so searches of the same process would wait minutes.
Started as `python -m retrieval.engines.edge_build FOLDER PARENT`, where `job.json` says what to do
and PARENT is the process that waits; done when `card.json` is there. This module does not know
stores, columns or filters.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.engines.edge_labels import LABEL, RowLabels
from retrieval.query import Vectors
from retrieval.vector_file import map_rows, sync_file, sync_folder

FORMAT = 1
LINKS = 16
"""Neighbours of a point in the graph (twice that on the lowest level), and in that of its labels:
without the latter, points under a filter lose touch with each other."""
BUILD_EF = 100
ALIKE = 90
"""Neighbours to ask for beyond those wanted: the graph's 8-bit scores are off by 0.0003 (standard
deviation) and cannot tell items apart that are nearly the same."""
INGEST_ROWS = 1000
NICENESS = 10

SAMPLES = 100
BREADTHS = (64, 128, 256, 512, 1024, 2048, 4096)
"""Candidates kept in a search (ef) that are tried until recall is as wanted."""
WANTED = {10: 0.97, 200: 0.97}
"""Recall of the k nearest that the breadth of a search is chosen for, by k."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Job:
    """What to build.

    Args:
        vectors: File of all vectors; `end` of them count.
        first, end: The rows of the graph; only those named in `rows.npy` are put in.
        threads: For building.
        polite: Leave the processor to others.
    """

    vectors: str
    dimension: int
    generation: int
    first: int
    end: int
    threads: int
    polite: bool


@dataclass(frozen=True, slots=True)
class Card:
    """What a graph is, written last.

    Args:
        breadth: The ef that reached the recall in `recall`, by k.
        sizes: Of its files, in bytes, so that a cut one is noticed.
    """

    format: int
    generation: int
    first: int
    end: int
    points: int
    breadth: dict[str, int]
    recall: dict[str, float]
    sizes: dict[str, int]


def limit_of(k: int) -> int:
    """Return how many neighbours to ask a graph for so that the k best are among them."""
    return k + ALIKE


def nearest(shard: Any, query: Vectors, limit: int, breadth: int, filter: Any = None) -> Rows:
    """Return the rows a graph finds for a query, best first."""
    import qdrant_edge as edge

    request = edge.SearchRequest(
        edge.Query.Nearest(query.tolist()),
        limit=limit,
        filter=filter,
        params=edge.SearchParams(hnsw_ef=max(breadth, limit)),
        with_payload=False,
    )
    return np.array([point.id for point in shard.search(request)], dtype=np.int64)


def build(folder: Path) -> None:
    """Build the graph that `job.json` in a folder describes."""
    job = Job(**json.loads((folder / "job.json").read_text()))
    if job.polite:
        os.nice(NICENESS)
    vectors = map_rows(Path(job.vectors), job.end, job.dimension)
    rows: Rows = np.load(folder / "rows.npy")
    with np.load(folder / "row_labels.npz") as arrays:
        labels = RowLabels(arrays["starts"], arrays["labels"])
    shard = _filled(folder / "shard", job, vectors, rows, labels)
    breadth, recall = _measured(shard, vectors, rows)
    shard.close()
    for name in ("job.json", "rows.npy", "row_labels.npz"):
        (folder / name).unlink()
    _sync(folder)
    span = (job.generation, job.first, job.end)
    card = Card(FORMAT, *span, len(rows), breadth, recall, sizes_of(folder))
    (folder / "card.json").write_text(json.dumps(asdict(card)))
    _sync(folder)


def _filled(path: Path, job: Job, vectors: Vectors, rows: Rows, labels: RowLabels) -> Any:
    import qdrant_edge as edge

    path.mkdir()
    shard = edge.EdgeShard.create(str(path), _config(job))
    # Before the points: links within labels are made while the graph is.
    index = edge.IntegerIndexParams(lookup=True, range=False)
    shard.update(edge.UpdateOperation.create_field_index(LABEL, index))
    for start in range(0, len(rows), INGEST_ROWS):
        chosen = rows[start : start + INGEST_ROWS]
        points = [
            edge.Point(row, vector, {LABEL: labels.of(row - job.first).tolist()})
            for row, vector in zip(chosen.tolist(), vectors[chosen].tolist(), strict=True)
        ]
        shard.update(edge.UpdateOperation.upsert_points(points))
    shard.optimize()
    return shard


def _config(job: Job) -> Any:
    import qdrant_edge as edge

    # 8 bits per dimension: the full vectors are in the store and have the last word.
    vectors = edge.EdgeVectorParams(
        job.dimension,
        edge.Distance.Dot,
        datatype=edge.VectorStorageDatatype.Turbo8,
        memory=edge.Memory.Cold,
    )
    graph = edge.HnswIndexConfig(
        LINKS,
        BUILD_EF,
        full_scan_threshold=1,
        max_indexing_threads=job.threads,
        payload_m=LINKS,
        memory=edge.Memory.Cold,
    )
    # One segment, with a graph however small.
    optimizers = edge.EdgeOptimizersConfig(
        default_segment_number=1, indexing_threshold=1, max_segment_size=2**40
    )
    return edge.EdgeConfig(
        vectors=vectors, hnsw_config=graph, optimizers=optimizers, wal_enabled=False
    )


def _measured(shard: Any, vectors: Vectors, rows: Rows) -> tuple[dict[str, int], dict[str, float]]:
    """Return the smallest breadth that reaches the wanted recall, and the recall, by k."""
    queries = _queries(vectors, rows)
    best = _best(vectors, rows, queries, max(WANTED))
    breadths, recalls = {}, {}
    least = 0
    for k, wanted in WANTED.items():
        for breadth in BREADTHS:
            if breadth < least:
                continue
            found = [nearest(shard, query, limit_of(k), breadth) for query in queries]
            right = [
                np.isin(truth[:k], rows_found).mean()
                for truth, rows_found in zip(best, found, strict=True)
            ]
            recall = float(np.mean(right))
            if recall >= wanted:
                break
        breadths[str(k)], recalls[str(k)] = breadth, recall
        least = breadth
    return breadths, recalls


def _queries(vectors: Vectors, rows: Rows) -> Vectors:
    """Return queries unlike any item, each between three: as hard as what people type."""
    rng = np.random.default_rng(0)
    parts = [vectors[np.sort(rng.choice(rows, SAMPLES))] for _ in range(3)]
    mixed = parts[0] + rng.permutation(parts[1]) + rng.permutation(parts[2])
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), dtype=np.float32)


def _best(vectors: Vectors, rows: Rows, queries: Vectors, k: int) -> Rows:
    """Return the k best rows of each query, by comparing all of them; fewer if there are."""
    scores = np.zeros((len(queries), 0), np.float32)
    found = np.zeros((len(queries), 0), np.int64)
    for start in range(0, len(rows), 65_536):
        part = rows[start : start + 65_536]
        scores = np.concatenate([scores, queries @ vectors[part].T], axis=1)
        found = np.concatenate([found, np.broadcast_to(part, (len(queries), len(part)))], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        scores = np.take_along_axis(scores, order, 1)
        found = np.take_along_axis(found, order, 1)
    return found


def sizes_of(folder: Path) -> dict[str, int]:
    """Return the size of each file of numbers of a graph, by its path in the folder.

    Notes (JSON) are written anew, and completed, whenever a graph is opened.
    """
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted((folder / "shard").rglob("*"))
        if path.is_file() and path.suffix != ".json"
    }


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            sync_file(path)
    sync_folder(folder)


def _die_with(parent: int) -> None:
    """Have Linux end this process when the thread that started it ends; elsewhere do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # ended before that
        sys.exit("nobody waits for this graph any more")


if __name__ == "__main__":
    _die_with(int(sys.argv[2]))
    build(Path(sys.argv[1]))
