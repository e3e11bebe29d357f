"""Many realistic items: real ones of six catalogs, and mixtures of near neighbours beyond those.

The first ~108,000 rows are real items with their MiniLM vectors. Row i beyond them lies between a
real item and one of its eight nearest neighbours, plus noise as large as a third of their distance:
so the density, the clusters and the local dimension stay those of real catalogs. Queries are real
shopping queries. Nothing here is shipped; all of it is made from ../shared/data and kept in build/.
"""

from __future__ import annotations

import gzip
import json
import pickle
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared/data"
KEPT = ROOT / "build/benchmarks"
CATALOGS = {
    "electronics": "catalog_electronics.jsonl.gz",
    "furniture_ikea": "catalog_furniture_ikea.csv.gz",
    "courses": "catalog_courses.csv.gz",
    "books": "catalog_books.csv.gz",
    "grocery": "catalog_grocery.csv.gz",
    "fashion": "catalog_fashion.csv.gz",
}
NEIGHBOURS = 8
NOISE = 1 / 3
BUCKETS = 1_000
"""Each item has a random bucket below this, so that bucket < 100 matches a tenth of them."""
QUERIES = 200

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pool:
    """Real items with vectors (count, dimension) and the rows of each one's nearest neighbours."""

    items: list[Any]
    vectors: Vectors
    near: NDArray[np.int32]


def pool() -> Pool:
    """Return the real items, indexing their catalogs first where that was not done yet."""
    path = KEPT / "pool.pickle"
    if not path.is_file():
        found = _pool()
        path.write_bytes(pickle.dumps((found.items, found.vectors)))
        return found
    items, vectors = pickle.loads(path.read_bytes())
    return Pool(items, vectors, _neighbours(vectors))


def _pool() -> Pool:
    from retrieval.encoder import make_encoder
    from retrieval.loading import load
    from retrieval.project import has_manifest
    from retrieval.retriever import Retriever

    items, vectors = [], []
    for name, file in CATALOGS.items():
        folder = KEPT / "projects" / name
        if not has_manifest(folder):
            Retriever.build(load([DATA / file]), folder, encoder=make_encoder(), progress=True)
        with Retriever.open(folder, write=False) as retriever:
            ids = retriever.index.ids()
            items += [(name, retriever.facets, item) for item in retriever.items()]
            vectors.append(retriever.index.vectors(ids))
    matrix = np.concatenate(vectors)
    return Pool([_plain(*one) for one in items], matrix, _neighbours(matrix))


def _plain(name: str, facets: Any, item: Any) -> tuple[str, str, dict[str, Any]]:
    """Return title, description and the fields that all catalogs can have."""
    from retrieval.catalog import primary

    fields: dict[str, Any] = {"shop": name}
    for role in ("category", "brand", "colour", "price", "rating", "popularity"):
        facet = primary(facets, role)
        if facet and (values := item.values(facet.name)):
            fields[role] = values[0] if facet.kind != "list" else tuple(values)
    return item.title, item.description[:300], fields


def _neighbours(vectors: Vectors) -> NDArray[np.int32]:
    path = KEPT / f"neighbours-{len(vectors)}.npy"
    if path.is_file():
        found: NDArray[np.int32] = np.load(path)
        return found
    near = np.empty((len(vectors), NEIGHBOURS), np.int32)
    for start in range(0, len(vectors), 512):
        scores = vectors[start : start + 512] @ vectors.T
        own = np.arange(len(scores))
        scores[own, start + own] = -2.0
        near[start : start + 512] = np.argpartition(scores, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
    np.save(path, near)
    return near


def chunks(source: Pool, count: int, size: int = 10_000) -> Iterator[tuple[list[Any], Vectors]]:
    """Yield items and unit vectors of the first `count` rows, a chunk at a time."""
    for start in range(0, count, size):
        rows = np.arange(start, min(start + size, count))
        yield _items(source, rows), _vectors(source, rows)


def _vectors(source: Pool, rows: NDArray[np.int64]) -> Vectors:
    chance = np.random.default_rng((7, int(rows[0])))
    base = rows % len(source.items)
    own = source.vectors[base]
    other = source.vectors[source.near[base, chance.integers(0, NEIGHBOURS, len(rows))]]
    share = chance.uniform(0.1, 0.9, (len(rows), 1)).astype(np.float32)
    noise = chance.normal(size=own.shape).astype(np.float32)
    noise *= NOISE * np.linalg.norm(other - own, axis=1, keepdims=True) / own.shape[1] ** 0.5
    mixed = own + share * (other - own) + noise
    mixed[rows < len(source.items)] = own[rows < len(source.items)]
    result: Vectors = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return result


def _items(source: Pool, rows: NDArray[np.int64]) -> list[Any]:
    from retrieval.catalog import Item

    made = []
    for row in rows.tolist():
        chance = random.Random(row)
        base = row % len(source.items)
        title, description, fields = source.items[base]
        fields = {**fields, "bucket": float(chance.randrange(BUCKETS))}
        if row >= len(source.items):
            other = source.items[int(source.near[base, chance.randrange(NEIGHBOURS)])]
            words = title.split() or [title]
            words[chance.randrange(len(words))] = chance.choice(other[0].split() or [title])
            title = f"{' '.join(words)} {row}"
            if "price" in fields:
                fields["price"] = round(fields["price"] * chance.uniform(0.7, 1.4), 2)
        made.append(Item(f"item-{row}", title, description, fields))
    return made


def queries() -> tuple[list[str], Vectors]:
    """Return real shopping queries and their unit vectors, encoded once and kept."""
    path = KEPT / "queries.npz"
    if path.is_file():
        kept = np.load(path)
        return kept["texts"].tolist(), kept["vectors"]
    from retrieval.encoder import make_encoder

    with gzip.open(DATA / "queries_shopping.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = sorted({json.loads(line)["query"] for line in file})
    chosen = random.Random(11).sample(texts, QUERIES)
    vectors = make_encoder().encode_queries(chosen)
    np.savez(path, texts=chosen, vectors=vectors)
    return chosen, vectors


def matrix(source: Pool, count: int) -> Vectors:
    """Return all vectors of the first `count` rows, memory-mapped from build/."""
    path = KEPT / f"vectors-{count}.npy"
    if not path.is_file():
        shape = (count, source.vectors.shape[1])
        scratch = path.with_suffix(".tmp")
        whole = np.lib.format.open_memmap(scratch, mode="w+", dtype=np.float32, shape=shape)
        for start in range(0, count, 10_000):
            rows = np.arange(start, min(start + 10_000, count))
            whole[rows] = _vectors(source, rows)
        whole.flush()
        scratch.rename(path)
    found: Vectors = np.load(path, mmap_mode="r")
    return found
