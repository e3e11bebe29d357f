"""What a search must know of an index in PostgreSQL before it asks: totals, words, facets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieval.engines.bm25_terms import idf, query_weights
from retrieval.engines.pg_filters import Conditions
from retrieval.engines.pg_rows import restored, signed, storable
from retrieval.engines.pg_schema import Tables

if TYPE_CHECKING:
    from retrieval.engines.pg_link import Connection


@dataclass(frozen=True, slots=True)
class Facts:
    """What a search must know of the index before it asks."""

    items: int
    mean: float
    weights: dict[int, float]
    """Inverse document frequency of each stem of the query times how often it is asked."""
    lists: frozenset[str]
    numbers: frozenset[str]
    has_graph: bool


def read_facts(
    connection: Connection, tables: Tables, facets: set[str], text: str | None = None
) -> Facts:
    """Return the facts of the index for a query's facets and words."""
    repeats = {signed(stem): count for stem, count in query_weights(text or "").items()}
    row = connection.execute(
        tables.fill("""SELECT items, tokens,
        array(SELECT s.stem FROM {stems} AS s WHERE s.stem = ANY(%s::int[]) AND s.items > 0),
        array(SELECT s.items FROM {stems} AS s WHERE s.stem = ANY(%s::int[]) AND s.items > 0),
        array(SELECT f.name FROM {facets} AS f WHERE f.name = ANY(%s) AND f.lists),
        array(SELECT f.name FROM {facets} AS f WHERE f.name = ANY(%s) AND f.numbers),
        EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{hnsw}') AND indisvalid)
        FROM {meta}"""),
        (list(repeats), list(repeats), *[[storable(facet) for facet in facets]] * 2),
    ).fetchone()
    assert row is not None
    items, tokens, stems, frequencies, lists, numbers, has_graph = row
    weights = {
        stem: repeats[stem] * idf(count, items)
        for stem, count in zip(stems, frequencies, strict=True)
    }
    return Facts(
        items,
        max(tokens / items, 1e-9) if items else 1.0,
        weights,
        frozenset(map(restored, lists)),
        frozenset(map(restored, numbers)),
        has_graph,
    )


def conditions(tables: Tables, facts: Facts) -> Conditions:
    """Return what writes conditions on this index."""
    return Conditions(f"{tables.name}_terms", facts.lists)
