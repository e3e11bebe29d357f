"""`attune doctor`: looks at a deployment and says what to do about each thing it finds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.errors import AgentError
from ui.checkup.findings import Check, Finding, fail, run
from ui.settings import Settings

_MARKS = {"ok": ("✓", "green"), "note": ("·", "dim"), "warn": ("!", "yellow"), "fail": ("✗", "red")}
_TIMEOUT_S = 10.0


@click.command()
@click.argument("folder", required=False, metavar="[DIR]",
                type=click.Path(file_okay=False, path_type=Path))  # fmt: skip
@click.option("--url", metavar="URL", help="Look at a server that runs there, not at a project.")
@click.option("--key", metavar="KEY", envvar="ATTUNE_KEY",
              help="API key to ask that server with; better as ATTUNE_KEY.")  # fmt: skip
@click.option("--tenants", type=click.Path(path_type=Path), metavar="FILE",
              help="Look at the projects that FILE names.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def doctor(
    ctx: click.Context,
    folder: Path | None,
    url: str | None,
    key: str | None,
    tenants: Path | None,
    as_json: bool,
) -> None:
    """Check a deployment: a project and what it needs, or a running server.

    Exits with 1 where something does not work or is open to everybody.
    """
    if url:
        found = list(of_server(url, key))
    else:
        found = list(of_tenants(tenants) if tenants else of_project(folder))
    if as_json:
        click.echo(json.dumps(report(found), ensure_ascii=False))
    else:
        show(found, url or str(tenants or folder or "the project here"))
    ctx.exit(1 if any(one.level == "fail" for one in found) else 0)


def of_project(folder: Path | None) -> Iterator[Finding]:
    """Look at a project and everything it is served with."""
    from ui import wiring
    from ui.checkup import installation
    from ui.cli import settings

    yield from run([("installation", installation.python)])
    given: Settings = settings()
    folder = folder if folder is not None else wiring.default_project(given)
    yield from run(_of_folder(folder, given))
    yield from run(_of_process(given))


def of_tenants(file: Path) -> Iterator[Finding]:
    """Look at the project of each tenant, and what they are served with together."""
    from ui.checkup import installation
    from ui.cli import settings
    from ui.tenants import place_of, read

    yield from run([("installation", installation.python)])
    given: Settings = settings()
    tenants = read(file)
    for name in tenants.tenants:
        try:
            folder, url, schema = place_of(tenants, name)
        except AgentError as error:
            yield fail(f"{name}: store", str(error), f"correct {file}")
            continue
        own = given.model_copy(update={**tenants.overrides(name), "store": url})
        for one in run(_of_folder(folder, own, schema)):
            yield replace(one, about=f"{name}: {one.about}")
    yield from run(_of_process(given))


def _of_folder(folder: Path, given: Settings, schema: str | None = None) -> list[tuple[str, Check]]:
    from retrieval.project import has_manifest
    from ui.checkup import project, store

    if not has_manifest(folder):
        missing = fail("catalog", f"{folder} is no project", f"attune index FILE --out {folder}")
        return [("catalog", lambda: [missing])]
    return [
        ("catalog", lambda: project.catalog(folder, given)),
        ("files", lambda: project.files(folder)),
        ("store", lambda: store.store(folder, given, schema)),
        ("knowledge", lambda: project.pages(folder, given)),
        ("service desk", lambda: project.desk(folder)),
    ]


def _of_process(given: Settings) -> list[tuple[str, Check]]:
    from ui.checkup import access, installation, model

    return [
        ("access", lambda: access.access(given)),
        ("model", lambda: model.model(given)),
        ("traces", installation.traces),
    ]


def of_server(url: str, key: str | None) -> Iterator[Finding]:
    """Look at a server that runs."""
    import httpx2

    from ui.checkup import remote

    with httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False) as client:
        checks = remote.checks(remote.Server(client, url.rstrip("/"), key))
        first = list(run(checks[:1]))
        yield from first
        if first[0].level != "fail":
            yield from run(checks[1:])


def report(found: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as they are printed with --json."""
    return {
        "sound": all(one.level != "fail" for one in found),
        "counts": dict(Counter(one.level for one in found)),
        "findings": [asdict(one) for one in found],
    }


def show(found: Sequence[Finding], of: str, console: Console | None = None) -> None:
    """Print the findings for a person: each in a line, what to do below it."""
    from ui.terminal import make_console

    console = console or make_console()
    console.print(f"Looking at {of}\n")
    lines = Table.grid(padding=(0, 1))
    for _ in range(3):
        lines.add_column()
    for one in found:
        mark, style = _MARKS[one.level]
        said = Text(one.said, style="dim" if one.level == "note" else "")
        if one.advice:
            said.append(f"\n→ {one.advice}", style=style)
        lines.add_row(Text(mark, style=style), Text(one.about, style="bold"), said)
    console.print(lines)
    console.print(f"\n{_sum(Counter(str(one.level) for one in found))}")


def _sum(counts: Counter[str]) -> str:
    if not counts["fail"] and not counts["warn"]:
        return "Nothing is wrong."
    said = [f"{counts['fail']} to be put right"] if counts["fail"] else []
    said += [f"{counts['warn']} to be looked at"] if counts["warn"] else []
    return f"{' and '.join(said)}."
