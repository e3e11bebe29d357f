"""What tuning the encoder gains on queries that people judged and training never saw.

    python benchmarks/encoder_tuning.py electronics|homedepot|homedepot-judged [--project DIR]
        [--steps N] [--minutes N] [--out JSON]

electronics and homedepot train on queries made from the items alone; every judged query is for the
test. homedepot-judged also trains on judged queries, but none of the test and no product that a
test query was judged on. Uses ../shared/data; a project indexed before (--project) is copied, not
written to. Reports nDCG@10 over the whole catalog with unrated items counted 0, and among the rated
ones, and recall@100 of good items, by vectors alone and fused with BM25, old encoder and new, with
paired bootstrap intervals.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
DATA = ROOT.parent / "shared/data"
DEPTH = 100
TEST_QUERIES = 600
GOOD = 2 / 3
Judged = dict[str, dict[str, float]]
Values = dict[str, list[float]]


def read_judged(path: Path, rating: str, lowest: float) -> Judged:
    """Return query to item to rating, from 0."""
    judged: Judged = defaultdict(dict)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            judged[row["query"]][row["product_id"]] = float(row[rating]) - lowest
    return dict(judged)


def homedepot_catalog(path: Path) -> Path:
    """Write the products of the Home Depot judgements as a catalog of titles."""
    titles: dict[str, str] = {}
    with gzip.open(DATA / "search_homedepot.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            titles.setdefault(row["product_id"], row["product_title"])
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerows([("product_id", "product_title"), *titles.items()])
    return path


def split(judged: Judged, path: Path | None) -> Judged:
    """Return the test queries; write judgements of other queries on other products, if asked."""
    queries = sorted(judged)
    random.Random(0).shuffle(queries)
    test = {query: judged[query] for query in queries[:TEST_QUERIES]}
    if path is not None:
        products = {product for rated in test.values() for product in rated}
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(("query", "product_id", "rating"))
            for query in queries[TEST_QUERIES:]:
                kept = ((product, r) for product, r in judged[query].items())
                writer.writerows((query, p, r) for p, r in kept if p not in products)
    return test


def measured(retriever: Any, judged: Judged) -> dict[str, Values]:
    """Return each measure of each query, by vectors alone and fused."""
    from retrieval.metrics import ndcg_at_k, recall_at_k

    index = retriever.index
    top = max(rating for rated in judged.values() for rating in rated.values())
    found: dict[str, Values] = {"dense": defaultdict(list), "fused": defaultdict(list)}
    vectors = retriever.encoder.encode_queries(list(judged))
    for vector, (query, ratings) in zip(vectors, judged.items(), strict=True):
        good = [item for item, rating in ratings.items() if rating >= GOOD * top]
        for name, values in found.items():
            hits = index.search(vector, query if name == "fused" else None, k=DEPTH)
            ranking = [hit.item.id for hit in hits]
            values["ndcg@10"].append(ndcg_at_k(ranking, ratings, 10))
            values["recall@100"].append(recall_at_k(ranking, good, 100))
        ids = list(ratings)
        order = (index.vectors(ids) @ vector).argsort()[::-1]
        among = ndcg_at_k([ids[place] for place in order], ratings, 10)
        found["dense"]["ndcg@10 among judged"].append(among)
    return found


def compared(old: dict[str, Values], new: dict[str, Values]) -> dict[str, Any]:
    """Return old and new figures with the interval of the difference; NaN queries left out."""
    from retrieval.metrics import paired_bootstrap

    table: dict[str, Any] = {}
    for name, values in old.items():
        for figure, before in values.items():
            pairs = [(a, b) for a, b in zip(before, new[name][figure], strict=True) if a == a]
            a, b = [one for one, _ in pairs], [other for _, other in pairs]
            table[f"{name} {figure}"] = {
                "old": round(sum(a) / len(a), 4),
                "new": round(sum(b) / len(b), 4),
                "difference": {
                    key: round(value, 4) for key, value in paired_bootstrap(b, a).to_json().items()
                },
            }
    return table


def run(which: str, project: Path | None, steps: int | None, minutes: float | None) -> Any:
    """Tune a copy of a project and return what it gained."""
    from finetune.encoder import tune
    from finetune.encoder.prepare import Options
    from retrieval.encoder import DEFAULT_ENCODER, make_encoder
    from retrieval.loading import load
    from retrieval.project import read_manifest
    from retrieval.retriever import Retriever
    from ui.settings import Settings
    from ui.tune_encoder import outcome_text, plan_text

    cache = Settings().models
    with tempfile.TemporaryDirectory(prefix="attune-tuning-") as scratch:
        folder = Path(scratch) / "project"
        if project is not None:
            shutil.copytree(project, folder)
        else:
            file = DATA / "catalog_electronics.jsonl.gz"
            if which != "electronics":
                file = homedepot_catalog(Path(scratch) / "homedepot.csv")
            Retriever.build(load([file]), folder, encoder=make_encoder(DEFAULT_ENCODER, cache))
        judgements = None
        if which == "electronics":
            test = read_judged(DATA / "search_electronics_ratings.csv.gz", "rating", 0.0)
        else:
            judgements = Path(scratch) / "train.csv" if which == "homedepot-judged" else None
            judged = read_judged(DATA / "search_homedepot.csv.gz", "relevance", 1.0)
            test = split(judged, judgements)
        old = make_encoder(read_manifest(folder).encoder, cache, folder)
        with Retriever.open(folder, old, write=False) as retriever:
            before = measured(retriever, test)
        began = time.perf_counter()
        prepared = tune.prepare(folder, old, Options(steps, minutes, judgements=judgements))
        print(plan_text(prepared), flush=True)
        outcome = tune.fit(prepared, progress=True)
        seconds = time.perf_counter() - began
        print(outcome_text(outcome, folder), flush=True)
        report: dict[str, Any] = {
            "accepted": outcome.decision.accepted,
            "held out, as the command decides": outcome.decision.reason,
            "steps": prepared.config.steps,
            "bf16": prepared.config.bf16,
            "minutes": round(seconds / 60, 1),
            "test_queries": len(test),
            "command": f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', '')} python "
            + " ".join(sys.argv),
        }
        if outcome.folder is None:
            return report
        report["card"] = json.loads((outcome.folder / "encoder_card.json").read_text("utf-8"))
        new = make_encoder(outcome.name, None, folder)
        with Retriever.open(folder, new, write=False) as retriever:
            report["test"] = compared(before, measured(retriever, test))
        return report


def main() -> None:
    """Run, print and add to the file of results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("which", choices=("electronics", "homedepot", "homedepot-judged"))
    parser.add_argument("--project", type=Path)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/encoder_tuning.json")
    given = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"needs the data sets in {DATA}, which are not here")
    report = run(given.which, given.project, given.steps, given.minutes)
    for name, row in report.get("test", {}).items():
        by = row["difference"]
        print(f"{name:24} {row['old']:.4f} → {row['new']:.4f}  {by['mean']:+.4f} "
              f"({by['low']:+.4f} to {by['high']:+.4f})")  # fmt: skip
    results = json.loads(given.out.read_text("utf-8")) if given.out.is_file() else {}
    given.out.write_text(json.dumps({**results, given.which: report}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
