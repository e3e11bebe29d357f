"""`attune tune`: train LoRA adapters and search for how to train them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from finetune.sft_config import SFTConfig

if TYPE_CHECKING:
    from finetune.adapters import Adapter
    from finetune.estimate import Estimate
    from finetune.search import SearchResult
    from finetune.sft import Prepared
    from finetune.training_data import Reject

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
SEARCHED = ("learning_rate", "rank", "accumulation", "epochs")
LISTED = 20
KINDS: dict[str, dict[str, Any]] = {
    "str": {"metavar": "NAME"},
    "int": {"type": int},
    "int | None": {"type": int},
    "float": {"type": float},
    "float | None": {"type": float},
    "bool": {"is_flag": True},
    "bool | None": {},
    "tuple[str, ...]": {"multiple": True, "metavar": "NAME"},
}
"""How a field of the configuration is given on the command line."""


def option_of(one: Field[Any]) -> Any:
    """Return the option that gives a field of a configuration."""
    name = one.name.replace("_", "-")
    flag = f"--{name}/--no-{name}" if one.type == "bool | None" else f"--{name}"
    flag = flag.removesuffix("s") if str(one.type).startswith("tuple") else flag
    choices = one.metadata.get("choices")
    kind = dict(KINDS.get(str(one.type), {"type": click.Choice(choices or ())}))
    told = one.metadata["help"]
    if one.default not in (None, MISSING, (), False):
        # Not click's own default: what is not given here may be given in the TOML file.
        told += f"  [default: {f'{one.default:g}' if one.type == 'float' else one.default}]"
    if not kind.get("multiple"):
        kind["default"] = None
    return click.option(flag, one.name, help=told, **kind)


def with_training(*left_out: str) -> Callable[[Command], Command]:
    """Add the options that say what is trained on and how, but those left out."""
    options = [
        click.option("--data", type=FILE, multiple=True, required=True, help="Rows as JSONL."),
        click.option("--held", type=FILE, multiple=True, help="Rows to evaluate on, as JSONL."),
        click.option("--strict", is_flag=True, help="Refuse data with any unusable row."),
        click.option("--config", type=FILE, metavar="TOML", help="Options of this list as a file."),
        *(option_of(one) for one in fields(SFTConfig) if one.name not in left_out),
    ]

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.group()
def tune() -> None:
    """Train LoRA adapters."""


@tune.command()
@click.option("--out", type=FOLDER, required=True, help="Folder of the adapter.")
@with_training()
@click.option("--resume", is_flag=True, help="Go on with an interrupted run.")
@click.option("--dry-run", is_flag=True, help="Tell tokens and time; train nothing.")
@click.option("--tokens-per-second", type=click.FloatRange(0, min_open=True), help="For --dry-run.")
def sft(
    out: Path, resume: bool, dry_run: bool, tokens_per_second: float | None, **given: Any
) -> None:
    """Train an adapter on rows of prompts and answers."""
    from finetune.estimate import estimate
    from finetune.sft import check_out, fit, is_main

    check_out(out, resume)
    prepared = _prepare(out, given, weights=not (dry_run and tokens_per_second))
    if dry_run:
        text = estimate_text(estimate(prepared, tokens_per_second))
    else:
        text = adapter_text(fit(prepared, out, resume=resume, progress=True))
    if is_main():
        click.echo(text)


@tune.command()
@click.option("--out", type=FOLDER, required=True, help="Folder of the study.")
@click.option("--trials", type=click.IntRange(1), default=20, show_default=True)
@with_training(*SEARCHED)
def search(out: Path, trials: int, **given: Any) -> None:
    """Search for learning rate, rank, batch size and epochs; goes on with an earlier search."""
    from finetune.search import BEST, search

    given["evals_per_epoch"] = given["evals_per_epoch"] or 4
    prepared = _prepare(out, given, weights=True)
    result = search(prepared, out, trials=trials, progress=sys.stderr.isatty())
    click.echo(search_text(result))
    if result.best is not None:
        click.echo(f"best configuration: {out / BEST}")


def _prepare(out: Path, given: dict[str, Any], *, weights: bool) -> Prepared:
    """Read configuration and data, and tell on stderr what there is and what was refused."""
    from finetune.sft import Sources, prepare
    from finetune.sft_config import read_config
    from finetune.training_data import write_rejects

    sources = Sources(given.pop("data"), given.pop("held"), given.pop("strict"))
    config = read_config(given.pop("config"), **given)
    prepared = prepare(config, sources, weights=weights)
    click.echo(rejects_text(prepared.rejects, write_rejects(out, prepared.rejects)), err=True)
    return prepared


def rejects_text(rejects: list[Reject], kept: list[Path]) -> str:
    """Return the rows that can't be used, as lines."""
    if not rejects:
        return "all rows can be used"
    lines = [str(reject) for reject in rejects[:LISTED]]
    if len(rejects) > LISTED:
        lines.append(f"… and {len(rejects) - LISTED:,} more")
    where = ", ".join(map(str, kept))
    return "\n".join([*lines, f"{len(rejects):,} rows can't be used, kept aside in {where}"])


def estimate_text(told: Estimate) -> str:
    """Return an estimate as lines."""
    how = "measured" if told.measured else "as given"
    return "\n".join(
        [
            f"tokens   {told.tokens:,} in each epoch, {told.learned:,} of them learned;"
            f" longest example {told.longest:,}",
            f"steps    {told.steps:,}, {told.seen:,} tokens in all",
            f"speed    {told.tokens_per_second:,.0f} tokens/s on this machine ({how})",
            f"time     {duration(told.seconds)}, evaluations not counted",
        ]
    )


def duration(seconds: float) -> str:
    """Return a length of time in the two largest units that say something."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def adapter_text(adapter: Adapter) -> str:
    """Return what was trained, as lines."""
    metrics = [
        f"{name.replace('_', ' ')} {value:.4g}" for name, value in adapter.card.metrics.items()
    ]
    return f"adapter {adapter.folder} for {adapter.card.base}\n{', '.join(metrics)}"


def search_text(result: SearchResult) -> str:
    """Return the trials as a table, and which is best."""
    rows = [f"{'trial':>5}  {'state':9}  {'eval loss':>9}  configuration"]
    for trial in result.trials:
        loss = "–" if trial.loss is None else f"{trial.loss:.4f}"
        values = [f"{name}={_number(value)}" for name, value in trial.params.items()]
        rows.append(f"{trial.number:>5}  {trial.state:9}  {loss:>9}  {', '.join(values)}")
    ended = "no trial came to its end" if result.loss is None else f"best: {result.loss:.4f}"
    return "\n".join([*rows, ended])


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
