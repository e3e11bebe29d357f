"""Engine "pgvector": items and vectors in PostgreSQL, filtered, compared and scored there.

The server keeps all state: any number of processes read, one writes. BM25 is this project's own
(`retrieval.engines.bm25_terms`), not PostgreSQL's text search. This module does not know encoders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.catalog import Item
from retrieval.engines import pg_schema, pg_write
from retrieval.engines.pg_facts import conditions, read_facts
from retrieval.engines.pg_filters import AS_LIST, FIELD, Sql, bound_to, facets_of
from retrieval.engines.pg_link import Link
from retrieval.engines.pg_rows import read_value
from retrieval.engines.pg_schema import Tables
from retrieval.engines.pg_search import Query, Search
from retrieval.errors import IndexError_
from retrieval.filters import Filter
from retrieval.fusion import EQUAL, Fusion
from retrieval.item_json import is_usable_id, load_item
from retrieval.query import Candidate, Order, Vectors
from retrieval.vector_file import check_vectors
from retrieval.view import written

if TYPE_CHECKING:
    from retrieval.engines.pg_link import Connection


class PgvectorIndex:
    """Items and vectors in tables of a PostgreSQL database that has pgvector.

    Args:
        url: postgresql://USER:PASSWORD@HOST:5432/DATABASE.
        name: Of the index, with which its tables begin: a-z, 0-9 and _.
        encoder_name, dimension: Of the vectors; an index built with others is refused.
        write: Take the writer's lock; without it the index can only be read.

    Raises:
        IndexError_: If the library is missing, the server cannot be reached, or there is no index.
        EncoderMismatch: If the index was built with another encoder or dimension.
        IndexLocked: If another process is writing.
    """

    def __init__(
        self, url: str, name: str, encoder_name: str, dimension: int, *, write: bool = True
    ) -> None:
        self.encoder_name = encoder_name
        self.dimension = dimension
        self._tables = Tables(name)
        self._write = write
        self._link = Link(url, f"attune index {name}")
        try:
            if write:
                with self._link.writer() as connection:
                    pg_schema.prepare(connection, self._tables, encoder_name, dimension)
                    self._check(connection)
            else:
                with self._link.errors(), self._link.connect() as connection:
                    self._check(connection)
        except BaseException:
            self._link.close()
            raise

    def _check(self, connection: Connection) -> None:
        pg_schema.check(
            connection, self._tables, self._link.where, self.encoder_name, self.dimension
        )

    def _meta(self, column: str) -> int:
        query = self._tables.fill(f"SELECT {column} FROM {{meta}}")

        def read(connection: Connection) -> int:
            row = connection.execute(query).fetchone()
            assert row is not None
            return int(row[0])

        return self._link.read(read)

    @property
    def version(self) -> int:
        """A number that grows with every change, by whichever process."""
        return self._meta("version")

    @property
    def mark(self) -> int:
        """The version of the source of truth that was applied last; -1 when none was."""
        return self._meta("mark")

    def set_mark(self, version: int) -> None:
        """Remember that everything up to a version of the source of truth was applied."""
        self._must_write()
        with self._link.writer() as connection:
            connection.execute(self._tables.fill("UPDATE {meta} SET mark = %s"), (version,))

    # Writing

    def upsert(self, items: Sequence[Item], vectors: Vectors) -> None:
        """Add or replace items; durable when it returns, the last one of an id wins."""
        self.apply(items, vectors)

    def apply(self, items: Sequence[Item], vectors: Vectors, delete: Sequence[str] = ()) -> int:
        """Upsert and delete in one step, all or nothing; return how many were deleted."""
        self._must_write()
        vectors = check_vectors(vectors, len(items), self.dimension, f"upsert of {len(items)}")
        batch = pg_write.Batch.of(items, vectors)
        with self._link.writer() as connection:
            return pg_write.apply(connection, self._tables, batch, delete)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items by id; return how many were there."""
        return self.apply([], np.zeros((0, self.dimension), np.float32), list(ids))

    def delete_where(self, filter: Filter) -> int:
        """Delete every item that matches; return how many did."""
        return self.delete(self.ids(filter))

    def save(self) -> None:
        """Make the indexes that are missing, the graph among them; searches before compare all."""
        self._must_write()
        with self._link.writer() as connection:
            pg_schema.index_all(connection, self._tables)

    def _must_write(self) -> None:
        if not self._write:
            raise IndexError_(
                f"the index at {self._link.where} is opened for reading; open it with write=True"
            )

    # Reading

    def _matching(self, filter: Filter | None, head: str, tail: str) -> list[tuple[Any, ...]]:
        """Return what is selected from the matching items."""

        def read(connection: Connection) -> list[tuple[Any, ...]]:
            facts = read_facts(connection, self._tables, facets_of(filter))
            condition = conditions(self._tables, facts).of(filter)
            text = f"{head} FROM {{items}} AS i WHERE {condition.text} {tail}"
            return connection.execute(self._tables.fill(text), condition.args).fetchall()

        return self._link.read(read)

    def ids(self, filter: Filter | None = None) -> list[str]:
        """Return the ids of all matching items, in order of first insertion."""
        return [id for (id,) in self._matching(filter, "SELECT i.id", "ORDER BY i.row")]

    def count(self, filter: Filter | None = None) -> int:
        """Return how many items match."""
        if filter is None:
            return self._meta("items")
        return int(self._matching(filter, "SELECT count(*)", "")[0][0])

    def _by_id(self, select: str, ids: Sequence[str]) -> dict[str, Any]:
        usable = [id for id in dict.fromkeys(ids) if is_usable_id(id)]
        query = self._tables.fill(f"{select} WHERE i.id = ANY(%s)")

        def read(connection: Connection) -> list[tuple[Any, ...]]:
            with connection.cursor(binary=True) as cursor:
                return cursor.execute(query, (usable,)).fetchall()

        return dict(self._link.read(read))

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return the items with these ids, in this order; unknown ids are left out."""
        found = self._by_id("SELECT i.id, i.body FROM {items} AS i", ids)
        return [load_item(found[id]) for id in ids if id in found]

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """Return the vectors of these ids, in this order; KeyError names an unknown id."""
        join = "FROM {items} AS i JOIN {vectors} AS v ON v.row = i.row"
        found = self._by_id(f"SELECT i.id, v.embedding {join}", ids)
        result = np.zeros((len(ids), self.dimension), np.float32)
        for place, id in enumerate(ids):
            result[place] = found[id].to_numpy()
        return result

    def facet(
        self, name: str, filter: Filter | None = None, limit: int | None = None
    ) -> list[tuple[str, int]]:
        """Return the values of a facet among matching items with counts, most frequent first."""

        def read(connection: Connection) -> list[tuple[Any, ...]]:
            facts = read_facts(connection, self._tables, facets_of(filter) | {name})
            condition = conditions(self._tables, facts).of(filter)
            select = _FACET_OF_LISTS if name in facts.lists else _FACET
            parts = (bound_to(select, name), condition, Sql("GROUP BY 1"))
            return connection.execute(
                self._tables.fill(" ".join(part.text for part in parts)),
                tuple(arg for part in parts for arg in part.args),
            ).fetchall()

        counts: dict[str, int] = {}
        for stored, count in self._link.read(read):
            if stored is not None:
                value = written(read_value(stored))
                counts[value] = counts.get(value, 0) + count
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]

    def search(
        self,
        dense: Vectors | None = None,
        text: str | None = None,
        filter: Filter | None = None,
        k: int = 10,
        order: Order | None = None,
        fusion: Fusion = EQUAL,
    ) -> list[Candidate]:
        """Return the best k items under a filter, as `retrieval.query.Index` defines it."""
        from pgvector import Vector

        vector = None
        if dense is not None:
            checked = check_vectors(np.atleast_2d(dense), 1, self.dimension, "query")
            vector = Vector(checked[0])
        query = Query(vector, text, filter, k, order, fusion)
        found = self._link.read(lambda connection: Search.of(connection, self._tables, query).run())
        return [Candidate(load_item(hit.body), hit.score, hit.dense, hit.lexical) for hit in found]

    def close(self) -> None:
        """Close the connections and give the lock back; safe to call twice."""
        self._link.close()


_FACET = f"SELECT {FIELD} AS value, count(*) FROM {{items}} AS i WHERE"
_FACET_OF_LISTS = f"""SELECT e.value, count(*) FROM {{items}} AS i CROSS JOIN LATERAL (
SELECT DISTINCT value FROM jsonb_array_elements({AS_LIST})) AS e WHERE"""
