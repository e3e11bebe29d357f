"""What a request handler can reach: the parts, the catalog, the limits, the metrics.

One `Context` per tenant, shared by its requests and all threads; nothing else is kept between
requests. A handler gets that of the tenant whose key was sent, so it cannot reach another's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Protocol, runtime_checkable

from anyio import to_thread
from fastapi import Depends, Request

from agent.access.errors import TenantUnavailable
from agent.access.keyring import Keyring
from agent.adapter_desk import Adapters
from agent.dialogue import Parts
from agent.knowledge.library import Library
from agent.ports import Retriever
from agent.server.limits import Limits
from agent.server.metrics import Metrics
from retrieval.catalog import Item
from retrieval.loading.mapping import Mapping

log = logging.getLogger(__name__)


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
    """One tenant's parts and settings.

    Args:
        retriever: That of the parts, known to take changes.
        models: Names of what plans the turns, for GET /v1/models; the language model last.
        adapters: Who routes to adapters and decides on them, where there are any.
        close: Releases what was opened for it; None where that is its maker's business.
        pictures: Folder that items' relative picture paths start from, where there is one.
        library: Takes the shop's own pages, where there is a project directory for them.
    """

    parts: Parts
    retriever: Catalog
    models: tuple[str, ...]
    limits: Limits
    adapters: Adapters | None = None
    metrics: Metrics = field(default_factory=Metrics)
    close: Callable[[], None] | None = None
    pictures: Path | None = None
    library: Library | None = None


class Tenant:
    """One tenant of a server: its keys at once, its catalog when it is first asked for.

    Args:
        make: Opens the catalog and the rest.
        keys: Of the tenant's own store.
        origins: Of web pages that may call with its keys; known before anything is opened.
        release: Lets go of what holds the keys.
    """

    def __init__(
        self,
        name: str,
        keys: Keyring,
        make: Callable[[], Context],
        origins: Sequence[str] = (),
        release: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.keys = keys
        self.origins = tuple(origins)
        self.opened: Context | None = None
        self._make = make
        self._release = release
        self._metrics: Metrics | None = None
        self._lock = threading.Lock()

    def count_with(self, metrics: Metrics) -> None:
        """Have the tenant count among the metrics of its app; before it is opened."""
        self._metrics = metrics

    def open(self) -> Context:
        """Return the tenant's context, opened once.

        Raises:
            TenantUnavailable: If it cannot be opened now; the next request tries again.
        """
        with self._lock:
            if self.opened is None:
                try:
                    made = self._make()
                    own = self._metrics
                    self.opened = made if own is None else replace(made, metrics=own)
                except Exception as error:
                    log.error("tenant %s cannot be opened", self.name, exc_info=error)
                    raise TenantUnavailable("the catalog cannot be opened now") from error
            return self.opened

    def close(self) -> None:
        """Close what was opened; safe to call twice."""
        with self._lock:
            opened, self.opened = self.opened, None
            if opened is not None and opened.close is not None:
                opened.close()
            if self._release is not None:
                self._release()


async def _context(request: Request) -> Context:
    found = getattr(request.state, "context", None)
    if found is None:  # a path that needs no key
        tenant: Tenant = next(iter(request.app.state.tenants.values()))
        found = tenant.opened or await to_thread.run_sync(tenant.open)
    assert isinstance(found, Context)
    return found


Here = Annotated[Context, Depends(_context)]
"""The context of the request's tenant."""


def _opened(request: Request) -> list[Context]:
    tenants = request.app.state.tenants.values()
    return [tenant.opened for tenant in tenants if tenant.opened is not None]


Opened = Annotated[list[Context], Depends(_opened)]
"""Every tenant that was opened; for those who watch the process, not for a tenant's requests."""
