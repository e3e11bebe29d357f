"""How the rankings of one catalog are weighed: chosen from its own items, or from judged queries.

Both choices are careful. Without labels the queries are made from the catalog (`retrieval.probes`)
and speak its words, as people do not; so the weights leave what was best over judged sets only as
far as every kind of query allows. With labels the weights are chosen and measured on different
queries, and kept only where they are better beyond doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.catalog import Facet
from retrieval.errors import RetrievalError
from retrieval.filters import Filter
from retrieval.fusion import PRIOR, Fusion, combine
from retrieval.metrics import Estimate, ndcg_at_k, paired_bootstrap
from retrieval.probes import make_probes
from retrieval.query import Encoder, Index
from retrieval.ranking import FUSED_DEPTH
from retrieval.spelling import Spelling

STEPS = 10
GRID = tuple(
    Fusion(dense=step / STEPS, lexical=(STEPS - step) / STEPS, by="scores")
    for step in range(STEPS + 1)
)
"""From the words alone to the meaning alone."""
START = GRID.index(PRIOR)
CUT = 10
FOLDS = 5
EACH = 60
"""Made queries of each kind."""
FEWEST = 20
"""Queries of a kind, or judged ones, at least, before they say anything."""
LEEWAY = 0.02
"""Loss on one kind of made query, in nDCG, that is put down to chance."""
TO_WORDS, TO_MEANING = 0.25, 0.05
"""What moving all the weight must gain, in nDCG, and a part of it in proportion: much towards the
words, which queries made from the catalog flatter, little towards the meaning, which they don't."""

Values = NDArray[np.float64]


class Searchable(Protocol):
    """What is tuned: `retrieval.retriever.Retriever`, as far as this module knows it."""

    index: Index
    encoder: Encoder

    @property
    def spelling(self) -> Spelling:
        """What queries are corrected by."""
        ...

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The facets of the catalog."""
        ...


@dataclass(frozen=True, slots=True)
class Lists:
    """What a query finds by meaning and by words: (id, score), best first."""

    meaning: tuple[tuple[str, float], ...]
    words: tuple[tuple[str, float], ...]

    def ranking(self, fusion: Fusion, depth: int = FUSED_DEPTH) -> list[str]:
        """Return the ids as `Retriever.search` ranks them."""
        both = combine(self.meaning[:depth], self.words[:depth], fusion)
        return [id for id, _ in both]


def lists_of(
    retriever: Searchable,
    texts: Sequence[str],
    depth: int = FUSED_DEPTH,
    filters: Sequence[Filter | None] | None = None,
) -> list[Lists]:
    """Return what each query finds, spelt as the retriever would spell it.

    Args:
        filters: One per query, where each looks at a part of the catalog only.
    """
    spelt = [retriever.spelling.correct(text.strip()) for text in texts]
    vectors = retriever.encoder.encode_queries(spelt)
    found: list[Lists] = []
    for place, (text, vector) in enumerate(zip(spelt, vectors, strict=True)):
        filter = filters[place] if filters else None
        meaning = retriever.index.search(vector, None, filter, depth)
        words = retriever.index.search(None, text, filter, depth)
        found.append(
            Lists(
                tuple((one.item.id, one.dense or 0.0) for one in meaning),
                tuple((one.item.id, one.lexical) for one in words if one.lexical),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class FusionReport:
    """What was chosen, and why.

    Args:
        start: What it is compared with: where the choice began.
        gain: nDCG@10 of the choice minus that of the start, over queries that did not decide;
            without labels, over the made queries that did.
        curves: Mean nDCG@10 over `GRID` per kind of query.
        reason: Why it is what it is, in words.
    """

    fusion: Fusion
    start: Fusion
    gain: Estimate | None
    curves: Mapping[str, tuple[float, ...]]
    n: int
    seed: int
    reason: str


def grid_values(lists: Sequence[Lists], ratings: Sequence[Mapping[str, float]]) -> Values:
    """Return nDCG@10 of each query under each fusion of `GRID`, shape (queries, grid)."""
    rows = [
        [ndcg_at_k(own.ranking(fusion), rated, CUT) for fusion in GRID]
        for own, rated in zip(lists, ratings, strict=True)
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(GRID))


def tune_fusion(retriever: Searchable, seed: int = 0, each: int = EACH) -> FusionReport:
    """Return how a catalog's rankings are weighed, by queries made from it."""
    probes = make_probes(retriever.index, retriever.facets, each, seed)
    lists = lists_of(retriever, [probe.text for probe in probes])
    table = grid_values(lists, [dict.fromkeys(probe.relevant, 1.0) for probe in probes])
    kinds = np.array([probe.kind for probe in probes], dtype=object)
    tables = {kind: table[kinds == kind] for kind in dict.fromkeys(kinds.tolist())}
    tables = {kind: own for kind, own in tables.items() if len(own) >= FEWEST}
    n = sum(map(len, tables.values()))
    if not tables:
        return FusionReport(PRIOR, PRIOR, None, {}, 0, seed, "too few queries could be made")
    curves = {kind: own.mean(axis=0) for kind, own in tables.items()}
    place = choose(list(curves.values()))
    kept = np.concatenate(list(tables.values()))
    gain = paired_bootstrap(kept[:, place].tolist(), kept[:, START].tolist(), seed)
    reason = "no better for every kind of query" if place == START else "better on made queries"
    told = {kind: tuple(map(float, curve)) for kind, curve in curves.items()}
    return FusionReport(GRID[place], PRIOR, gain, told, n, seed, reason)


def choose(curves: Sequence[Values]) -> int:
    """Return the place on the grid that gains most over the start, less what moving there costs.

    A place where one kind of query loses more than `LEEWAY` is out.
    """
    gains = np.stack(curves) - np.stack(curves)[:, [START]]
    distance = (np.arange(len(GRID)) - START) / STEPS
    cost = np.where(distance < 0, -distance * TO_WORDS, distance * TO_MEANING)
    worth = gains.mean(axis=0) - cost
    worth[(gains < -LEEWAY).any(axis=0)] = -np.inf
    return int(np.argmax(worth))


def tune_fusion_on(
    retriever: Searchable,
    ratings: Mapping[str, Mapping[str, float]],
    start: Fusion = PRIOR,
    seed: int = 0,
) -> FusionReport:
    """Return how a catalog's rankings are weighed, by judged queries.

    Args:
        ratings: Query to rated ids, a rating of 0 or less meaning irrelevant; items without a
            rating count as irrelevant.
        start: What is kept where no other weights are better beyond doubt.

    Raises:
        RetrievalError: If fewer than `FEWEST` queries have a relevant item.
    """
    judged = {query: own for query, own in ratings.items() if max(own.values(), default=0) > 0}
    if len(judged) < FEWEST:
        raise RetrievalError(
            f"expected {FEWEST} or more queries with a relevant item, got {len(judged)}; "
            f"judge more, or tune without judgements"
        )
    lists = lists_of(retriever, list(judged))
    kept = [ndcg_at_k(own.ranking(start), rated, CUT)
            for own, rated in zip(lists, judged.values(), strict=True)]  # fmt: skip
    table = grid_values(lists, list(judged.values()))
    chosen = table[np.arange(len(table)), chosen_by_others(table, seed)]
    gain = paired_bootstrap(chosen.tolist(), kept, seed)
    better = gain.low > 0
    reason = "better on queries it was not chosen by" if better else "no better beyond doubt"
    return FusionReport(
        GRID[int(table.mean(axis=0).argmax())] if better else start,
        start, gain, {"judged": tuple(map(float, table.mean(axis=0)))}, len(table), seed, reason,
    )  # fmt: skip


def chosen_by_others(table: Values, seed: int) -> NDArray[np.int64]:
    """Return for each query the place on the grid that was best on the other folds' queries."""
    folds = np.random.default_rng(seed).permutation(len(table)) % FOLDS
    places = np.zeros(len(table), dtype=np.int64)
    for fold in range(FOLDS):
        own = folds == fold
        places[own] = int(table[~own].mean(axis=0).argmax()) if not own.all() else START
    return places
