"""Which jobs a served project runs, and the workers that run them.

A kind that may take minutes belongs to the slow ones: they have a worker of their own, so that
somebody who waits for a person does not wait for a catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from agent.jobs import Handler
from agent.knowledge import KIND as KNOWLEDGE
from agent.server.lifetime import live
from agent.worker import Worker
from ui.knowledge import make_library
from ui.privacy_jobs import make_forget, make_retention
from ui.reindexing import make_reindex
from ui.service_wiring import service_jobs
from ui.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ui.wiring import Project


def quick_jobs(project: Project, settings: Settings) -> Mapping[str, Handler]:
    """Return what runs jobs that take seconds, by kind."""
    return service_jobs(project.folder, project.parts.store)


def slow_jobs(project: Project, settings: Settings) -> Mapping[str, Handler]:
    """Return what runs jobs that may take minutes, by kind."""
    store = project.parts.store
    return {
        "reindex": make_reindex(project.retriever, settings),
        KNOWLEDGE: make_library(project.retriever, settings).index,
        "forget": make_forget(project.folder, store),
        "retention": make_retention(store, settings),
    }


DAILY: tuple[str, ...] = ("retention",)
"""Slow kinds that run once a day."""


def live_with(
    app: FastAPI, project: Project, settings: Settings, ended: Callable[[], None] | None = None
) -> None:
    """Have the workers of a project begin with an app, and the project be closed with it.

    Args:
        ended: What else is to end with the app.
    """
    background = Background(project, settings)

    def stop() -> None:
        if ended is not None:
            ended()
        background.stop(settings.stop_s)
        project.close()

    live(app, start=background.start, stop=stop, threads=settings.threads, drain_s=settings.drain_s)


class Background:
    """The workers of one served project."""

    def __init__(self, project: Project, settings: Settings) -> None:
        store, quick = project.parts.store, quick_jobs(project, settings)
        self._workers = [Worker(store, slow_jobs(project, settings), daily=DAILY)]
        if quick:
            self._workers.append(Worker(store, quick))

    def start(self) -> None:
        """Begin to work."""
        for worker in self._workers:
            worker.start()

    def stop(self, wait_s: float) -> None:
        """Let the jobs under way finish, and give back what is not done by then."""
        for worker in self._workers:
            worker.stop(wait_s)
