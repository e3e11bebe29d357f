"""What a request handler can reach: the parts, the catalog, the limits, the metrics.

One `Context` per app, shared by all requests and threads; nothing else is kept between requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, runtime_checkable

from fastapi import Depends, Request

from agent.adapter_desk import Adapters
from agent.dialogue import Parts
from agent.ports import Retriever
from agent.server.limits import Limits
from agent.server.metrics import Metrics
from retrieval.catalog import Item
from retrieval.loading.mapping import Mapping


@runtime_checkable
class Catalog(Retriever, Protocol):
    """A retriever whose items can be changed while it serves."""

    @property
    def name(self) -> str:
        """The catalog's name."""
        ...

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        ...

    @property
    def mapping(self) -> Mapping:
        """What the columns of the catalog's source mean, so that rows can be sent in them."""
        ...

    def upsert(self, items: Sequence[Item]) -> Any:
        """Add or replace items; durable when it returns."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items by id; return how many were there."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """One app's parts and settings.

    Args:
        retriever: That of the parts, known to take changes.
        models: Names of what plans the turns, for GET /v1/models; the language model last.
        adapters: Who routes to adapters and decides on them, where there are any.
    """

    parts: Parts
    retriever: Catalog
    models: tuple[str, ...]
    limits: Limits
    adapters: Adapters | None = None
    metrics: Metrics = field(default_factory=Metrics)


def _context(request: Request) -> Context:
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


Here = Annotated[Context, Depends(_context)]
