"""create_app: the parts wired to the routes. Nothing registers itself, nothing is global."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from agent.access.keyring import Keyring
from agent.access.keys import DEFAULT_TENANT
from agent.access.rates import Rates
from agent.adapter_desk import Adapters
from agent.dialogue import Parts
from agent.knowledge.library import Library
from agent.server import (
    admin,
    completions,
    errors,
    explanations,
    feedback,
    handovers,
    health,
    items,
    jobs,
    keys,
    knowledge,
    models,
    pictures,
    recommendations,
    reindexing,
    responses,
    sessions,
    suggestions,
    turns,
    users,
)
from agent.server.access import Access, Rules, scopes
from agent.server.asked import Refused
from agent.server.completions_errors import on_refused, openai_shape
from agent.server.context import Catalog, Context, Tenant
from agent.server.limits import BodyLimit, Capacity, Limits, TimeLimit
from agent.server.metrics import Metrics
from agent.server.observed import Observed
from agent.server.places import Places
from agent.server.plain import Plain

ROUTERS = (
    sessions.router,
    turns.router,
    suggestions.router,
    completions.router,
    responses.router,
    feedback.router,
    users.router,
    recommendations.router,
    explanations.router,
    items.router,
    reindexing.router,
    knowledge.router,
    pictures.router,
    jobs.router,
    handovers.router,
    models.router,
    admin.router,
    keys.router,
    health.router,
)

OPENAI = (
    "/v1/chat", "/v1/responses", "/v1/models", "/v1/completions", "/v1/embeddings",
    "/v1/moderations", "/v1/conversations", "/v1/v1/", "/chat/", "/responses", "/models",
)  # fmt: skip
"""Paths that OpenAI's clients may try: those that there are, others of its API, and those that
come of a base URL without /v1, or with two."""

SHAPES: dict[str, errors.Shape] = dict.fromkeys(OPENAI, openai_shape)
"""Shapes of errors other than ours, by how the path begins whose clients expect them."""

DESCRIPTION = """A conversational recommender over one catalog. Start a session, take turns in it,
send back what people did. Every error is `{"error": {"type", "message", "hint"?}}`; on OpenAI's
paths it is as theirs are, `{"error": {"message", "type", "param", "code"}}`."""


def create_app(
    parts: Parts,
    *,
    models: Sequence[str] = ("rules",),
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    adapters: Adapters | None = None,
    rules: Rules | None = None,
    capacity: Capacity = Capacity(),  # noqa: B008 (frozen)
    pictures: Path | None = None,
    library: Library | None = None,
) -> FastAPI:
    """Return the HTTP API over the parts, which all requests share.

    Args:
        parts: Their retriever must also take changes (`Catalog`).
        models: Names of what plans the turns, for GET /v1/models; the language model last.
        adapters: Who routes to adapters and decides on them, where there are any.
        rules: How requests are let in; without, freely until a key is stored.
        capacity: What the process takes on.
        pictures: Folder that items' relative picture paths start from, where there is one.
        library: Takes the shop's own pages.
    """
    context = make_context(
        parts, models=models, limits=limits, adapters=adapters, pictures=pictures,
        library=library,
    )  # fmt: skip
    rules = rules or Rules(operator_key=adapters.key if adapters else None)
    keyring = Keyring(parts.store.database)
    tenant = Tenant(DEFAULT_TENANT, keyring, lambda: context, limits.origins)
    tenant.open()
    return create_service(
        {tenant.name: tenant}, limits=limits, rules=rules, capacity=capacity,
        metrics=context.metrics,
    )  # fmt: skip


def make_context(
    parts: Parts,
    *,
    models: Sequence[str] = ("rules",),
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    adapters: Adapters | None = None,
    pictures: Path | None = None,
    library: Library | None = None,
) -> Context:
    """Return what the requests of one tenant share; the arguments are those of `create_app`."""
    if not isinstance(parts.retriever, Catalog):
        raise TypeError(f"{type(parts.retriever).__name__} has no name, version, mapping, upsert "
                        "or delete; serve a retrieval.retriever.Retriever")  # fmt: skip
    return Context(
        parts, parts.retriever, tuple(models), limits, adapters, pictures=pictures, library=library
    )


def create_service(
    tenants: Mapping[str, Tenant],
    *,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    rules: Rules = Rules(auth="required"),  # noqa: B008 (frozen)
    capacity: Capacity = Capacity(),  # noqa: B008 (frozen)
    metrics: Metrics | None = None,
) -> FastAPI:
    """Return the HTTP API of several tenants, each reached with its own keys only.

    Args:
        limits: Of the process; each tenant's context has its own besides.
        rules: How requests are let in.
        capacity: What the process takes on.
    """
    app = FastAPI(
        title="Attune",
        version=version("attune"),
        description=DESCRIPTION,
        responses={"4XX": {"model": errors.ErrorAnswer}, "5XX": {"model": errors.ErrorAnswer}},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # behind a proxy it would lead out of https
    )
    app.state.tenants = dict(tenants)
    app.state.places = Places(capacity.turns, capacity.at_once, capacity.wait_s)
    metrics = metrics or Metrics()
    for tenant in tenants.values():
        tenant.count_with(metrics.for_tenant(tenant.name))
    errors.install(app, SHAPES)
    app.add_exception_handler(Refused, on_refused)
    for router in ROUTERS:
        app.include_router(router)
    # Imported here: its tools are made of the handlers above.
    from agent.mcp.http import MCPEndpoint

    app.router.routes.append(Route("/mcp", MCPEndpoint(), include_in_schema=False))
    scopes(app)
    # From the inside out: the last one added sees a request first.
    app.add_middleware(Plain)
    app.add_middleware(BodyLimit, limit=limits.body_bytes)
    app.add_middleware(
        Access, tenants=app.state.tenants, rules=rules, rates=Rates(capacity.storage)
    )
    app.add_middleware(TimeLimit, seconds=capacity.request_s)
    _add_cors(app, tenants)
    app.add_middleware(Observed, metrics=metrics)
    return app


def _add_cors(app: FastAPI, tenants: Mapping[str, Tenant]) -> None:
    """Let pages of the allowed origins call from the browser.

    A browser asks beforehand, without the key, so what any tenant allows is answered; that a page
    is not allowed with the key of another tenant is seen to where the key is known (`Access`).
    """
    origins = sorted({origin for tenant in tenants.values() for origin in tenant.origins})
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "DELETE"],
            # OpenAI's clients send a dozen of their own; what a page says there it may say anyway.
            allow_headers=["*"],
            expose_headers=["Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-ID"],
        )
