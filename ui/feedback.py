"""`attune feedback`: what people did, as files, as figures, and as something that can be forgotten.

`attune feedback pairs` is in `ui.pairs`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.errors import UIError

if TYPE_CHECKING:
    from agent.store import Store
    from finetune.events.audit import Entry
    from finetune.events.moving import Imported

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
LISTED = 10
"""Rejects shown before the rest is referred to."""


@click.group()
def feedback() -> None:
    """Read, count, bound and forget what people did with what they were shown."""


@contextmanager
def _store(folder: Path) -> Iterator[Store]:
    """Open the session store of a project, or the one that ATTUNE_STORE names."""
    from ui import wiring
    from ui.cli import settings

    own = settings()
    if own.store is None and not folder.is_dir():
        raise UIError(f"{str(folder)!r} is no folder; give a project that `attune index` wrote")
    store = wiring.open_store(folder, own)
    try:
        yield store
    finally:
        store.close()


def _moment(date: datetime | None) -> datetime | None:
    return None if date is None else date.replace(tzinfo=UTC)


@feedback.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--out", type=FILE, required=True, help=".jsonl, .jsonl.gz or .parquet.")
@click.option("--since", type=click.DateTime(), metavar="DATE", help="Sessions with anything from "
              "then on (UTC).")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Also sessions in which learning was "
              "refused, for figures of your own; their events say so.")  # fmt: skip
def export(folder: Path, out: Path, since: datetime | None, everything: bool) -> None:
    """Write sessions with what was said, shown and done to a file."""
    from finetune.events.moving import export_sessions

    with _store(folder) as store:
        done = export_sessions(store, out, since=_moment(since), everything=everything)
    click.echo(f"{done.sessions:,} sessions written to {out}")
    if done.withheld:
        click.echo(f"{done.withheld:,} withheld: learning from them was refused (--all has them)")


@feedback.command("import")
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.argument("file", type=FILE, metavar="FILE")
def import_(folder: Path, file: Path) -> None:
    """Put exported sessions, or single events as JSONL, into the store of a project.

    Importing again changes nothing. Lines that cannot be taken are listed and kept in
    FILE.rejects.jsonl; the exit code is 3 then.
    """
    from finetune.events.moving import import_file

    with _store(folder) as store:
        done = import_file(store, file)
    click.echo(import_text(done))
    if done.rejects:
        raise SystemExit(3)


def import_text(done: Imported) -> str:
    """Return what became of a file, as lines."""
    lines = [f"{done.sessions:,} sessions and {done.events:,} single events taken, {done.known:,} "
             "known already"]  # fmt: skip
    lines += [f"{one.file}:{one.line}: {one.reason}" for one in done.rejects[:LISTED]]
    if len(done.rejects) > LISTED:
        lines.append(f"… and {len(done.rejects) - LISTED:,} more")
    if done.aside is not None:
        lines.append(f"{len(done.rejects):,} lines were not taken; they are kept in {done.aside}")
    return "\n".join(lines)


@feedback.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--head", metavar="HASH", help="Last hash as told earlier; it must still be there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def audit(folder: Path, head: str | None, as_json: bool) -> None:
    """Print the audit trail of a folder and check that nobody changed it."""
    from finetune.events.audit import NAME, Audit

    trail = Audit(folder)
    if not trail.path.exists():
        raise UIError(f"{str(folder)!r} has no {NAME}: nothing was recorded there")
    checked = trail.check(head)
    entries = [] if checked.broken else trail.entries()
    if as_json:
        told = [{**asdict(one), "time": one.time.isoformat()} for one in entries]
        click.echo(json.dumps({**asdict(checked), "entries": told}, ensure_ascii=False))
    else:
        click.echo("".join(f"{_line(one)}\n" for one in entries), nl=False)
    if checked.broken is not None:
        raise UIError(f"{trail.path}:{checked.broken.line}: {checked.broken.reason}")
    if not as_json:
        click.echo(
            f"{checked.lines:,} lines, each follows from the one before; head {checked.head}"
        )


def _line(entry: Entry) -> str:
    """Return an entry as one line."""
    facts = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}"
                     for name, value in entry.facts.items())  # fmt: skip
    return f"{entry.number:5} {entry.time:%Y-%m-%d %H:%M:%S}Z {entry.kind:12} {facts}".rstrip()
