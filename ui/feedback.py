"""`attune feedback`: what people did, as files, as figures, and as something that can be forgotten.

`attune feedback pairs` is in `ui.pairs`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.errors import UIError

if TYPE_CHECKING:
    from finetune.events.audit import Entry

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def feedback() -> None:
    """Read, count, bound and forget what people did with what they were shown."""


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
