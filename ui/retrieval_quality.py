"""`attune evaluate retrieval`: how well items are found, beside BM25, the encoder and their RRF."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.errors import UIError
from ui.reports import figure, table

if TYPE_CHECKING:
    from finetune.retrieval_sets import Source
    from retrieval.query import Encoder
    from retrieval.retriever import Retriever
    from ui.settings import Settings

FILE = click.Path(path_type=Path)
SYSTEMS = {
    "ours": "ours", "with_labels": "ours, weights by labels", "bm25": "BM25",
    "encoder": "encoder alone", "rrf": "RRF of both",
}  # fmt: skip
HEADLINES = ("ndcg@10", "recall@10")


@click.command("retrieval")
@click.option("--catalog", type=FILE, metavar="FILE|DIR", help="Your own catalog file or project.")
@click.option("--judgements", type=FILE, metavar="CSV", help="Queries, item ids and ratings of it.")
@click.option("--sample", default=500, show_default=True, type=click.IntRange(1, 100_000),
              help="Home Depot queries to search all titles for.")  # fmt: skip
@click.option("--encoder", metavar="NAME", help="Encoder of the texts.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def evaluate_retrieval(
    catalog: Path | None, judgements: Path | None, sample: int, encoder: str | None, seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Measure how well items are found, on queries whose items people rated."""
    from ui.cli import settings

    if (catalog is None) != (judgements is None):
        raise click.UsageError("--catalog and --judgements belong together")
    report = measured(catalog, judgements, settings(encoder=encoder), sample, seed)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else retrieval_text(report))


def measured(
    catalog: Path | None, judgements: Path | None, settings: Settings, sample: int, seed: int
) -> dict[str, Any]:
    """Return the report over a catalog with judgements, or over the shared sample data.

    Raises:
        UIError: If the shared sample data is not here.
    """
    from finetune.retrieval_sets import here, own_source, shared_sources

    if catalog is not None and judgements is not None:
        found, skipped = here([own_source(catalog, judgements)])
    else:
        found, skipped = here(shared_sources(sample, seed))
    if not found:
        missing = "; ".join(f"{name}: {why}" for name, why in skipped.items())
        raise UIError(
            f"nothing to measure ({missing}); name your own with --catalog and --judgements"
        )
    sets: dict[str, Any] = {}
    for source in found:
        sets |= _measured(source, settings, seed)
    config = {"encoder": settings.encoder, "sample": sample, "catalog": str(catalog or "shared")}
    return _summary(sets) | {
        "sets": sets,
        "skipped": skipped,
        "config": config,
        "hash": _digest(found, config),
        "seed": seed,
    }


def _measured(source: Source, settings: Settings, seed: int) -> dict[str, Any]:
    from finetune.retrieval_quality import evaluate

    sets = source.sets()
    with _opened(source, settings, seed) as retriever:
        items = list(retriever.items())
        reports = {}
        for one in sets:
            print(f"measuring {one.name}: {len(one.grades):,} queries …", file=sys.stderr)
            report = evaluate(retriever, items, one, retriever.fusion, seed)
            reports[one.name] = report.to_json()
        return reports


@contextmanager
def _opened(source: Source, settings: Settings, seed: int) -> Iterator[Retriever]:
    """Open a project as it is, or a catalog as it is when freshly indexed, weights included."""
    from retrieval.encoder import make_encoder
    from retrieval.fusion_tuning import tune_fusion
    from retrieval.retriever import Retriever
    from ui import wiring

    if source.project is not None:
        with wiring.open_retriever(source.project, settings) as retriever:
            yield retriever
        return
    encoder: Encoder = make_encoder(settings.encoder, settings.models)
    name = hashlib.sha256(f"{source.digest()} {encoder.name}".encode()).hexdigest()[:12]
    folder = settings.home / "evaluation" / f"{source.name}-{name}"
    print(f"indexing {source.name} into {folder} …", file=sys.stderr)
    Retriever.build(source.load(), folder, encoder=encoder, progress=sys.stderr.isatty())
    with Retriever.open(folder, encoder, write=False) as retriever:
        retriever.fusion = tune_fusion(retriever, seed).fusion
        yield retriever


def _summary(sets: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headline figures: the mean over the sets that have them."""

    def mean(of: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        found = {name: [one[name]["mean"] for one in of if name in one] for name in HEADLINES}
        return {name: sum(own) / len(own) for name, own in found.items() if own}

    reports = list(sets.values())
    return {
        "ours": mean([one["ours"] for one in reports]),
        "baselines": {
            floor: mean([one["baselines"][floor] for one in reports])
            for floor in reports[0]["baselines"]
        },
        "n": {name: one["n"] for name, one in sets.items()},
    }


def _digest(sources: Sequence[Source], config: Mapping[str, Any]) -> str:
    parts = [*(one.digest() for one in sources), json.dumps(config, sort_keys=True)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def retrieval_text(report: Mapping[str, Any]) -> str:
    """Return the report of `evaluate retrieval` as text."""
    lines: list[str] = []
    for name, one in report["sets"].items():
        lines += [f"{name}: {one['about']}", _counts(one), "", *_set_table(one), ""]
        lines += [_minus(floor, own) for floor, own in one["ours_minus"].items()]
        lines.append("")
    lines += [f"skipped {name}: {why}" for name, why in report["skipped"].items()]
    return "\n".join(lines).rstrip()


def _counts(one: Mapping[str, Any]) -> str:
    n, fusion = one["n"], one["fusion"]
    left = ", ".join(f"{n[key]:,} {key.replace('_', ' ')}" for key in n
                     if key not in ("queries", "judged_pairs") and n[key])  # fmt: skip
    told = f"{n['queries']:,} queries, {n['judged_pairs']:,} judged pairs"
    return f"{told}{f'; left out: {left}' if left else ''}; weights {fusion}"


def _set_table(one: Mapping[str, Any]) -> list[str]:
    names = list(one["ours"])
    systems = {"ours": one["ours"], "with_labels": one["with_labels"], **one["baselines"]}
    rows = [
        (SYSTEMS[system], *(figure(own[name]["mean"]) for name in names))
        for system, own in systems.items()
    ]
    return table([("", *names), *rows])


def _minus(floor: str, own: Mapping[str, Any]) -> str:
    told = (
        f"{name} {one['mean']:+.4f} ({one['low']:+.4f} to {one['high']:+.4f})"
        for name, one in own.items()
        if name in ("ndcg@10", "ndcg@10_condensed")
    )
    return f"ours minus {SYSTEMS[floor]}: {'; '.join(told)}"
