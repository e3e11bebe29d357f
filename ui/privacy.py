"""`attune privacy`: keys, encryption of what is stored, and deleting what is old."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.errors import UIError

if TYPE_CHECKING:
    from agent.store_purge import Purged

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def privacy() -> None:
    """Keys, encryption at rest, how long data is kept, and what is masked."""


@privacy.command()
def key() -> None:
    """Print a new key for ATTUNE_TEXT_KEY."""
    from agent.privacy.sealing import new_key

    click.echo(new_key())


@privacy.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def encrypt(folder: Path, as_json: bool) -> None:
    """Encrypt what is stored with the first key of ATTUNE_TEXT_KEY.

    What was stored before there was a key, and what other keys encrypted. Turns may be taken
    meanwhile; once it is done, the other keys are no longer needed.
    """
    from agent.store_secrets import encrypt as encrypt_all
    from ui.cli import settings
    from ui.feedback import stored
    from ui.privacy_wiring import secrets_of

    secrets = secrets_of(folder, settings())
    if not secrets.text:
        raise UIError("ATTUNE_TEXT_KEY is not set; make a key with `attune privacy key`")
    with stored(folder) as store:
        count = encrypt_all(store.database, secrets)
    click.echo(json.dumps({"rows": count}) if as_json else f"{count:,} rows encrypted anew")


@privacy.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--dry-run", "dry", is_flag=True, help="Only count.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def purge(folder: Path, dry: bool, as_json: bool) -> None:
    """Delete what is older than ATTUNE_RETENTION_DAYS, as a server does every day."""
    from ui.cli import settings
    from ui.feedback import stored
    from ui.privacy_jobs import purged

    with stored(folder) as store:
        done = purged(store, settings(), dry=dry)
    click.echo(json.dumps({**asdict(done), "dry": dry}) if as_json else purged_text(done, dry))


def purged_text(done: Purged, dry: bool) -> str:
    """Return what was deleted, or would be, as a line."""
    told = {"sessions": done.sessions, "feeds without a session": done.feeds,
            "finished jobs": done.jobs, "idempotency keys": done.once,
            "daily counts": done.usage}  # fmt: skip
    parts = ", ".join(f"{count:,} {name}" for name, count in told.items() if count)
    return f"{'to delete' if dry else 'deleted'}: {parts or 'nothing'}"


@privacy.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.argument("text")
def mask(folder: Path, text: str) -> None:
    """Print a text as it would be stored in a project."""
    from ui.cli import settings
    from ui.privacy_wiring import masker_of

    with masker_of(folder, settings()) as masker:
        click.echo(masker.mask(text))
