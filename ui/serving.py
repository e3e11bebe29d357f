"""`attune serve`: the HTTP API over a project, by one process or several, stopped gracefully."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.errors import AgentError
from retrieval.errors import RetrievalError
from ui.errors import UIError
from ui.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI
    from uvicorn import Config

CANNOT_START = 3
"""What a worker process exits with that another try would not help (uvicorn's STARTUP_FAILURE)."""

BACKLOG = 4096
"""Connections that wait to be accepted; a burst of them is not refused."""
HEALTH_S = 30
"""A worker that does not answer its parent for so long is replaced."""


def serve(
    folder: Path | None, tenants: Path | None, settings: Settings, host: str, port: int,
    workers: int,
) -> None:  # fmt: skip
    """Serve until told to stop; then finish what is under way and return.

    Args:
        tenants: A file that names several projects; instead of the folder of one.
        workers: Processes; each opens the project, one of them writes the catalog for all.
    """
    from ui import wiring

    if folder is not None and tenants is not None:
        raise UIError("a project directory and --tenants FILE were both given; serve one of them")
    if folder is None and tenants is None:
        folder = wiring.default_project(settings)
    app = partial(_app, folder, tenants, settings, host)
    if workers == 1:
        _alone(_config(app(), settings, host, port))
        return
    app = partial(worker_app, app)
    config = _config(app, settings, host, port, factory=True, workers=workers)
    _together(config)


def run(app: FastAPI, settings: Settings, host: str, port: int) -> None:
    """Serve an app by this process until told to stop."""
    _alone(_config(app, settings, host, port))


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


def _app(folder: Path | None, tenants: Path | None, settings: Settings, host: str) -> FastAPI:
    from ui import wiring
    from ui.tenants import make_service

    if tenants is not None:
        return make_service(tenants, settings, host)
    return wiring.make_app(folder, settings, host)


def worker_app(make: Callable[[], FastAPI]) -> FastAPI:
    """Return the app of one worker process; what another try would not mend ends the parent."""
    try:
        return make()
    except (AgentError, RetrievalError, UIError, OSError) as error:
        click.echo(f"Error: {' '.join(str(error).split())}", err=True)
        sys.exit(CANNOT_START)
