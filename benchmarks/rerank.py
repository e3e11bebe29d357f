"""Rerankers side by side: nDCG@10 beside the search alone, and what a candidate costs.

    python benchmarks/rerank.py --work DIR [--cross-encoder FOLDER] [--pairs N] [--out JSON]

Two sets with human ratings, from ../shared/data; without them it says so and ends.
Electronics: the first 100 candidates of each query, of which the rated ones are ranked (condensed
lists); learning to rank is cross-validated by query. Home Depot: the rated titles of each query.
A fifth of its queries is for testing only; trees are grown, and the cross-encoder trained, on some
of the others (or it is read from FOLDER). On electronics the cross-encoder is taken as it is.
DIR keeps indexes and models between runs. One thread, CPU time; prints tables, writes JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from finetune.ranker import ltr
from finetune.ranker.cross_encoder import CrossEncoderConfig, Pair, train
from finetune.ranker.data import Judged, read_judgements
from finetune.ranker.groups import Group, judged_group, judged_groups, linked_context
from finetune.ranker.ltr import LTRConfig
from finetune.ranker.tune import Verdict, compare
from retrieval.catalog import Item
from retrieval.encoder import DEFAULT_ENCODER, make_encoder
from retrieval.filters import Compare
from retrieval.loading import LoadedCatalog, Mapping, infer_facets, load
from retrieval.project import has_manifest
from retrieval.query import Candidate
from retrieval.reranking.cross_encoder import CrossEncoderReranker
from retrieval.reranking.features import features, stem_set, stems
from retrieval.reranking.ltr import LTRReranker
from retrieval.reranking.protocol import NO_CONTEXT, Context, NoReranker, Reranker
from retrieval.retriever import Retriever
from retrieval.texts import item_text

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared/data"
RATINGS = DATA / "search_electronics_ratings.csv.gz"
ELECTRONICS = DATA / "catalog_electronics.jsonl.gz"
HOME_DEPOT = DATA / "search_homedepot.csv.gz"
TEST_SHARE = 20
"""Per cent of Home Depot's queries, chosen by a hash of the query, that nothing is trained on."""
TEST, TRAIN = 900, 2000
"""Home Depot's queries that are tested on, and that trees are grown on."""
MAX_LENGTH = 48
BATCHES = (50, 100)
TIMED = 40
"""Queries whose candidates are scored twice: for the first time, and again."""

Scores = list[list[float]]


def is_test(query: str) -> bool:
    """Return whether a query is in the test split."""
    number = int.from_bytes(blake2b(query.encode(), digest_size=8).digest(), "little")
    return number % 100 < TEST_SHARE


def opened(folder: Path, catalog: Callable[[], LoadedCatalog]) -> Retriever:
    """Open an index, building it first where it is not."""
    encoder = make_encoder(DEFAULT_ENCODER, folder.parent / "models")
    if not has_manifest(folder):
        print(f"indexing {folder.name} …", flush=True)
        Retriever.build(catalog(), folder, encoder=encoder)
    return Retriever.open(folder, encoder, write=False)


def home_depot_catalog() -> LoadedCatalog:
    """Return the titles as a catalog; the id is also a number, so that a filter can name items."""
    import csv
    import gzip

    with gzip.open(HOME_DEPOT, "rt", encoding="utf-8") as file:
        titles = {row["product_id"]: row["product_title"] for row in csv.DictReader(file)}
    items = tuple(Item(id, title, fields={"sku": float(id)}) for id, title in titles.items())
    return LoadedCatalog("homedepot", items, infer_facets(items, Mapping()), Mapping())


def rated_titles(retriever: Retriever, judged: Sequence[Judged]) -> list[Group]:
    """Return the rated titles of each query as the search ranks them among themselves."""
    groups = []
    for one in judged:
        among = Compare("sku", "in", tuple(float(id) for id in one.grades))
        found = retriever.search(one.query, filter=among, k=len(one.grades))
        groups.append(judged_group(one, found, features(one.query, found, Context())))
    return groups


def by_model(reranker: Reranker, groups: Sequence[Group]) -> Scores:
    """Return a reranker's scores of each group."""
    return [reranker.rank(group.query, group.candidates) for group in groups]


def of_column(name: str, groups: Sequence[Group]) -> Scores:
    """Return one feature as the score, to show where its strength comes from."""
    from retrieval.reranking.features import NAMES

    place = NAMES.index(name)
    return [np.nan_to_num(group.matrix[:, place], nan=-9.0).tolist() for group in groups]


def figures(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict for JSON."""
    return {name: round(value, 4) for name, value in verdict.metrics().items()}


def cross_encoder_of(
    work: Path, given: Path | None, retriever: Retriever, judged: Sequence[Judged], pairs: int
) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a cross-encoder, trained on groups where none is given or kept."""
    if given is not None:
        return given, {"folder": "given"}
    folder, told = work / f"cross_encoder_{pairs}", work / f"cross_encoder_{pairs}.json"
    config = CrossEncoderConfig(max_length=MAX_LENGTH)
    if not told.exists():
        titles = {item.id: item.title for item in retriever.items()}
        highest = max(grade for one in judged for grade in one.grades.values())
        every = [
            Pair(one.query, titles[id], grade / highest)
            for one in judged
            for id, grade in one.grades.items()
        ]
        random.Random(0).shuffle(every)
        done = train(every[:pairs], folder, config, progress=True)
        told.write_text(json.dumps({**asdict(config), **done, "pairs": len(every[:pairs])}))
    return folder, json.loads(told.read_text())


def timings(
    reranker: Reranker, asked: Sequence[tuple[str, list[Candidate], Context]], batch: int
) -> dict[str, float]:
    """Return what a candidate costs in µs, the first time and again, and a batch in ms.

    CPU time of this one-threaded process, so that a busy machine does not blur it.
    """
    seen: dict[str, list[float]] = {"first": [], "again": []}
    for query, found, context in asked:
        for turn in seen:
            began = time.process_time()
            reranker.rank(query, found[:batch], context)
            seen[turn].append(time.process_time() - began)
    told = {}
    for turn, seconds in seen.items():
        for p in (50, 95):
            told[f"{turn}_p{p}_us"] = round(float(np.percentile(seconds, p)) / batch * 1e6, 2)
    told["batch_p50_ms"] = round(float(np.percentile(seen["first"], 50)) * 1e3, 2)
    told["batch_p95_ms"] = round(float(np.percentile(seen["first"], 95)) * 1e3, 2)
    return told


class BM25:
    """BM25 over the candidates alone, their words known beforehand: the reference of cost."""

    name = "bm25"

    def __init__(self, pools: Sequence[list[Candidate]], batch: int) -> None:
        import bm25s

        self._models = {}
        for pool in pools:
            model = bm25s.BM25()
            texts = [list(stems(item_text(one.item))) for one in pool[:batch]]
            model.index(texts, show_progress=False)
            self._models[pool[0].item.id] = model

    def rank(
        self, query: str, candidates: Sequence[Candidate], context: Context = NO_CONTEXT
    ) -> list[float]:
        """Return BM25 scores."""
        model = self._models[candidates[0].item.id]
        return list(model.get_scores(list(stems(query))))


def latency(
    retriever: Retriever, rerankers: Sequence[Reranker], queries: Sequence[str]
) -> dict[str, Any]:
    """Return the cost of each reranker over the same candidates, and its ratio to BM25's."""
    context_of = linked_context(retriever)
    asked = []
    for query in queries:
        found = retriever.search(query, k=max(BATCHES))
        if len(found) == max(BATCHES):
            asked.append((query, found, context_of(query)))
    told: dict[str, Any] = {}
    for batch in BATCHES:
        bm25 = BM25([found for _, found, _ in asked], batch)
        rows = {}
        every: list[Reranker] = [bm25, *rerankers]
        for reranker in every:
            chosen = asked if reranker.name != "cross-encoder" else asked[: TIMED // 4]
            reranker.rank(*chosen[-1])
            for kept in (stems, stem_set):
                kept.cache_clear()
            rows[reranker.name] = timings(reranker, chosen[:TIMED], batch)
        base = rows["bm25"]["again_p50_us"]
        for row in rows.values():
            row["times_bm25"] = round(row["first_p50_us"] / base, 2)
        told[str(batch)] = rows
    return told


def table(title: str, rows: dict[str, dict[str, Any]]) -> None:
    """Print rows of figures under each other."""
    print(f"\n{title}")
    names = list(next(iter(rows.values())))
    print(" " * 24 + "".join(f"{name:>17}" for name in names))
    for label, row in rows.items():
        print(f"{label:24}" + "".join(f"{row[name]:>17}" for name in names))


def beside(groups: Sequence[Group], trees: Scores, cross: Reranker) -> dict[str, Verdict]:
    """Return the verdict on each way of ranking the candidates of groups.

    Args:
        trees: Scores of the learning-to-rank model, which saw none of these queries.
    """
    return {
        "none": compare(groups, by_model(NoReranker(), groups), 0),
        "dense": compare(groups, of_column("dense", groups), 0),
        "lexical": compare(groups, of_column("lexical", groups), 0),
        "ltr": compare(groups, trees, 0),
        "cross-encoder": compare(groups, by_model(cross, groups), 0),
    }


def measure(work: Path, given: Path | None, pairs: int) -> dict[str, Any]:
    """Return all figures."""
    config = LTRConfig()
    depot = opened(work / "homedepot", home_depot_catalog)
    judged = read_judgements(HOME_DEPOT)
    learned = [one for one in judged if not is_test(one.query)]
    test = rated_titles(depot, [one for one in judged if is_test(one.query)][:TEST])
    seen = rated_titles(depot, learned[:TRAIN])
    trees = ltr.grow([group for group in seen if group.learnable], config, ltr.highest_grade(seen))
    folder, trained = cross_encoder_of(work, given, depot, learned, pairs)
    cross = CrossEncoderReranker(str(folder))
    own = by_model(LTRReranker(trees.model_to_string()), test)
    depot_rows = beside(test, own, cross)
    depot.close()
    table("Home Depot, test split", {name: figures(row) for name, row in depot_rows.items()})
    shop = opened(work / "electronics", lambda: load([ELECTRONICS]))
    gathered = judged_groups(shop, read_judgements(RATINGS), linked_context(shop))
    rated = gathered.groups
    validated = ltr.cross_validate(rated, config)
    shop_rows = beside(rated, [list(own) for own in validated.scores], cross)
    full = LTRReranker(ltr.fit(rated, config, validated.rounds))
    speed = latency(shop, (NoReranker(), full, cross), [group.query for group in rated])
    shop.close()
    return {
        "what": "nDCG@10, gain 2^grade - 1, against the search alone, queries paired",
        "machine": f"{platform.machine()}, one thread, Python {platform.python_version()}",
        "electronics": {name: figures(row) for name, row in shop_rows.items()},
        "electronics_not_found": gathered.unfound,
        "homedepot": {name: figures(row) for name, row in depot_rows.items()},
        "homedepot_queries": {"train": len(seen), "test": len(test)},
        "cross_encoder": trained,
        "ltr": asdict(config),
        "latency": speed,
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--cross-encoder", type=Path)
    parser.add_argument("--pairs", type=int, default=24_000)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/rerank.json")
    given = parser.parse_args()
    if not (RATINGS.exists() and HOME_DEPOT.exists()):
        print("the rated sets are not in ../shared/data; nothing to measure")
        return
    import torch

    torch.set_num_threads(1)
    found = measure(given.work, given.cross_encoder, given.pairs)
    table("electronics, cross-validated", found["electronics"])
    for batch, rows in found["latency"].items():
        table(f"latency, batch of {batch}", rows)
    given.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
