"""`attune knowledge`: the shop's own pages, from which questions about the shop are answered."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import click

from agent.knowledge import (
    FOLDER,
    Added,
    Knowledge,
    Library,
    add,
    open_knowledge,
    remove,
    uploads_of,
)
from agent.knowledge.sold import Sold
from retrieval.encoder import make_encoder
from retrieval.project import has_manifest, read_manifest
from retrieval.query import Encoder
from retrieval.retriever import Retriever
from ui.errors import UIError
from ui.settings import Settings

SOME_REJECTED = 3
PROJECT = click.option(
    "--project", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Project directory (default: .attune here, else the demo).",
)  # fmt: skip
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def shelf_encoder(folder: Path, settings: Settings, own: Encoder | None = None) -> Encoder:
    """Return the encoder of a project's pages: that of its shelf, else the one that is set.

    Args:
        own: The catalog's encoder, which is taken where it is the same.
    """
    shelf = folder / FOLDER
    name = read_manifest(shelf).encoder if has_manifest(shelf) else settings.encoder
    return own if own is not None and own.name == name else make_encoder(name, settings.models)


def make_knowledge(retriever: Retriever, settings: Settings) -> Knowledge:
    """Return the pages of a project that is open; there may be none yet."""
    encoder = shelf_encoder(retriever.folder, settings, retriever.encoder)
    return open_knowledge(retriever.folder, encoder, Sold(lambda: retriever.facets))


def make_library(retriever: Retriever, settings: Settings) -> Library:
    """Return what takes pages for a project that is served."""
    folder = retriever.folder
    return Library(
        make_knowledge(retriever, settings),
        lambda: shelf_encoder(folder, settings, retriever.encoder),
    )


def add_demo_pages(folder: Path, settings: Settings) -> None:
    """Put the demo shop's pages on its shelf, where it has none yet."""
    if not has_manifest(folder / FOLDER):
        add_paths([Path(str(files("agent.knowledge"))) / "demo"], folder, settings)


def _project(folder: Path | None, settings: Settings) -> Path:
    from ui import wiring

    found = folder if folder is not None else wiring.default_project(settings)
    if not has_manifest(found):
        raise UIError(f"no project at {str(found)!r}; attune index FILE --out {found} makes one")
    return found


def add_paths(paths: Sequence[Path], folder: Path, settings: Settings) -> Added:
    """Put files and folders on a project's shelf."""
    encoder = shelf_encoder(folder, settings)
    return add(folder / FOLDER, uploads_of(paths), encoder)


@click.group()
def knowledge() -> None:
    """Pages about the shop itself: answers on delivery, returns … are quoted from them."""


@knowledge.command("add")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path),
                metavar="FILE|FOLDER...")  # fmt: skip
@PROJECT
@JSON
def add_command(paths: tuple[Path, ...], project: Path | None, as_json: bool) -> None:
    """Add pages (.md .html .pdf .txt, .csv of questions), in place of those of the same name."""
    settings = _settings()
    done = add_paths(paths, _project(project, settings), settings)
    if as_json:
        click.echo(json.dumps(asdict(done), ensure_ascii=False))
    elif done.sources:
        same = f", {done.unchanged} of them unchanged" if done.unchanged else ""
        click.echo(f"{len(done.sources)} sources, {done.passages} passages{same}")
    for error in done.errors:
        click.echo(f"not taken: {error}", err=True)
    if not done.sources and not done.errors:
        raise UIError("nothing to add: no file there ends in .md, .html, .pdf, .txt or .csv")
    if done.errors:
        sys.exit(SOME_REJECTED if done.sources else 1)


@knowledge.command("remove")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@PROJECT
def remove_command(sources: tuple[str, ...], project: Path | None) -> None:
    """Remove pages, named as `attune knowledge list` names them."""
    settings = _settings()
    folder = _project(project, settings)
    gone = remove(folder / FOLDER, sources, shelf_encoder(folder, settings))
    click.echo(f"{len(set(sources))} sources removed, {gone} passages")


@knowledge.command("list")
@PROJECT
@JSON
def list_command(project: Path | None, as_json: bool) -> None:
    """List the pages there are."""
    settings = _settings()
    folder = _project(project, settings)
    found = open_knowledge(folder, shelf_encoder(folder, settings)).sources()
    if as_json:
        click.echo(json.dumps({"sources": [asdict(one) for one in found]}, ensure_ascii=False))
        return
    for one in found:
        past = f", {one.past} of them past and not quoted" if one.past else ""
        url = f"  {one.url}" if one.url else ""
        click.echo(f"{one.name}  {one.passages} passages{past}{url}")


@knowledge.command("ask")
@click.argument("question")
@click.option("--before", metavar="QUESTION", help="The question before it.")
@PROJECT
@JSON
def ask_command(question: str, before: str | None, project: Path | None, as_json: bool) -> None:
    """Ask the pages, to see what a customer would be told."""
    from ui import wiring

    settings = _settings()
    folder = _project(project, settings)
    with wiring.open_retriever(folder, settings) as retriever:
        answer = make_knowledge(retriever, settings).ask(question, before)
    if as_json:
        quotes = [quote.model_dump() for quote in answer.quotes]
        click.echo(json.dumps(asdict(answer) | {"quotes": quotes}, ensure_ascii=False))
        return
    for quote in answer.quotes:
        place = ", ".join(part for part in (quote.source, quote.place, quote.title) if part)
        click.echo(f"{quote.text}\n    ({place}; sure to {quote.score:.2f})")
    for one in answer.unanswered:
        click.echo(f"I don't know: {one}")


def _settings() -> Settings:
    from ui.cli import settings

    return settings()
