"""`attune sync`: bring a project to what a catalog file says, here or through its server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from retrieval.catalog import Item
from retrieval.errors import IndexLocked
from retrieval.item_json import dump_item
from retrieval.project import read_manifest
from retrieval.retriever import Retriever
from retrieval.sync import Differences, apply, change, differences
from ui.errors import UIError

SOME_REJECTED = 3
SHOWN = 20
TIMEOUT_S = 300.0
"""For one batch: a server encodes a hundred texts in seconds, a busy one takes longer."""
FOLDER = click.Path(file_okay=False, path_type=Path)


class Server:
    """A server that has the project open: differences are sent to it.

    Args:
        url: Of the API that `attune serve` gives, without a path.
        key: API key with the scope catalog, where the server needs one.
    """

    def __init__(self, url: str, key: str | None = None) -> None:
        import httpx2

        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx2.Client(timeout=TIMEOUT_S, headers=headers)

    def upsert(self, items: Sequence[Item]) -> None:
        """Add or replace items.

        Raises:
            UIError: If the server cannot be reached or does not take them.
        """
        rows = [json.loads(dump_item(item)) for item in items]
        answer = self._post("items:upsert", {"items": rows, "form": "stored"})
        if answer["rejected"]:
            first = answer["rejected"][0]
            raise UIError(
                f"the server at {self._url!r} does not take item {first['id']!r}: "
                f"{first['reason']}; is it serving another project?"
            )

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items; return how many were there.

        Raises:
            UIError: If the server cannot be reached.
        """
        return int(self._post("items:delete", {"ids": list(ids)})["deleted"])

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        import httpx2

        try:
            answer = self._client.post(f"{self._url}/v1/{path}", json=body)
            answer.raise_for_status()
            found = answer.json()
        except httpx2.HTTPStatusError as error:
            said = error.response.text[:200]
            raise UIError(
                f"{self._url!r} answered {error.response.status_code} to {path}: {said}; what was "
                f"sent before is kept, run the same command again"
            ) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise UIError(
                f"cannot send to {self._url!r}: {error}; expected the address of `attune serve`, "
                f"such as http://127.0.0.1:8000; what was sent before is kept"
            ) from error
        return dict(found)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE…")
@click.option("--out", type=FOLDER, default=".attune", show_default=True, help="Project directory.")
@click.option("--url", metavar="URL", help="Server that has the project open, to write through it.")
@click.option("--key", metavar="KEY", envvar="ATTUNE_KEY",
              help="API key of that server, scope catalog; better as ATTUNE_KEY.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would change.")
@click.option("--no-delete", is_flag=True, help="Keep the items that FILE does not name.")
@click.option("--allow-delete", type=click.FloatRange(0, 1), metavar="SHARE",
              help="Share of the items that may be deleted; by default half of them, and none when "
              "rows cannot be read.")  # fmt: skip
def sync(
    sources: tuple[str, ...], out: Path, url: str | None, key: str | None, dry_run: bool,
    no_delete: bool, allow_delete: float | None,
) -> None:  # fmt: skip
    """Bring a project to what catalog files say, applying only the differences."""
    from ui import wiring
    from ui.cli import settings

    read_manifest(out)
    progress = sys.stderr.isatty()
    loaded = wiring.load(sources, mapping=out / "mapping.toml", progress=progress)
    with _opened(out, settings(), write=not (dry_run or url)) as retriever:
        found = differences(loaded, retriever, delete=not no_delete, allow=allow_delete)
        if dry_run:
            click.echo("\n".join(shown(found)))
        else:
            _write(found, retriever, Server(url, key) if url else None, progress)
    click.echo(outcome(found, dry_run))
    for reject in loaded.rejects[:SHOWN]:
        click.echo(f"  {reject}", err=True)
    sys.exit(SOME_REJECTED if found.rejected else 0)


def _opened(folder: Path, given: Any, *, write: bool) -> Retriever:
    from ui import wiring

    try:
        return wiring.open_retriever(folder, given, write=write)
    except IndexLocked as error:
        raise UIError(
            f"{error}; if that is `attune serve`, sync through it with --url http://HOST:PORT"
        ) from error


def _write(found: Differences, retriever: Retriever, server: Server | None, progress: bool) -> None:
    watch = _bar(found.writes, progress)
    if server is None:
        apply(found, retriever, watch)
        if found.writes:
            retriever.save()
        return
    try:
        apply(found, server, watch)
    finally:
        server.close()


def _bar(total: int, progress: bool) -> Any:
    """Return what shows how far the writes are."""
    from rich.console import Console
    from rich.progress import Progress

    def watch(writes: Iterable[int]) -> Iterator[int]:
        with Progress(console=Console(stderr=True), disable=not progress) as bar:
            task = bar.add_task("writing", total=total)
            for count in writes:
                bar.advance(task, count)
                yield count

    return watch


def shown(found: Differences) -> list[str]:
    """Return the differences as lines, the first few of each sort."""
    added = [f"+ {item.id}  {item.title}" for item in found.added]
    changed = [
        f"~ {item.id}  {'; '.join(change(found.before[item.id], item))}" for item in found.changed
    ]
    lines: list[str] = []
    for part in (added, changed, [f"- {id}" for id in found.deleted]):
        lines += part[:SHOWN]
        if len(part) > SHOWN:
            lines.append(f"{part[0][0]} … and {len(part) - SHOWN:,} more")
    return lines


def outcome(found: Differences, dry_run: bool) -> str:
    """Return what was done, or would be, in one line."""
    counts = {
        "added": len(found.added), "changed": len(found.changed), "deleted": len(found.deleted),
        "unchanged": found.unchanged, "rejected": found.rejected,
    }  # fmt: skip
    line = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    if found.kept:
        line += f"; {found.kept:,} items that the file does not name are kept"
    return f"nothing was written: {line}" if dry_run else line
