"""`attune index` and `attune migrate-index`: make a project from a catalog, and move its index."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from retrieval.engines import EMBEDDED, ENGINES, Target
from retrieval.project import has_manifest, read_manifest

if TYPE_CHECKING:
    from ui.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

SOME_REJECTED = 3
FILE = click.Path(path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


def with_target(command: Command) -> Command:
    """Add the options that say where an index is to be."""
    for option in (
        click.option("--collection", metavar="NAME", help="Its collection or tables there."),
        click.option("--url", metavar="URL", help="Server of the engines qdrant and pgvector."),
        click.option("--engine", metavar="NAME", help=f"One of {', '.join(ENGINES)}."),
    ):
        command = option(command)
    return command


def target_of(
    engine: str | None, url: str | None, collection: str | None, folder: Path, given: Settings
) -> Target | None:
    """Return where an index is to be: as said, else where it is; None for a default place."""
    secret = given.index_url.get_secret_value() if given.index_url else ""
    key = given.index_key.get_secret_value() if given.index_key else ""
    if engine is None and url is None and collection is None:
        there = read_manifest(folder) if has_manifest(folder) else None
        if there is None or not there.url:
            return None
        return Target(there.engine, secret or there.url, there.collection, key)
    url = url or secret
    if engine in EMBEDDED or not url:
        return Target(engine or "exact")
    engine = engine or ("pgvector" if url.startswith("postgres") else "qdrant")
    return Target(engine, url, collection or default_collection(folder), key)


def default_collection(folder: Path) -> str:
    """Return the name of a project's collection where none is given: that of its folder."""
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in folder.resolve().name.lower())
    return f"attune_{name.strip('_')[:32] or 'items'}"


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE…")
@click.option("--out", type=FOLDER, default=".attune", show_default=True, help="Project directory.")
@click.option("--mapping", type=FILE, metavar="TOML", help="What the columns mean, where asked.")
@click.option("--strict", is_flag=True, help="Refuse a catalog with any broken row.")
@click.option("--encoder", metavar="NAME", help="Encoder of the texts.")
@with_target
def index(
    sources: tuple[str, ...], out: Path, mapping: Path | None, strict: bool, encoder: str | None,
    engine: str | None, url: str | None, collection: str | None,
) -> None:  # fmt: skip
    """Index catalog files (CSV, TSV, JSONL, Parquet, also gzip) or queries (URL::SELECT …).

    A new project gets the embedded engine for its size; an old one keeps its own, and its encoder.
    """
    from retrieval.project import has_manifest, read_manifest
    from ui import wiring
    from ui.cli import settings

    if encoder is None and has_manifest(out):
        encoder = read_manifest(out).encoder
    given = settings(encoder=encoder)
    target = target_of(engine, url, collection, out, given)
    progress = sys.stderr.isatty()
    loaded = wiring.load(sources, mapping=mapping, strict=strict, progress=progress)
    click.echo(wiring.describe(loaded))
    report = wiring.build(loaded, out, given, target, progress=progress)
    click.echo(wiring.outcome(report, out))
    sys.exit(SOME_REJECTED if report.rejected else 0)


@click.command("migrate-index")
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.argument("out", required=False, type=FOLDER, metavar="[TO]")
@with_target
def migrate_index(
    folder: Path, out: Path | None, engine: str | None, url: str | None, collection: str | None
) -> None:
    """Move the index of a project to another engine, in place or into the project directory TO.

    Nothing is encoded. Counts and sampled answers of the new index are compared with the old one's
    before anything is switched.
    """
    from retrieval.migrate import migrate
    from ui.cli import settings

    target = target_of(engine, url, collection, out or folder, settings())
    if target is None:
        raise click.UsageError("say where to: --engine, with --url where it has a server")
    done = migrate(folder, target, out, progress=sys.stderr.isatty())
    click.echo(
        f"moved {done.items:,} items to {target.engine} in {done.seconds:.1f} s: {done.counts} "
        f"counts agree; of the first ten answers to {done.samples} items, {done.dense:.1%} agree "
        f"by vector, {done.lexical:.1%} by words"
    )
