"""What the agent needs of a retriever, as a protocol, so that tests can bring a small one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from retrieval.catalog import Facet, Item
from retrieval.filters import Filter
from retrieval.query import Candidate, Index, Order, Vectors
from retrieval.reranking import Reranker


class Retriever(Protocol):
    """Items of one catalog, looked up by id and found by words under a hard filter."""

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The searchable properties of the catalog."""
        ...

    @property
    def currency(self) -> str | None:
        """ISO 4217 code of the prices, where known."""
        ...

    @property
    def index(self) -> Index:
        """The index underneath, for counts and facets."""
        ...

    @property
    def reranker(self) -> Reranker:
        """What reorders candidates of a text search."""
        ...

    def get_many(self, ids: Sequence[str]) -> list[Item]:
        """Return the items with these ids, in this order; unknown ids are left out."""
        ...

    def search(
        self,
        text: str,
        *,
        filter: Filter | None = None,
        k: int = 10,
        order: Order | None = None,
        dense: Vectors | None = None,
    ) -> list[Candidate]:
        """Return the best k items for a text under a filter, or sorted by a facet."""
        ...
