"""`attune tune encoder`: tune a project's encoder, switch to it where it is better, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from finetune.encoder.compare import Gain
    from finetune.encoder.tune import Outcome, Prepared

FILE = click.Path(path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
NAMES = {"made": "made from items", "feedback": "of users", "judged": "judged"}


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--out", type=FOLDER, help="Put the encoder here and leave the project as it is.")
@click.option("--full/--lora", "full", default=True, help="Train all weights, or LoRA matrices.")
@click.option("--steps", type=click.IntRange(1), help="Training steps; default: by the items.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Take about so long.")
@click.option("--judgements", type=FILE, help="CSV with query, item_id and rating.")
@click.option("--feedback", type=FILE, help="JSONL with query, positive and maybe negative.")
@click.option("--seed", default=0, show_default=True)
@click.option("--dry-run", is_flag=True, help="Tell pairs, steps and minutes; train nothing.")
@click.option("--rollback", is_flag=True, help="Go back to the encoder before this one.")
def encoder(
    folder: Path,
    out: Path | None,
    full: bool,
    steps: int | None,
    minutes: float | None,
    judgements: Path | None,
    feedback: Path | None,
    seed: int,
    dry_run: bool,
    rollback: bool,
) -> None:
    """Tune the encoder of a project on its items; it is kept only where it is better."""
    from finetune.encoder import tune
    from finetune.encoder.prepare import Options
    from retrieval.encoder import make_encoder
    from retrieval.project import read_manifest
    from ui.cli import settings

    cache, progress = settings().models, sys.stderr.isatty()
    if rollback:
        switch = tune.rollback(folder, cache, progress=progress)
        click.echo(f"{folder} has the encoder {switch.after} again, instead of {switch.before}")
        return
    present = make_encoder(read_manifest(folder).encoder, cache, folder)
    options = Options(steps, minutes, "full" if full else "lora", judgements, feedback, out, seed)
    prepared = tune.prepare(folder, present, options)
    click.echo(plan_text(prepared))
    if dry_run:
        prepared.retriever.close()
        return
    click.echo(outcome_text(tune.fit(prepared, progress=progress), folder))


def plan_text(prepared: Prepared) -> str:
    """Return what will be done, as lines."""
    data, config = prepared.data, prepared.config
    corpus, given = data.corpus, data.given
    lines = [
        f"encoder  {prepared.retriever.manifest.encoder}",
        f"items    {len(data.train):,} to train on, {len(corpus) - len(data.train):,} held out",
        f"pairs    {config.steps * config.batch_size:,}, at most half of them from "
        f"{len(given.pairs):,} given ones",
        f"held out {len(data.cases):,} queries, {len(given.cases):,} of them given",
        f"steps    {config.steps:,} of {config.batch_size} pairs ({config.method}, "
        f"{'bfloat16' if config.bf16 else 'float32'})",
    ]
    lines += [f"left out {count:,} × {why}" for why, count in given.left_out.items() if count]
    if prepared.cost is None:
        lines.append("goes on with a run that was cut off")
    else:
        lines.append(f"time     about {prepared.cost.minutes(config.steps):.1f} minutes")
    return "\n".join(lines)


def outcome_text(outcome: Outcome, folder: Path) -> str:
    """Return how it ended, old and new side by side."""
    lines = [f"{'queries':16} {'figure':8} {'old':>6} {'new':>6}  difference (95 % interval), n"]
    lines += [_gain_text(gain) for gain in outcome.decision.gains]
    lines.append(outcome.decision.reason)
    if not outcome.decision.accepted:
        lines.append(f"{folder} keeps its encoder")
    elif outcome.switch is None:
        lines.append(f"{outcome.folder} is the better encoder; {folder} keeps the one it has")
    else:
        lines.append(
            f"{folder} has the encoder {outcome.name} now ({outcome.switch.items:,} items); back: "
            f"attune tune encoder {folder} --rollback"
        )
    return "\n".join(lines)


def _gain_text(gain: Gain) -> str:
    by = gain.difference
    return (
        f"{NAMES[gain.source]:16} {gain.figure:8} {gain.old:6.3f} {gain.new:6.3f}  "
        f"{by.mean:+.3f} ({by.low:+.3f} to {by.high:+.3f}), {by.n:,}"
    )
