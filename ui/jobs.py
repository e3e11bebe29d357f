"""`attune jobs list | retry`: the work in the background, as a server of the project left it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from agent.jobs import JobStatus
from ui.reports import table

if TYPE_CHECKING:
    from agent.jobs import Job

FOLDER = click.Path(file_okay=False, path_type=Path)
ERROR_SHOWN = 60


@click.group()
def jobs() -> None:
    """Look at the work in the background; have what was given up tried again."""


@jobs.command("list")
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--status", type=click.Choice(get_args(JobStatus)), help="Only these.")
@click.option("--kind", metavar="NAME", help="Only these, e.g. handover.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def list_(
    folder: Path, status: JobStatus | None, kind: str | None, limit: int, as_json: bool
) -> None:
    """List jobs, newest first."""
    from ui.feedback import stored

    with stored(folder) as store:
        found = store.work.list(status, kind, limit)
    plain = {"jobs": [asdict(job) for job in found]}
    click.echo(json.dumps(plain, default=str) if as_json else jobs_text(found))


@jobs.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--dead", is_flag=True, help="Every job that was given up.")
def retry(folder: Path, ids: tuple[str, ...], dead: bool) -> None:
    """Have jobs that were given up tried again, by the next server that looks."""
    from ui.feedback import stored

    if bool(ids) == dead:
        raise click.UsageError("give ids of jobs, or --dead")
    with stored(folder) as store:
        chosen = ids or [job.id for job in store.work.list("dead", limit=1_000)]
        for id in chosen:
            store.work.retry(id)
    click.echo(f"{len(chosen)} to be tried again")


def jobs_text(found: list[Job]) -> str:
    """Return jobs as a table, or that there are none."""
    if not found:
        return "no jobs"
    rows = [
        (job.id, job.kind, job.status, str(job.attempts), f"{job.created:%Y-%m-%d %H:%M:%S}",
         " ".join((job.error or "").split())[:ERROR_SHOWN])
        for job in found
    ]  # fmt: skip
    head = ("id", "kind", "status", "tries", "created (UTC)", "error")
    return "\n".join(table([head, *rows]))
