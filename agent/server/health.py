"""/health, /ready and /metrics: for those who run the server."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from agent.errors import AgentError
from agent.observability.readiness import standing_of
from agent.server.access import Who, needs
from agent.server.context import Context, Here, Opened
from agent.server.lifetime import is_draining
from agent.server.metrics import Snapshot
from agent.store_backlog import backlog

log = logging.getLogger(__name__)
router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """The process is up."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Whether turns can be taken, and if not, why.

    Args:
        catalog: Its name; empty where several tenants are served.
        tenants: How many tenants are served and have been opened.
        warnings: What is wrong although turns can be taken, e.g. an adapter that can't be loaded.
    """

    status: Literal["ready", "not ready"]
    catalog: str
    version: int | None
    tenants: int = 1
    reasons: list[str]
    warnings: list[str] = []


@router.get("/health")
async def health() -> Health:
    """Tell that the process is up, whatever state its parts are in."""
    return Health()


@router.get("/ready", responses={503: {"model": Ready, "description": "Not ready, and why"}})
def ready(request: Request, opened: Opened, response: Response) -> Ready:
    """Tell whether turns can be taken: the store be written, the catalog be searched.

    Of several tenants, those that cannot take turns are a warning while others can; which ones
    they are is in the log and in `attune_store_up`, since this needs no key.
    """
    served = list(request.app.state.tenants.values())
    answer = _one(opened[0]) if len(served) == 1 and opened else _several(opened)
    if is_draining(request.app):
        answer = answer.model_copy(
            update={"status": "not ready", "reasons": ["the server is stopping", *answer.reasons]}
        )
    response.status_code = 200 if answer.status == "ready" else 503
    return answer


def _one(here: Context) -> Ready:
    found = standing_of(here.parts, here.adapters.router if here.adapters else None)
    ready = not found.reasons
    return Ready(
        status="ready" if ready else "not ready", catalog=here.retriever.name,
        version=here.retriever.version if ready else None,
        reasons=found.reasons, warnings=found.warnings,
    )  # fmt: skip


def _several(opened: Sequence[Context]) -> Ready:
    stands = [standing_of(one.parts) for one in opened]
    for one, stand in zip(opened, stands, strict=True):
        for text in (*stand.reasons, *stand.warnings):
            log.warning("tenant %s: %s", one.metrics.tenant, text)
    broken = sum(bool(stand.reasons) for stand in stands)
    said = [f"{broken} of {len(opened)} tenants cannot take turns; the log says why"]
    down = bool(broken) and broken == len(opened)
    return Ready(
        status="not ready" if down else "ready", catalog="", version=None, tenants=len(opened),
        reasons=said if down else [], warnings=said if broken and not down else [],
    )  # fmt: skip


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
