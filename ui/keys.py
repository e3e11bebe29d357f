"""`attune keys`: make, list and revoke the API keys of a project, or of one tenant of several."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.access.keyring import Keyring
from agent.access.keys import DEFAULT_TENANT, SCOPES, ApiKey, Scope, read_span
from agent.access.usage import day_of, usage
from ui.errors import UIError
from ui.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

FOLDER = click.Path(file_okay=False, path_type=Path)


def _of(command: Command) -> Command:
    """Add what says whose keys are meant."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object."),
        click.option("--tenant", metavar="NAME", help="Which tenant of that file."),
        click.option("--tenants", "file", type=click.Path(dir_okay=False, path_type=Path),
                     metavar="FILE", help="Keys of a tenant: its tenants.toml."),
        click.argument("folder", required=False, type=FOLDER, metavar="[DIR]"),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group()
def keys() -> None:
    """Who may call the HTTP API of a project (default: .attune here, else the demo)."""


@keys.command()
@_of
@click.option("--name", required=True, help="What it is for, so that it is known again.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES),
              help="What it may do; admin includes the others.")  # fmt: skip
@click.option("--expires", metavar="SPAN", help="In how long: 12h, 90d, 2w. Default: never.")
def add(
    folder: Path | None, file: Path | None, tenant: str | None, as_json: bool, name: str,
    scopes: tuple[Scope, ...], expires: str | None,
) -> None:  # fmt: skip
    """Make a key and show it, this once."""
    lasts = read_span(expires) if expires is not None else None
    with _keyring(folder, file, tenant) as keyring:
        key, text = keyring.add(name, scopes, lasts)
    if as_json:
        click.echo(json.dumps({**_plain(key), "key": text}))
    else:
        click.echo(text)
        click.echo("Keep it: it is not shown again. Running servers know it in seconds.", err=True)


@keys.command("list")
@_of
def list_(folder: Path | None, file: Path | None, tenant: str | None, as_json: bool) -> None:
    """List the keys, with what each used today; the keys themselves are not stored."""
    with _keyring(folder, file, tenant) as keyring:
        found, used = keyring.list(), {
            one.key_id: one.tokens for one in usage(keyring.database, day_of(datetime.now(UTC)))
        }  # fmt: skip
    if as_json:
        rows = [{**_plain(key), "tokens_today": used.get(key.id, 0)} for key in found]
        click.echo(json.dumps({"keys": rows}))
        return
    for key in found:
        click.echo(_line(key, used.get(key.id, 0)))


@keys.command()
@_of
@click.option("--id", "id", required=True, metavar="ID", help="Of the key, as listed.")
def revoke(
    folder: Path | None, file: Path | None, tenant: str | None, as_json: bool, id: str
) -> None:
    """Take a key back; running servers know it in seconds."""
    with _keyring(folder, file, tenant) as keyring:
        key = keyring.revoke(id)
    click.echo(json.dumps(_plain(key)) if as_json else f"revoked {key.id} ({key.name})")


@contextmanager
def _keyring(folder: Path | None, file: Path | None, tenant: str | None) -> Iterator[Keyring]:
    """Open the keys of a project, or of a tenant."""
    from ui import tenants, wiring
    from ui.cli import settings

    given: Settings = settings()
    if (file is None) != (tenant is None) or (file is not None and folder is not None):
        raise UIError("name a project directory, or --tenants FILE with --tenant NAME")
    if file is not None and tenant is not None:
        store = tenants.store_of(tenants.read(file), tenant, given)
    else:
        store = wiring.open_store(folder or wiring.default_project(given), given)
    try:
        yield Keyring(store.database, tenant or DEFAULT_TENANT)
    finally:
        store.close()


def _plain(key: ApiKey) -> dict[str, Any]:
    own = {name: value for name, value in asdict(key).items() if name != "hash"}
    moments = {name: one.isoformat() for name, one in own.items() if isinstance(one, datetime)}
    return {**own, **moments, "status": key.status(datetime.now(UTC))}


def _line(key: ApiKey, tokens: int) -> str:
    until = f"until {key.expires:%Y-%m-%d %H:%M}" if key.expires else "for ever"
    status = key.status(datetime.now(UTC))
    said = until if status == "good" else status
    return f"{key.id}  {','.join(key.scopes):<24} {said:<24} {tokens:>9,} tokens today  {key.name}"
