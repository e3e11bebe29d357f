"""create_app: the parts wired to the routes. Nothing registers itself, nothing is global."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from fastapi import FastAPI

from agent.adapter_desk import Adapters
from agent.dialogue import Parts
from agent.server import (
    admin,
    errors,
    explanations,
    feedback,
    health,
    items,
    jobs,
    models,
    recommendations,
    sessions,
    turns,
    users,
)
from agent.server.context import Catalog, Context
from agent.server.limits import BodyLimit, Limits
from agent.server.metrics import MetricsMiddleware

ROUTERS = (
    sessions.router,
    turns.router,
    feedback.router,
    users.router,
    recommendations.router,
    explanations.router,
    items.router,
    jobs.router,
    models.router,
    admin.router,
    health.router,
)

DESCRIPTION = """A conversational recommender over one catalog. Start a session, take turns in it,
send back what people did. Every error is `{"error": {"type", "message", "hint"?}}`."""


def create_app(
    parts: Parts,
    *,
    models: Sequence[str] = ("rules",),
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    adapters: Adapters | None = None,
) -> FastAPI:
    """Return the HTTP API over the parts, which all requests share.

    Args:
        parts: Their retriever must also take changes (`Catalog`).
        models: Names of what plans the turns, for GET /v1/models; the language model last.
        adapters: Who routes to adapters and decides on them, where there are any.
    """
    if not isinstance(parts.retriever, Catalog):
        raise TypeError(f"{type(parts.retriever).__name__} has no name, version, mapping, upsert "
                        "or delete; serve a retrieval.retriever.Retriever")  # fmt: skip
    context = Context(parts, parts.retriever, tuple(models), limits, adapters)
    app = FastAPI(
        title="Attune",
        version=version("attune"),
        description=DESCRIPTION,
        responses={"4XX": {"model": errors.ErrorAnswer}, "5XX": {"model": errors.ErrorAnswer}},
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    errors.install(app)
    app.add_middleware(BodyLimit, limit=limits.body_bytes)
    app.add_middleware(MetricsMiddleware, metrics=context.metrics)
    for router in ROUTERS:
        app.include_router(router)
    return app
