"""`attune feedback pairs`: preference pairs from what people said and did."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finetune.pairs.rows import KINDS
from ui.reports import table

if TYPE_CHECKING:
    from finetune.pairs.make import PairsConfig
    from ui.settings import Settings

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("folder", required=False, type=FOLDER, metavar="[DIR]")
@click.option("--out", type=FOLDER, required=True, help="Folder to write into.")
@click.option("--from", "source", type=FILE, metavar="EXPORT", help="Sessions as exported, instead "
              "of the project's own.")  # fmt: skip
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only sessions used since a day "
              "(UTC).")  # fmt: skip
@click.option("--prompt", type=click.Choice(["plan@2", "plan@1"]), default="plan@2",
              show_default=True, help="How the model to be trained is asked: plan@2 as the house "
              "model, plan@1 with instructions.")  # fmt: skip
@click.option("--held-share", default=0.2, show_default=True, type=click.FloatRange(0, 0.9),
              help="Share of the users held out.")  # fmt: skip
@click.option("--least", type=click.IntRange(1), help="Fewest rows to train on.  [default: 20]")
@click.option("--unpaired", is_flag=True, help="As many unpaired rows will do, for tune kto.")
@click.option("--seed", default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def pairs(
    folder: Path | None, out: Path, source: Path | None, since: datetime | None, as_json: bool,
    **given: Any,
) -> None:  # fmt: skip
    """Make preference pairs of the feedback on a project (default: .attune here, else the demo).

    What was chosen and passed over, which plans were corrected, which explanations rewritten.
    """
    from finetune.pairs.make import PairsConfig
    from ui.cli import settings

    config = PairsConfig(**{name: one for name, one in given.items() if one is not None})
    report = made(folder, out, source, since, config, settings())
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else pairs_text(report, out))


def made(
    folder: Path | None, out: Path, source: Path | None, since: datetime | None,
    config: PairsConfig, settings: Settings,
) -> dict[str, Any]:  # fmt: skip
    """Write the folder of pairs of a project, and return its report."""
    from finetune.events.moving import sessions_of
    from finetune.pairs.bounds import bounded
    from finetune.pairs.make import check_out, make_pairs, write_folder
    from ui import wiring

    check_out(out)
    folder = folder if folder is not None else wiring.default_project(settings)
    start = since.replace(tzinfo=UTC) if since else None
    with wiring.open_retriever(folder, settings) as retriever:
        store = wiring.open_store(folder, settings)
        try:
            read = partial(sessions_of, source or store, since=start, everything=True)
            sessions, caps = bounded(read)
            found = make_pairs(sessions, retriever, config, caps)
        finally:
            store.close()
    write_folder(out, found)
    return dict(found.report)


def pairs_text(report: dict[str, Any], out: Path) -> str:
    """Return a report as text: rows by kind, and what was dropped and why."""
    counts = [("pairs", "train"), ("pairs", "held"), ("kto", "train"), ("kto", "held")]
    rows = [[kind, *(f"{report[of][side][kind]:,}" for of, side in counts)] for kind in KINDS]
    header = ["kind", "pairs", "held out", "unpaired", "held out"]
    lines = [
        f"{report['sessions']:,} sessions of {report['people']:,} people gave rows; in {out}",
        *table([header, *rows]),
    ]
    lines += [
        f"dropped, {kind}: {n:,} × {reason}"
        for kind in KINDS
        for reason, n in report["dropped"][kind].items()
    ]
    return "\n".join(lines)
