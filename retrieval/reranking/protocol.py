"""What a reranker is: candidates in, one score each out. Values only; no library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from retrieval.catalog import Facet
from retrieval.query import Candidate
from retrieval.reranking.behaviour import Behaviour

DEPTH = 100
"""Candidates of a search that are reranked, at most; what is found later stays behind them."""

LOWEST = -math.inf
"""The score of a candidate that nothing is known of."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Values of a facet that a query names; an item should have one of them."""

    facet: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside query and candidates; everything may be unknown.

    Args:
        facets: Of the catalog.
        wanted: Facet values that the query names.
        amount: The price it names or implies, in the catalog's currency.
        behaviour: What people did so far; None where that is not known.
    """

    facets: tuple[Facet, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    amount: float | None = None
    behaviour: Behaviour | None = None


NO_CONTEXT = Context()


class Reranker(Protocol):
    """Scores candidates for a query. One contract suite for all kinds."""

    name: str

    def rank(
        self, query: str, candidates: Sequence[Candidate], context: Context = NO_CONTEXT
    ) -> list[float]:
        """Return one score per candidate, higher is better, comparable within the call only.

        The scores do not depend on the order of the candidates, are the same for the same input,
        and never NaN.
        """
        ...


class NoReranker:
    """Leaves candidates as the search scored them."""

    name = "none"

    def rank(
        self, query: str, candidates: Sequence[Candidate], context: Context = NO_CONTEXT
    ) -> list[float]:
        """Return the scores of the search."""
        return [LOWEST if math.isnan(one.score) else one.score for one in candidates]


def reordered(candidates: Sequence[Candidate], scores: Sequence[float]) -> list[int]:
    """Return the places of candidates, best first; equal ones keep their order."""
    return sorted(range(len(candidates)), key=lambda place: -scores[place])
