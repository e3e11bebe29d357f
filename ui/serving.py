"""`attune serve`: the HTTP API over a project, by one process or several, stopped gracefully."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.errors import AgentError
from retrieval.errors import RetrievalError
from ui.errors import UIError
from ui.settings import Settings

if TYPE_CHECKING:
    from uvicorn import Config

CANNOT_START = 3
"""What a worker process exits with that another try would not help (uvicorn's STARTUP_FAILURE)."""

BACKLOG = 4096
"""Connections that wait to be accepted; a burst of them is not refused."""
HEALTH_S = 30
"""A worker that does not answer its parent for so long is replaced."""


def serve(folder: Path | None, settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until told to stop; then finish what is under way and return.

    Args:
        workers: Processes; each opens the project, one of them writes the catalog for all.
    """
    from ui import wiring

    folder = folder if folder is not None else wiring.default_project(settings)
    if workers == 1:
        _alone(_config(wiring.make_app(folder, settings), settings, host, port))
        return
    app = partial(worker_app, folder, settings)
    config = _config(app, settings, host, port, factory=True, workers=workers)
    _together(config)


def _config(app: Any, settings: Settings, host: str, port: int, **more: Any) -> Config:
    import uvicorn

    from agent.observability.logs import logging_config

    return uvicorn.Config(
        app, host=host, port=port, log_config=logging_config(settings.log), access_log=False,
        backlog=BACKLOG, timeout_graceful_shutdown=settings.stop_s,
        timeout_worker_healthcheck=HEALTH_S, **more,
    )  # fmt: skip


def _alone(config: Config) -> None:
    import uvicorn

    # uvicorn sends itself the signal again when it is done; this was a stop as it should be.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.Server(config).run()


def _together(config: Config) -> None:
    """Run worker processes, and new ones in place of those that die."""
    from uvicorn.supervisors import Multiprocess

    from agent.observability.processes import share_metrics

    class Parent(Multiprocess):
        def terminate_all(self) -> None:
            """Let go of the socket first: what waits in it is for the workers alone."""
            for socket in self.sockets:
                socket.close()
            super().terminate_all()

    with share_metrics():
        parent = Parent(config, [config.bind_socket()])
        parent.run()
    if any(process.exitcode == CANNOT_START for process in parent.processes):
        raise UIError("a worker process could not start; it said why above")


def worker_app(folder: Path, settings: Settings) -> Any:
    """Return the app of one worker process; what another try would not mend ends the parent."""
    from ui import wiring

    try:
        return wiring.make_app(folder, settings)
    except (AgentError, RetrievalError, UIError, OSError) as error:
        click.echo(f"Error: {' '.join(str(error).split())}", err=True)
        sys.exit(CANNOT_START)
