"""`attune house`: make the house model's training rows, train it, measure it, write its card."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def house() -> None:
    """Train the house model from scratch."""


@house.command()
@click.option("--out", type=FOLDER, required=True, help="Folder of the rows.")
@click.option("--count", default=100_000, show_default=True, help="Rows of plans from phrases.")
@click.option("--explanations", default=8_000, show_default=True, help="Rows of explanations.")
@click.option("--data", type=FOLDER, help="Folder of the shared human data; without it, none.")
@click.option("--label", "labels", type=FILE, multiple=True, help="Labelled turns to learn too.")
@click.option("--seed", default=1, show_default=True)
def rows(
    out: Path, count: int, explanations: int, data: Path | None, labels: tuple[Path, ...], seed: int
) -> None:
    """Make training rows from phrases, human data and labels."""
    from finetune.house.make import RowsConfig, describe, make_rows

    config = RowsConfig(count, explanations, data=data, labels=labels, seed=seed)
    with click.progressbar(length=count, file=sys.stderr, label="rows") as bar:
        made = make_rows(out, config, lambda _: bar.update(1))
    click.echo(describe(made))


@house.command()
@click.option("--out", type=FOLDER, required=True, help="Folder of the model and its checkpoint.")
@click.option("--rows", "files", type=FILE, multiple=True, required=True, help="Rows as JSONL.")
@click.option("--check", "checks", type=FILE, multiple=True, help="Rows to measure on at the end.")
@click.option("--passes", default=2.0, show_default=True, help="How often each row is seen.")
@click.option("--minutes", default=0.0, show_default=True, help="Wall time to end within; 0: any.")
@click.option("--layers", default=4, show_default=True)
@click.option("--intermediate", default=1024, show_default=True, help="Width of the inner layer.")
@click.option("--tokens-per-batch", default=4096, show_default=True)
@click.option("--learning-rate", default=2e-3, show_default=True)
@click.option("--start", type=FOLDER, help="Model to go on from, instead of from scratch.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--threads", default=0, help="Threads of the CPU; 0: all.")
@click.option("--seed", default=1, show_default=True)
@click.option("--dry-run", is_flag=True, help="Count rows and tokens, and train nothing.")
def train(
    out: Path, files: tuple[Path, ...], checks: tuple[Path, ...], passes: float, minutes: float,
    layers: int, intermediate: int, tokens_per_batch: int, learning_rate: float,
    start: Path | None, device: str, threads: int, seed: int, dry_run: bool,
) -> None:  # fmt: skip
    """Train on rows; a run that was stopped goes on from its checkpoint."""
    from finetune.house.model import Shape
    from finetune.house.train import TrainConfig, run

    config = TrainConfig(
        passes=passes, minutes=minutes, tokens_per_batch=tokens_per_batch, device=device,
        learning_rate=learning_rate, seed=seed, threads=threads,
    )  # fmt: skip
    shape = Shape(layers=layers, intermediate=intermediate)
    report = run(files, out, config, shape, checks, start, dry_run)
    click.echo(json.dumps(report, indent=2))


@house.command()
@click.option("--from", "source", type=FOLDER, required=True, help="Folder of a trained model.")
@click.option("--planners", type=FILE, help="Results of benchmarks/planners.py over it.")
def install(source: Path, planners: Path | None) -> None:
    """Put a trained model where `--llm house` finds it, with its card."""
    from finetune.house import card

    click.echo(card.install(source, planners=planners))
