"""Engine "qdrant": a Qdrant cluster by URL answers everything; this process holds no items.

Filters, counts, facets, BM25, similarity and order are the server's; only rank fusion happens here,
on ids. What the server cannot say exactly (texts compared by order) is read and checked with
`retrieval.filters.matches`. This module does not know encoders, nor where items come from.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrieval.catalog import Item
from retrieval.engines.bm25_terms import query_weights
from retrieval.engines.qdrant_collection import Collection, Precision, has_id
from retrieval.engines.qdrant_fields import INDEXED, Fields
from retrieval.engines.qdrant_filters import Bounds, Condition, all_of, one_of, translate
from retrieval.engines.qdrant_meta import Lease, Meta, MetaPoint, check_encoder
from retrieval.engines.qdrant_payload import has_field, key_of, point_id, restored
from retrieval.engines.qdrant_schema import create_items, create_meta
from retrieval.engines.qdrant_search import Found, Search
from retrieval.engines.qdrant_server import Server
from retrieval.engines.qdrant_writing import Writer
from retrieval.errors import FilterError, IndexError_
from retrieval.filters import Filter, matches
from retrieval.fusion import EQUAL, Fusion
from retrieval.item_json import is_usable_id, load_item
from retrieval.query import Candidate, Order, Vectors
from retrieval.vector_file import check_vectors
from retrieval.view import written

FEW = 50_000
"""Up to so many matching items every one is compared; beyond, the graph is searched."""
DOUBT = 20
"""An estimate of up to so many times as many is counted before it is believed."""
MOST_CHECKED = 500_000
"""So many ids can be sent along with one search."""


class QdrantIndex:
    """Items and vectors in a collection of a Qdrant server.

    Args:
        url: "https://host:6333", with options `?grpc=6334` (faster writes), `&shards=6` and
            `&replicas=2` (of a collection that is created); ":memory:" and "path:/folder" are the
            client's local mode, for tests.
        name: Of the collection; `<name>__meta` is kept beside it.
        encoder_name, dimension: Of the vectors; a collection made with others is refused.
        write: Take the writer's lease and create what is missing; else the index can only be read.
        few: Up to so many matching items every one is compared.

    Raises:
        IndexError_: If the server cannot be used, or there is no collection and write is false.
        EncoderMismatch: If the collection was made with another encoder or dimension.
        IndexLocked: If another process is writing.
    """

    def __init__(
        self,
        url: str,
        name: str,
        encoder_name: str,
        dimension: int,
        *,
        write: bool = True,
        api_key: str | None = None,
        few: int = FEW,
    ) -> None:
        self.encoder_name = encoder_name
        self.dimension = dimension
        self._few = few
        self._writing = threading.RLock()
        self._lease: Lease | None = None
        self._writer: Writer | None = None
        self._server = Server(url, api_key)
        self._items = Collection(self._server, name)
        self._point = MetaPoint(self._server, name)
        self._fields = Fields(self._server, name)
        try:
            self._open(name, write)
        except BaseException:
            self._server.close()
            raise

    def _open(self, name: str, write: bool) -> None:
        if not self._point.exists() or self._point.raw() is None:
            if not write:
                raise IndexError_(
                    f"no index in {self._point.where}; index a catalog with this URL and name first"
                )
            self._create(name)
        check_encoder(self._point.read(), self.encoder_name, self.dimension, self._point.where)
        if write:
            self._lease = Lease(self._point)
            self._writer = Writer(self._items, self._point, self._fields, self._lease)

    def _create(self, name: str) -> None:
        there = self._server.ask("collection_exists", collection_name=name)
        if there and self._items.count(True):
            raise IndexError_(
                f"{self._point.where} holds points that are no index of ours; choose another name"
            )
        if not there:
            create_items(self._server, name, self.dimension)
        if not self._point.exists():
            create_meta(self._server, self._point.name)
        self._point.create(Meta(self.encoder_name, self.dimension))

    @property
    def version(self) -> int:
        """A number that grows with every change, by whichever process."""
        return self._point.read().version

    @property
    def mark(self) -> int:
        """The version of the source of truth that was applied last; -1 when none was."""
        return self._point.read().mark

    def set_mark(self, version: int) -> None:
        """Remember that everything up to a version of the source of truth was applied."""
        self._holder()[0].change(mark=version)

    # Writing

    def _holder(self) -> tuple[Lease, Writer]:
        if self._lease is None or self._writer is None:
            raise IndexError_(f"{self._point.where} was opened for reading; open it for writing")
        return self._lease, self._writer

    def upsert(self, items: Sequence[Item], vectors: Vectors) -> None:
        """Add or replace items; durable when it returns, the last one of an id wins."""
        self.apply(items, vectors)

    def apply(self, items: Sequence[Item], vectors: Vectors, delete: Sequence[str] = ()) -> int:
        """Upsert and delete; return how many were deleted.

        Qdrant has no transactions. Everything is checked before anything is sent; then items are
        written batch by batch, then others deleted. After a crash in between each item is as it was
        or as it should be, and the mark (`set_mark`) still names the version before, so that the
        source of truth applies the same again: that changes nothing where it was done.
        """
        vectors = check_vectors(vectors, len(items), self.dimension, f"upsert of {len(items)}")
        last = {item.id: place for place, item in enumerate(items)}
        if len(last) < len(items):
            items = [items[place] for place in last.values()]
            vectors = vectors[list(last.values())]
        _, writer = self._holder()
        with self._writing:
            return writer.apply(items, vectors, delete)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items by id; return how many were there."""
        return self.apply([], np.zeros((0, self.dimension), np.float32), list(ids))

    def delete_where(self, filter: Filter) -> int:
        """Delete every item that matches; return how many did."""
        return self.delete(self.ids(filter))

    # Filters

    def _bounds(self, filter: Filter | None) -> Bounds:
        return translate(filter, lambda field: "text" in self._fields.get(field))

    def _checked(
        self, filter: Filter, bounds: Bounds, *fields: str
    ) -> list[tuple[Item, dict[str, Any], str]]:
        """Return item, payload and point of all that match, where the server cannot tell."""
        result = []
        for record in self._items.scan(bounds.upper, ["body", *fields]):
            item = load_item(record.payload["body"])
            if matches(filter, item):
                result.append((item, record.payload, str(record.id)))
        return result

    def _condition(self, filter: Filter | None) -> Condition:
        """Return the condition that holds for exactly the items that match."""
        bounds = self._bounds(filter)
        if filter is None or bounds.exact:
            return bounds.upper
        points = [point for _, _, point in self._checked(filter, bounds)]
        if len(points) > MOST_CHECKED:
            raise FilterError(
                f"{len(points)} items match {filter!r}, which compares texts by order and is "
                f"checked one by one; narrow it to {MOST_CHECKED} or fewer"
            )
        return has_id(points)

    # Reading

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return the items with these ids, in this order; unknown ids are left out."""
        points = [point_id(id) for id in ids if is_usable_id(id)]
        found = self._items.get(list(dict.fromkeys(points)), ["body"])
        return [load_item(found[point].payload["body"]) for point in points if point in found]

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """Return the vectors of these ids, in this order; KeyError names an unknown id."""
        points = {id: point_id(id) for id in ids if is_usable_id(id)}
        found = self._items.get(list(points.values()), vectors=True)
        result = np.zeros((len(ids), self.dimension), np.float32)
        for row, id in enumerate(ids):
            if points.get(id) not in found:
                raise KeyError(id)
            result[row] = found[points[id]].vector["dense"]
        return result

    def ids(self, filter: Filter | None = None) -> list[str]:
        """Return the ids of all matching items, in order of first insertion."""
        bounds = self._bounds(filter)
        if filter is None or bounds.exact:
            payloads = [one.payload for one in self._items.scan(bounds.upper, ["id", "seq"])]
        else:
            payloads = [payload for _, payload, _ in self._checked(filter, bounds, "id", "seq")]
        return [payload["id"] for payload in sorted(payloads, key=lambda one: int(one["seq"]))]

    def count(self, filter: Filter | None = None) -> int:
        """Return how many items match."""
        bounds = self._bounds(filter)
        if filter is None or bounds.exact:
            return self._items.count(bounds.upper)
        return len(self._checked(filter, bounds))

    def facet(
        self, name: str, filter: Filter | None = None, limit: int | None = None
    ) -> list[tuple[str, int]]:
        """Return the values of a facet among matching items with counts, most frequent first."""
        bounds, key = self._bounds(filter), key_of(name)
        counts: Counter[str] = Counter()
        if (filter is not None and not bounds.exact) or INDEXED not in self._fields.get(name):
            there = all_of([bounds.upper, one_of("e", [has_field(key)])])
            for record in self._items.scan(there, ["body"]):
                item = load_item(record.payload["body"])
                if matches(filter, item):
                    counts.update({written(value) for value in item.values(name)})
        else:
            for value, count in self._items.facet(f"v.{key}", bounds.upper, limit):
                counts[restored(value.removeprefix("="))] = count
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]

    # Searching

    def search(
        self,
        dense: Vectors | None = None,
        text: str | None = None,
        filter: Filter | None = None,
        k: int = 10,
        order: Order | None = None,
        fusion: Fusion = EQUAL,
    ) -> list[Candidate]:
        """Return the best k items under a filter, as `retrieval.query.Index` defines it.

        A text alone finds the items that share a word with it; a text without any word worth
        searching ("the", "?") counts as none.
        """
        query: list[float] | None = None
        if dense is not None:
            query = check_vectors(np.atleast_2d(dense), 1, self.dimension, "query")[0].tolist()
        condition = self._condition(filter)
        if k < 1 or condition is False:
            return []
        words = {stem: float(count) for stem, count in query_weights(text or "").items()}
        precision = self._precision(condition) if query else Precision()
        search = Search(self._items, query, words, condition, precision)
        if order is None:
            ranked = search.by_relevance(k, fusion)
        else:
            ranked = search.by_order(k, order, self._fields.get(order.facet), load_item)
        return self._candidates(ranked, filter)

    def _precision(self, condition: Condition) -> Precision:
        """Return how to search under a condition: compare all that match, if those are few."""
        if self._server.local:
            return Precision()
        number = self._items.count(condition, exact=False)
        if self._few < number <= DOUBT * self._few and condition is not True:
            number = self._items.count(condition)
        return Precision() if number <= self._few else Precision(False, self._point.read().ef)

    def _candidates(self, ranked: list[Found], filter: Filter | None) -> list[Candidate]:
        """Return what was found, without what was deleted or changed in the meantime."""
        found = self._items.get([one.point for one in ranked], ["body"])
        result = []
        for one in ranked:
            if one.point in found:
                item = load_item(found[one.point].payload["body"])
                if matches(filter, item):
                    result.append(Candidate(item, one.score, one.dense, one.lexical))
        return result

    # Keeping

    def save(self) -> None:
        """Bring weights of words and the graph's beam up to date where the catalog has changed."""
        _, writer = self._holder()
        with self._writing:
            writer.refresh(self._few)

    def close(self) -> None:
        """Release the lease and the connection; safe to call twice."""
        if self._lease is not None:
            self._lease.release()
        self._server.close()
