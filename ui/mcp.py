"""`attune mcp`: the catalog as tools for a language model elsewhere, over stdio or HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ui.settings import Settings


@click.command("mcp")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path),
                metavar="[DIR]")  # fmt: skip
@click.option("--http", is_flag=True, help="Serve at http://HOST:PORT/mcp, as `attune serve` does, "
              "instead of over stdio.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
def mcp(folder: Path | None, http: bool, host: str, port: int) -> None:
    """Serve a project's tools to an MCP client (default: .attune here, else the demo)."""
    from ui import serving
    from ui.cli import settings

    if http:
        serving.serve(folder, None, settings(), host, port, workers=1)
    else:
        _stdio(folder, settings())


def _stdio(folder: Path | None, settings: Settings) -> None:
    """Serve one client over stdin and stdout until it leaves; the catalog is only read."""
    import anyio

    from agent.mcp import Caller, make_server
    from agent.observability import tracing
    from agent.server.context import Context
    from agent.server.limits import Limits
    from ui import wiring

    project = wiring.open_project(folder, settings)
    provider = tracing.start()
    try:
        here = Context(project.parts, project.retriever, ("rules",), Limits())
        anyio.run(make_server(Caller(here)).run_stdio_async)
    finally:
        tracing.stop(provider)
        project.close()
