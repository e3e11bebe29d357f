"""What is asked of the retriever, and what comes back: pure values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from retrieval.catalog import Item
from retrieval.filters import Filter
from retrieval.fusion import EQUAL, Fusion

Vectors = NDArray[np.float32]
"""Float32 matrix of shape (items, dimension); every row has length 1."""


@dataclass(frozen=True, slots=True)
class Order:
    """Sort by a numeric or date facet; items without a value come last."""

    facet: str
    direction: Literal["ascending", "descending"] = "ascending"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item found for a query.

    Args:
        score: The final score, higher is better; comparable only within one search.
        dense: Cosine similarity to the query vector, -1 to 1, where one was given.
        lexical: BM25 score, 0 or more, where a text was given.
    """

    item: Item
    score: float
    dense: float | None = None
    lexical: float | None = None


class Encoder(Protocol):
    """Turns text into unit vectors. Queries and items may be encoded differently."""

    name: str
    dimension: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per query, shape (len(texts), dimension)."""
        ...

    def encode_items(self, texts: Sequence[str], progress: bool = False) -> Vectors:
        """Return one unit vector per item text, shape (len(texts), dimension)."""
        ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a text: the characters each stands for, and its unit vector in that text."""

    spans: tuple[tuple[int, int], ...]
    vectors: Vectors


@runtime_checkable
class TokenEncoder(Protocol):
    """An encoder that also gives the vectors of single tokens, each in its text."""

    def encode_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text."""
        ...


class Index(Protocol):
    """Items with their vectors, searchable under a filter. One contract suite for all engines."""

    encoder_name: str
    dimension: int

    @property
    def version(self) -> int:
        """A number that grows with every change, so that callers know when to look again."""
        ...

    def upsert(self, items: Sequence[Item], vectors: Vectors) -> None:
        """Add or replace items; durable when it returns, idempotent, last one of an id wins."""
        ...

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items by id; return how many were there."""
        ...

    def delete_where(self, filter: Filter) -> int:
        """Delete every item that matches; return how many did."""
        ...

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return the items with these ids, in this order; unknown ids are left out."""
        ...

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """Return the vectors of these ids, in this order; KeyError names an unknown id."""
        ...

    def ids(self, filter: Filter | None = None) -> list[str]:
        """Return the ids of all matching items, in order of first insertion."""
        ...

    def count(self, filter: Filter | None = None) -> int:
        """Return how many items match."""
        ...

    def facet(
        self, name: str, filter: Filter | None = None, limit: int | None = None
    ) -> list[tuple[str, int]]:
        """Return the values of a facet among matching items with counts, most frequent first."""
        ...

    def search(
        self,
        dense: Vectors | None = None,
        text: str | None = None,
        filter: Filter | None = None,
        k: int = 10,
        order: Order | None = None,
        fusion: Fusion = EQUAL,
    ) -> list[Candidate]:
        """Return the best k items under a filter.

        With both a dense vector (shape (dimension,) or (1, dimension)) and a text, the two
        rankings are fused (`retrieval.fusion.combine`); with one of them, that ranking; with
        neither, items in insertion order. With `order`, every matching item is sorted by that facet
        instead and the scores are only reported. Every returned item satisfies the filter.
        """
        ...

    def close(self) -> None:
        """Release files and locks; safe to call twice."""
        ...


class DurableIndex(Index, Protocol):
    """An index whose writes can be made in one step, as a project needs it."""

    def apply(self, items: Sequence[Item], vectors: Vectors, delete: Sequence[str] = ()) -> int:
        """Upsert and delete in one step, all or nothing; return how many were deleted."""
        ...

    def save(self) -> None:
        """Write what makes the next open or search quick."""
        ...
