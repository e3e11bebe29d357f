"""`attune handovers list | show | close`: the conversations of a project that wait for a person."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.store_handovers import STATUSES, HandoverStatus
from ui.reports import table

if TYPE_CHECKING:
    from agent.store_handovers import StoredHandover

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def handovers() -> None:
    """Look at the conversations that wait for a person, and close them."""


@handovers.command("list")
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--status", type=click.Choice(STATUSES), help="Only these.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def list_(folder: Path, status: HandoverStatus | None, limit: int, as_json: bool) -> None:
    """List hand-overs, newest first."""
    from agent.store_handovers import Handovers
    from ui.feedback import stored

    with stored(folder) as store:
        found = Handovers(store.database).list(status, limit)
    plain = {"handovers": [asdict(one) for one in found]}
    click.echo(json.dumps(plain, default=str) if as_json else handovers_text(found))


@handovers.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.argument("id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def show(folder: Path, id: str, as_json: bool) -> None:
    """Show a hand-over with its conversation."""
    from agent.service.handover import described
    from agent.store_handovers import Handovers
    from ui.feedback import stored

    with stored(folder) as store:
        told = described(store, Handovers(store.database).get(id))
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else transcript_text(told))


@handovers.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
def close(folder: Path, ids: tuple[str, ...]) -> None:
    """Be done with hand-overs: the bot goes on alone."""
    from agent.store_handovers import Handovers
    from ui.feedback import stored

    with stored(folder) as store:
        for id in ids:
            Handovers(store.database).close(id)
    click.echo(f"{len(ids)} closed")


def handovers_text(found: list[StoredHandover]) -> str:
    """Return hand-overs as a table."""
    if not found:
        return "no hand-overs"
    rows = [("id", "status", "reason", "rule", "since (UTC)")]
    for one in found:
        since = f"{one.created:%Y-%m-%d %H:%M}"
        rows.append((one.id, one.status, one.reason, one.detail, since))
    return "\n".join(table(rows))


def transcript_text(told: dict[str, Any]) -> str:
    """Return a hand-over as people read it."""
    from ui.render import plain

    why = f"{told['reason']} {told['detail']}".strip()
    lines = [f"{told['id']}: {told['status']}, {why}, since {told['created'][:16]} UTC"]
    lines.append(f"session {told['session']['id']}, user {told['session']['user'] or 'unknown'}")
    for turn in told["transcript"]:
        lines += ["", f"user: {turn['user']}"]
        lines += [f"      {item['id']}: {item['title']}" for item in turn["items"]]
        lines.append(f"bot:  {turn['bot']}")
    return plain("\n".join(lines))
