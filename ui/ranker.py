"""`attune tune ranker` and `attune tune cross-encoder`: rerankers from labels, kept if better."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from retrieval.encoder import DEFAULT_ENCODER

if TYPE_CHECKING:
    from finetune.ranker.tune import Outcome
    from retrieval.retriever import Retriever

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(file_okay=False, path_type=Path)


def with_labels(command: Command) -> Command:
    """Add the options that say what is learned from and where the result is kept."""
    for option in (
        click.option("--seed", default=7, show_default=True),
        click.option("--out", type=FOLDER, help="Keep it in this folder instead of the project."),
        click.option("--feedback", type=FILE, help="Impressions with clicks, as JSONL."),
        click.option("--judgements", type=FILE, help="CSV of query, item id and rating."),
        click.argument("folder", type=FOLDER, metavar="DIR"),
    ):
        command = option(command)
    return command


def _open(folder: Path) -> Retriever:
    from ui import wiring
    from ui.cli import settings

    return wiring.open_retriever(folder, settings())


@click.command()
@with_labels
def ranker(
    folder: Path, judgements: Path | None, feedback: Path | None, out: Path | None, seed: int
) -> None:
    """Train a learning-to-rank model and keep it if it ranks better.

    Labels are judgements or feedback, one of the two. Compared by nDCG@10 on queries it did not
    see; kept if the bootstrap interval of the difference is above 0.
    """
    from finetune.ranker.ltr import LTRConfig
    from finetune.ranker.tune import Source, tune_ltr

    source = Source(judgements, feedback)
    with _open(folder) as retriever:
        click.echo(outcome_text(tune_ltr(retriever, source, LTRConfig(seed=seed), out)))


@click.command("cross-encoder")
@with_labels
@click.option("--base", default=DEFAULT_ENCODER, show_default=True, metavar="NAME",
              help="Cross-encoder or encoder to start from, by name or folder.")  # fmt: skip
@click.option("--epochs", default=1.0, show_default=True, type=click.FloatRange(0),
              help="How often each pair is seen; 0 takes the base as it is.")  # fmt: skip
@click.option("--max-length", default=128, show_default=True, type=click.IntRange(8),
              help="Tokens of query and item together.")  # fmt: skip
def cross_encoder(
    folder: Path, judgements: Path | None, feedback: Path | None, out: Path | None, seed: int,
    base: str, epochs: float, max_length: int,
) -> None:  # fmt: skip
    """Train a cross-encoder and keep it if it ranks better."""
    from finetune.ranker.cross_encoder import CrossEncoderConfig
    from finetune.ranker.tune import Source, tune_cross_encoder

    source = Source(judgements, feedback)
    config = CrossEncoderConfig(base=base, epochs=epochs, max_length=max_length, seed=seed)
    with _open(folder) as retriever:
        progress = sys.stderr.isatty()
        outcome = tune_cross_encoder(retriever, source, config, out, progress=progress)
        click.echo(outcome_text(outcome))


def outcome_text(outcome: Outcome) -> str:
    """Return what came of a tuning, as lines."""
    verdict, change = outcome.verdict, outcome.verdict.difference
    kept = (
        f"kept as the reranker in {outcome.kept}"
        if outcome.kept is not None
        else "not kept: the interval is not above 0, so the present ranking stays"
    )
    return "\n".join(
        [
            f"learned from {outcome.groups:,} labelled lists; {outcome.unfound:,} labelled items "
            "are not among what the search finds and were left out",
            f"nDCG@10 on {change.n:,} lists of queries it did not see: {verdict.ours:.4f} by "
            f"{outcome.kind}, {verdict.present:.4f} by the search alone",
            f"difference {change.mean:+.4f} (95 % {change.low:+.4f} to {change.high:+.4f})",
            kept,
        ]
    )
