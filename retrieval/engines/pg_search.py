"""Searches the tables of an index: which rows, in which order, with which scores.

Cardinality first: under a filter that few items match, all of those are compared; else the graph is
walked, and where it finds too few, all that match are compared after all. A search runs inside one
transaction, and so sees one state of the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrieval.engines.pg_facts import Facts, conditions, read_facts
from retrieval.engines.pg_filters import (
    AS_LIST,
    FIELD,
    NUMBER,
    WRITTEN,
    Sql,
    bound_to,
    facets_of,
)
from retrieval.engines.pg_schema import Tables
from retrieval.filters import Filter
from retrieval.fusion import Fusion, combine
from retrieval.lexical import K1, B, is_searchable
from retrieval.query import Order
from retrieval.ranking import FUSED_DEPTH

if TYPE_CHECKING:
    from retrieval.engines.pg_link import Connection

FEW = 10_000
"""At least so many matching items are compared one by one; see `few_of`."""
SURE = 4
"""An estimate so many times above few is believed without counting."""
EF = 800
"""Items of the graph that are looked at, at least. Measured: shopping queries lie outside of what a
catalog's items cover, and find 97 % of the nearest ten at 800 where they find 87 % at 100."""
SPARE = 50
"""So many more are taken from the graph, which compares half vectors, and compared as whole."""
SPARE_SHARE = 1 / 250
"""Or this share of all items, if that is more: pgvector keeps 1,000 candidates at most (ef), and
goes on from them only as far as it is asked. Measured at 100,000 items: 2,000 taken find .995 of
the nearest ten whatever ef is; 50 taken find .985 at ef 800 and .80 at 60. At 1,000,000, 50 taken
found .78 at ef 800."""
VISITS = 25
"""The graph is given up after visiting so many items for each that is to be taken."""

_GRAPH_ONLY = ("enable_sort", "enable_seqscan", "enable_hashjoin", "enable_mergejoin")
"""Switched off, these leave the planner only the order of the graph, or of scored words."""

Scored = list[tuple[int, float]]
"""Rows with a score, best first."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched; `dense` as pgvector's adapter takes it."""

    dense: Any
    text: str | None
    filter: Filter | None
    k: int
    order: Order | None
    fusion: Fusion


@dataclass(frozen=True, slots=True)
class Found:
    """An item's stored form with its scores."""

    body: str
    score: float
    dense: float | None
    lexical: float | None


def few_of(items: int) -> int:
    """Return up to how many matching items are compared one by one.

    Measured: an item costs 2.6 µs so; the graph 20 µs for each of the depth / share items that it
    visits until enough match. Both cost the same at √(items × depth × 20 / 2.6).
    """
    return max(FEW, int((2000 * items) ** 0.5))


@dataclass(frozen=True, slots=True)
class Search:
    """One search, in one transaction."""

    connection: Connection
    tables: Tables
    query: Query
    facts: Facts
    condition: Sql

    @classmethod
    def of(cls, connection: Connection, tables: Tables, query: Query) -> Search:
        """Return a search whose facts were read.

        Raises:
            FilterError: If the filter cannot be evaluated.
        """
        facets = facets_of(query.filter) | ({query.order.facet} if query.order else set())
        facts = read_facts(connection, tables, facets, query.text)
        return cls(connection, tables, query, facts, conditions(tables, facts).of(query.filter))

    def run(self) -> list[Found]:
        """Return the k best items with their scores."""
        query = self.query
        if query.k < 1 or not self.facts.items:
            return []
        if query.order is not None:
            return self._found([(row, None) for row in self._by_key(query.order)])
        if query.dense is None and not self._has_text:
            return self._found([(row, 0.0) for row in self._first()])
        depth = max(query.k, FUSED_DEPTH) if query.dense is not None and self._has_text else query.k
        meaning, words = self._rankings(depth)
        if query.dense is None:
            return self._found(words)
        if not self._has_text:
            return self._found(meaning)
        return self._found(combine(meaning, words, query.fusion)[: query.k])

    @property
    def _has_text(self) -> bool:
        return bool(self.query.text) and is_searchable(self.query.text or "")

    def _rows(self, *parts: Sql) -> list[tuple[Any, ...]]:
        text = " ".join(part.text for part in parts)
        args = tuple(arg for part in parts for arg in part.args)
        return self.connection.execute(self.tables.fill(text), args).fetchall()

    def _first(self) -> list[int]:
        where = Sql(f"WHERE {self.condition.text} ORDER BY i.row LIMIT %s", self.condition.args)
        rows = self._rows(Sql("SELECT i.row FROM {items} AS i"), where, Sql("", (self.query.k,)))
        return [row for (row,) in rows]

    # The two rankings

    def _rankings(self, depth: int) -> tuple[Scored, Scored]:
        """Return the best by meaning and the best by words."""
        few = few_of(self.facts.items)
        if self.facts.items <= few or not self.facts.has_graph:
            return self._among_few(depth, self.facts.items)[1:]
        if self.query.filter is not None and self._estimate() <= SURE * few:
            count, *rankings = self._among_few(depth, few)
            if count <= few:
                return rankings[0], rankings[1]
        words = self._best_words(depth) if self._has_text else []
        if self.query.dense is None:
            return [], words
        meaning = self._walk_graph(depth)
        if len(meaning) < depth:
            self._set(**dict.fromkeys(_GRAPH_ONLY, "on"))
            meaning = self._among_few(depth, self.facts.items)[1]
        return meaning, words

    def _estimate(self) -> int:
        """Return how many items the server's planner expects to match."""
        query = f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {{items}} AS i WHERE {self.condition.text}"
        rows = self._rows(Sql(query, self.condition.args))
        return int(rows[0][0][0]["Plan"]["Plan Rows"])

    def _among_few(self, depth: int, limit: int) -> tuple[int, Scored, Scored]:
        """Return how many match, up to one above a limit, and both rankings if it is not passed."""
        condition = self.condition
        parts = [
            Sql(
                f"""WITH m AS MATERIALIZED
                (SELECT i.row FROM {{items}} AS i WHERE {condition.text} LIMIT %s),
                few AS MATERIALIZED (SELECT count(*) <= %s AS yes FROM m)
                SELECT 0 AS list, 0 AS row, count(*)::float8 AS score FROM m""",
                (*condition.args, limit + 1, limit),
            )
        ]
        if self.query.dense is not None:
            parts.append(
                Sql(
                    """UNION ALL (SELECT 1, v.row, -(v.embedding <#> %s) FROM m
                    JOIN {vectors} AS v ON v.row = m.row WHERE (SELECT yes FROM few)
                    ORDER BY 3 DESC, 2 LIMIT %s)""",
                    (self.query.dense, depth),
                )
            )
        if self._has_text and self.facts.weights:
            bm25 = self._bm25("JOIN m ON m.row = t.row WHERE (SELECT yes FROM few)")
            parts.append(Sql(f"UNION ALL ({bm25.text} LIMIT %s)", (*bm25.args, depth)))
        found = self._rows(*parts)
        lists: tuple[Scored, Scored, Scored] = ([], [], [])
        for number, row, score in found:
            lists[number].append((row, score))
        return int(lists[0][0][1]), _sorted(lists[1]), _sorted(lists[2])

    def _bm25(self, join: str) -> Sql:
        """Return (2, row, BM25 score) of the postings that a join leaves, best first."""
        share = K1 * B / self.facts.mean
        return Sql(
            f"""SELECT 2 AS list, t.row, sum(q.weight * t.count / (t.count + %s + %s * t.length)
            )::float4::float8 AS score
            FROM unnest(%s::int[], %s::float8[]) AS q(stem, weight)
            JOIN {{terms}} AS t ON t.stem = q.stem {join}
            GROUP BY t.row ORDER BY score DESC, t.row""",
            (K1 * (1 - B), share, [*self.facts.weights], [*self.facts.weights.values()]),
        )

    def _best_words(self, depth: int) -> Scored:
        """Return the best by words: all that have one are scored, then looked through in order."""
        if not self.facts.weights:
            return []
        bm25, condition = self._bm25(""), self.condition
        if self.query.filter is None:
            found = self._rows(bm25, Sql("LIMIT %s", (depth,)))
        else:
            self._set(**dict.fromkeys(_GRAPH_ONLY[2:], "off"))
            found = self._rows(
                Sql(f"SELECT 2, r.row, r.score FROM ({bm25.text}) AS r", bm25.args),
                Sql(f"JOIN {{items}} AS i ON i.row = r.row WHERE {condition.text}", condition.args),
                Sql("ORDER BY r.score DESC, r.row LIMIT %s", (depth,)),
            )
        return [(row, score) for _, row, score in found]

    def _walk_graph(self, depth: int) -> Scored:
        """Return the best by meaning that the graph finds; fewer than asked if it gives up."""
        taken = max(depth + SPARE, int(SPARE_SHARE * self.facts.items))
        self._set(
            **{"hnsw.ef_search": str(EF), "hnsw.max_scan_tuples": str(VISITS * taken)},
            **dict.fromkeys(_GRAPH_ONLY, "off"),
        )
        dense, dimension = self.query.dense, self.query.dense.dimensions()
        join = Sql("")
        if self.query.filter is not None:
            on = f"JOIN {{items}} AS i ON i.row = v.row WHERE {self.condition.text}"
            join = Sql(on, self.condition.args)
        found = self._rows(
            Sql(
                "SELECT row, -(embedding <#> %s) FROM (SELECT v.row, v.embedding FROM {vectors} v",
                (dense,),
            ),
            join,
            Sql(
                f"ORDER BY v.embedding::halfvec({dimension}) <#> %s::halfvec({dimension}) "
                "LIMIT %s) AS near",
                (dense, taken),
            ),
        )
        return _sorted([(row, score) for row, score in found])[:depth]

    def _set(self, **settings: str) -> None:
        """Set parameters of the server for the rest of this transaction."""
        self.connection.execute(
            "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) "
            "AS settings(name, value)",
            (list(settings), list(settings.values())),
        )

    # Sorting by a facet

    def _by_key(self, order: Order) -> list[int]:
        """Return the k first rows by a facet: the last key that is reached, then ties by score."""
        key, condition, k = self._key(order), self.condition, self.query.k
        way = "DESC" if order.direction == "descending" else "ASC"
        last = self._rows(
            Sql(f"SELECT {key.text} AS key FROM {{items}} AS i", key.args),
            Sql(f"WHERE {condition.text} AND {key.text} IS NOT NULL", condition.args + key.args),
            Sql(f"ORDER BY 1 {way} LIMIT 1 OFFSET %s", (k - 1,)),
        )
        reached = Sql("")
        if last:
            kind = "float8" if order.facet in self.facts.numbers else "text"
            sign = ">=" if way == "DESC" else "<="
            reached = Sql(f"AND {key.text} {sign} %s::{kind}", (*key.args, last[0][0]))
        relevance = self._relevance()
        return [
            row
            for (row,) in self._rows(
                Sql("SELECT i.row FROM {items} AS i"),
                relevance,
                Sql(f"WHERE {condition.text}", condition.args),
                reached,
                Sql(f"ORDER BY {key.text} {way} NULLS LAST,", key.args),
                Sql("coalesce(r.score, 0) DESC, i.row LIMIT %s", (k,)),
            )
        ]

    def _key(self, order: Order) -> Sql:
        """Return the sort key: the smallest number or text, or the largest when descending."""
        value = NUMBER if order.facet in self.facts.numbers else WRITTEN
        if order.facet not in self.facts.lists:
            return bound_to(f"({value.format(FIELD)})", order.facet)
        best = "max" if order.direction == "descending" else "min"
        value = value.format("e.value")
        text = f"(SELECT {best}({value}) FROM jsonb_array_elements({AS_LIST}) AS e(value))"
        return bound_to(text, order.facet)

    def _relevance(self) -> Sql:
        """Return the join that brings `r.score` to each item."""
        if self.query.dense is not None:
            score = "SELECT -(v.embedding <#> %s) AS score FROM {vectors} AS v"
            return Sql(
                f"LEFT JOIN LATERAL ({score} WHERE v.row = i.row) AS r ON true", (self.query.dense,)
            )
        if self._has_text and self.facts.weights:
            bm25 = self._bm25("")
            return Sql(f"LEFT JOIN ({bm25.text}) AS r ON r.row = i.row", bm25.args)
        return Sql("LEFT JOIN (SELECT 0 AS row, 0 AS score) AS r ON r.row = i.row")

    # Winners

    def _found(self, winners: Sequence[tuple[int, float | None]]) -> list[Found]:
        """Return the stored form of some rows with both scores; without a score, its relevance."""
        rows = [row for row, _ in winners]
        if not rows:
            return []
        dense = Sql("NULL::float8")
        if self.query.dense is not None:
            where = "FROM {vectors} AS v WHERE v.row = i.row"
            dense = Sql(f"(SELECT -(v.embedding <#> %s) {where})", (self.query.dense,))
        words = Sql("")
        if self._has_text and self.facts.weights:
            bm25 = self._bm25("WHERE t.row = ANY(%s)")
            words = Sql(f"LEFT JOIN ({bm25.text}) AS r ON r.row = i.row", (*bm25.args, rows))
        found = {
            row: scores
            for row, *scores in self._rows(
                Sql("SELECT i.row, i.body,"),
                dense,
                Sql(f", {'r.score' if words.text else '0'} FROM {{items}} AS i"),
                words,
                Sql("WHERE i.row = ANY(%s)", (rows,)),
            )
        }
        result = []
        for row, score in winners:
            body, similar, shared = found[row]
            meaning = None if similar is None else min(max(similar, -1.0), 1.0)
            shared = float(shared or 0.0) if self._has_text else None
            if score is None:
                score = next((own for own in (meaning, shared) if own is not None), 0.0)
            elif self.query.dense is not None and not self._has_text and meaning is not None:
                score = meaning
            result.append(Found(body, score, meaning, shared))
        return result


def _sorted(found: Scored) -> Scored:
    """Return rows best first, equal ones by insertion."""
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))
