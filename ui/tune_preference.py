"""`attune tune dpo | kto`: train LoRA adapters on preferences."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from finetune.pairs.rows import KINDS
from finetune.preference.config import DPOConfig, KTOConfig, PreferenceConfig
from ui.tune import FILE, FOLDER, adapter_text, estimate_text, option_of, rejects_text

if TYPE_CHECKING:
    from finetune.preference.prepared import PreparedPreferences

Command = TypeVar("Command", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)


def _with_options(config: type[PreferenceConfig]) -> Callable[[Command], Command]:
    options = [
        click.option("--out", type=FOLDER, required=True, help="Folder of the adapter."),
        click.option("--data", type=PATH, multiple=True, required=True,
                     help="Folder of pairs, or rows as JSONL."),
        click.option("--held", type=FILE, multiple=True, help="Rows to evaluate on, as JSONL."),
        click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True,
                     help="Only rows of this kind."),
        click.option("--replay", type=FILE, multiple=True,
                     help="Rows of earlier rounds to mix in, of preferences or of answers."),
        click.option("--start", type=FOLDER, help="Adapter to go on from."),
        click.option("--strict", is_flag=True, help="Refuse data with any unusable row."),
        click.option("--config", type=FILE, metavar="TOML", help="Options of this list as a file."),
        *(option_of(one) for one in fields(config)),
        click.option("--resume", is_flag=True, help="Go on with an interrupted run."),
        click.option("--dry-run", is_flag=True, help="Tell tokens and time; train nothing."),
        click.option("--tokens-per-second", type=click.FloatRange(0, min_open=True),
                     help="For --dry-run."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    ]  # fmt: skip

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.command()
@_with_options(DPOConfig)
def dpo(**given: Any) -> None:
    """Train an adapter on pairs of answers, one of them preferred."""
    from finetune.preference.prepared import prepare_dpo

    _run(DPOConfig, prepare_dpo, given)


@click.command()
@_with_options(KTOConfig)
def kto(**given: Any) -> None:
    """Train an adapter on answers that were good or bad, unpaired."""
    from finetune.preference.prepared import prepare_kto

    _run(KTOConfig, prepare_kto, given)


def _run(
    kind: type[PreferenceConfig],
    prepare: Callable[..., PreparedPreferences],
    given: dict[str, Any],
) -> None:
    """Prepare and tell what can't be used; then estimate, or train."""
    from finetune.estimate import estimate
    from finetune.sft import check_out, fit, is_main

    out, resume, speed = given.pop("out"), given.pop("resume"), given.pop("tokens_per_second")
    dry_run, as_json = given.pop("dry_run"), given.pop("as_json")
    check_out(out, resume)
    prepared = _prepare(kind, prepare, out, given, weights=not (dry_run and speed))
    if dry_run:
        found = estimate(prepared, speed)
        text, value = estimate_text(found), {**asdict(found), "seconds": found.seconds}
    else:
        adapter = fit(prepared, out, resume=resume, progress=True)
        text, value = adapter_text(adapter), asdict(adapter.card)
    if is_main():
        click.echo(json.dumps(value, ensure_ascii=False) if as_json else text)


def _prepare(
    kind: type[PreferenceConfig],
    prepare: Callable[..., PreparedPreferences],
    out: Path,
    given: dict[str, Any],
    *,
    weights: bool,
) -> PreparedPreferences:
    from finetune.preference.data import Sources
    from finetune.sft_config import read_config_of
    from finetune.training_data import write_rejects

    names = ("data", "held", "kinds", "replay", "strict")
    sources = Sources(**{name: given.pop(name) for name in names})
    start = given.pop("start")
    config = read_config_of(kind, given.pop("config"), **given)
    prepared = prepare(config, sources, start=start, weights=weights)
    told = rejects_text(prepared.rejects, write_rejects(out, prepared.rejects))
    click.echo(told, err=True)
    return prepared
