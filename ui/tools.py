"""`attune tools add | list | remove | try | secret`: the shop's own API, used in conversations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.errors import UIError
from ui.reports import table

if TYPE_CHECKING:
    from agent.tools import Tool

PROJECT = click.option(
    "--project", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Project directory (default: .attune here, else the demo).",
)  # fmt: skip


@click.group()
def tools() -> None:
    """Use operations of the shop's own API: order status, returns, cart."""


@tools.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--url", metavar="BASE", help="Where it is called; by default the file's own server.")
@PROJECT
def add(file: Path, url: str | None, project: Path | None) -> None:
    """Take the operations of an OpenAPI 3 file (JSON or YAML) as tools."""
    from agent.tools import add as add_tools

    for tool in add_tools(file, url, folder_of(project)):
        click.echo(f"{tool.name}: {tool.method} {tool.base}{tool.path}")


@tools.command("list")
@PROJECT
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def list_(project: Path | None, as_json: bool) -> None:
    """List the tools of a project."""
    from agent.tools import load

    found = load(folder_of(project))
    plain = {"tools": [plain_tool(tool) for tool in found]}
    click.echo(json.dumps(plain, ensure_ascii=False) if as_json else tools_text(found))


@tools.command()
@click.argument("name", metavar="NAME")
@PROJECT
def remove(name: str, project: Path | None) -> None:
    """Take the tools of a file out of a project."""
    from agent.tools import remove as remove_tools

    click.echo(f"removed {remove_tools(name, folder_of(project)).name}")


@tools.command("try")
@click.argument("text", metavar="TEXT")
@PROJECT
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def try_(text: str, project: Path | None, as_json: bool) -> None:
    """Show which tool a text means and with which arguments; nothing is called."""
    found = tried(text, folder_of(project))
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else tried_text(found))


@tools.command()
def secret() -> None:
    """Print a new secret to sign calls with; both sides keep it in an environment variable."""
    import base64
    import secrets

    click.echo("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())


def folder_of(project: Path | None) -> Path:
    """Return the project directory that is meant."""
    from retrieval.project import has_manifest
    from ui import wiring
    from ui.cli import settings

    found = project if project is not None else wiring.default_project(settings())
    if not has_manifest(found):
        raise UIError(f"no project at {str(found)!r}; attune index FILE --out {found} makes one")
    return found


def plain_tool(tool: Tool) -> dict[str, Any]:
    """Return a tool as JSON."""
    return {
        "name": tool.name, "file": tool.source, "method": tool.method,
        "url": tool.base + tool.path, "summary": tool.summary, "confirms": tool.confirms,
        "arguments": [
            {"name": one.name, "in": one.place, "required": one.required, "type": one.type}
            for one in tool.arguments
        ],
        "examples": list(tool.examples),
    }  # fmt: skip


def tools_text(found: tuple[Tool, ...]) -> str:
    """Return tools as a table."""
    if not found:
        return "no tools; attune tools add FILE --url BASE"
    rows = [("tool", "file", "call", "asks", "confirmed")]
    for tool in found:
        needed = ", ".join(one.name for one in tool.arguments if one.required) or "nothing"
        call = f"{tool.method} {tool.path}"
        rows.append((tool.name, tool.source, call, needed, "yes" if tool.confirms else "no"))
    return "\n".join(table(rows))


def tried(text: str, folder: Path) -> dict[str, Any]:
    """Return the tools in the order in which a text means them, and the best one's arguments."""
    from agent.tools import load
    from agent.tools.filling import fill
    from agent.tools.matching import ENOUGH, Matcher
    from ui import wiring
    from ui.cli import settings
    from ui.service_wiring import encode_with, now

    with wiring.open_retriever(folder, settings()) as retriever:
        ranked = Matcher(load(folder), encode_with(retriever)).rank(text)
    meant = ranked[0] if ranked and ranked[0].score >= ENOUGH else None
    values = (
        fill(meant.tool, text, known={}, context={}, items=(), today=now().date()) if meant else {}
    )
    return {
        "tool": meant.tool.name if meant else None,
        "arguments": values,
        "scores": {match.tool.name: match.score for match in ranked},
        "enough": ENOUGH,
    }


def tried_text(found: dict[str, Any]) -> str:
    """Return what a text was taken for as people read it."""
    given = ", ".join(f"{name}={value!r}" for name, value in found["arguments"].items())
    head = f"{found['tool'] or 'no tool'}({given})" if found["tool"] else "no tool is meant"
    rows = [(name, f"{score:.2f}") for name, score in found["scores"].items()]
    return "\n".join([head, *(table(rows) if rows else ())])
