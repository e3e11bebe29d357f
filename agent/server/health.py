"""/health, /ready and /metrics: for those who run the server."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from agent.errors import AgentError
from agent.server.access import Who, needs
from agent.server.context import Context, Here, Opened
from agent.server.metrics import Snapshot
from agent.store_backlog import backlog
from retrieval.errors import RetrievalError

log = logging.getLogger(__name__)
router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """The process is up."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Whether turns can be taken, and if not, why.

    Args:
        warnings: What is wrong although turns can be taken, e.g. an adapter that can't be loaded.
    """

    status: Literal["ready", "not ready"]
    catalog: str
    version: int | None
    reasons: list[str]
    warnings: list[str] = []


@router.get("/health")
async def health() -> Health:
    """Tell that the process is up, whatever state its parts are in."""
    return Health()


def _reason(check: Callable[[], Any]) -> list[str]:
    try:
        check()
    except (AgentError, RetrievalError) as error:
        return [str(error)]
    except Exception as error:
        log.error("readiness check failed", exc_info=error)
        return [f"the catalog cannot be searched ({type(error).__name__}); see the log"]
    return []


@router.get("/ready", responses={503: {"model": Ready, "description": "Not ready, and why"}})
def ready(here: Here, response: Response) -> Ready:
    """Tell whether the store can be written and the catalog be searched."""
    retriever = here.retriever
    reasons = _reason(here.parts.store.check) + _reason(lambda: retriever.search("", k=1))
    version = None if reasons else retriever.version
    response.status_code = 503 if reasons else 200
    status: Literal["ready", "not ready"] = "not ready" if reasons else "ready"
    return Ready(
        status=status, catalog=retriever.name, version=version, reasons=reasons,
        warnings=_warnings(here),
    )  # fmt: skip


def _warnings(here: Context) -> list[str]:
    if here.adapters is None:
        return []
    problems = here.adapters.router.status().problems
    return [f"adapters, {about}: {text}" for about, text in problems.items()]


@router.get("/metrics", response_class=Response, dependencies=[needs("admin")])
def metrics(here: Here, who: Who, opened: Opened) -> Response:
    """Show what was counted, in Prometheus' text format: a tenant's key shows the tenant's own.

    The operator's key, and the one for scraping, show all of it.
    """
    if who.key is None:
        text = here.metrics.render([_snapshot(one) for one in opened])
    else:
        text = here.metrics.render([_snapshot(here)], only=here.metrics.tenant)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _snapshot(here: Context) -> Snapshot:
    routing = here.adapters.router.status() if here.adapters else None
    store = here.parts.store
    try:
        waiting = backlog(store.database)
    except AgentError:
        waiting = None
    return Snapshot(here.metrics.tenant, here.retriever.version, waiting, routing)
