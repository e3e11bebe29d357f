"""What is asked of one Qdrant collection, in terms of conditions and points. Knows no items.

A condition is what `retrieval.engines.qdrant_filters` makes; one that holds for none is answered
here, without asking the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retrieval.engines.qdrant_filters import Condition
from retrieval.engines.qdrant_server import Server

DENSE = "dense"
WORDS = "words"
PAGE = 1000
FACET_VALUES = 1000
OVERSAMPLING = 2.0
"""So many times the candidates are taken by quantized vectors and scored anew by the originals."""

Query = list[float] | dict[int, float]
"""A dense vector, or the weights of stems."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A point that was found: its id, place in the order of insertion, and score."""

    point: str
    seq: int
    score: float


@dataclass(frozen=True, slots=True)
class Precision:
    """How a dense search is made: comparing every vector, or by the graph with a beam of ef."""

    exact: bool = True
    ef: int = 0


def has_id(points: Sequence[str]) -> Condition:
    """Return the condition that a point is one of these."""
    return {"has_id": list(points)} if points else False


def chunks(points: Sequence[str], size: int = PAGE) -> Iterator[list[str]]:
    """Yield the points, so many at a time."""
    for start in range(0, len(points), size):
        yield list(points[start : start + size])


class Collection:
    """One collection of a server."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name

    def _ask(self, call: str, **arguments: Any) -> Any:
        return self.server.ask(call, collection_name=self.name, **arguments)

    # Finding

    def count(self, condition: Condition, exact: bool = True) -> int:
        """Return how many points meet a condition; estimated unless exact."""
        if condition is False:
            return 0
        return int(self._ask("count", count_filter=_filter(condition), exact=exact).count)

    def rank(
        self, queries: Sequence[Query], condition: Condition, limit: int, precision: Precision
    ) -> list[list[Hit]]:
        """Return for each query the best points, best first, equal scores by insertion."""
        from qdrant_client import models

        if condition is False or limit < 1:
            return [[] for _ in queries]
        requests = [
            models.QueryRequest(
                query=_nearest(query),
                using=DENSE if isinstance(query, list) else WORDS,
                filter=_filter(condition),
                limit=limit,
                with_payload=["seq"],
                params=self._params(precision) if isinstance(query, list) else None,
            )
            for query in queries
        ]
        answers = self._ask("query_batch_points", requests=requests)
        return [sorted(map(_hit, answer.points), key=_place) for answer in answers]

    def _params(self, precision: Precision) -> Any:
        from qdrant_client import models

        if self.server.local:  # compares every vector anyway, and warns of parameters
            return None
        if precision.exact:
            return models.SearchParams(exact=True)
        rescored = models.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)
        return models.SearchParams(hnsw_ef=precision.ef, quantization=rescored)

    def sample(self, count: int) -> list[list[float]]:
        """Return the dense vectors of some points, by chance."""
        from qdrant_client import models

        chance = models.SampleQuery(sample=models.Sample.RANDOM)
        answer = self._ask("query_points", query=chance, limit=count, with_vectors=[DENSE])
        return [point.vector[DENSE] for point in answer.points]

    def facet(self, key: str, condition: Condition, limit: int | None) -> list[tuple[str, int]]:
        """Return keywords under a key and how many points have each, most frequent first."""
        if condition is False:
            return []
        # Shards cut their lists before they are added up, so more is asked for than is wanted.
        size = max(limit or 0, FACET_VALUES)
        while True:
            hits = self._ask(
                "facet", key=key, facet_filter=_filter(condition), limit=size, exact=True
            ).hits
            if limit is not None or len(hits) < size:
                return [(str(hit.value), int(hit.count)) for hit in hits]
            size *= 10

    # Reading

    def get(
        self, points: Sequence[str], fields: Sequence[str] = (), vectors: bool = False
    ) -> dict[str, Any]:
        """Return the records of the points that there are, by id."""
        found = {}
        for chunk in chunks(points):
            for record in self._ask(
                "retrieve",
                ids=chunk,
                with_payload=list(fields),
                with_vectors=[DENSE] if vectors else False,
            ):
                found[str(record.id)] = record
        return found

    def scan(self, condition: Condition, fields: Sequence[str]) -> Iterator[Any]:
        """Yield the record of every point that meets a condition, in no order of use."""
        offset = None
        while condition is not False:
            records, offset = self._ask(
                "scroll",
                scroll_filter=_filter(condition),
                limit=PAGE,
                offset=offset,
                with_payload=list(fields),
            )
            yield from records
            if offset is None:
                return

    def first(
        self, condition: Condition, limit: int, key: str = "seq", descending: bool = False
    ) -> list[tuple[str, float]]:
        """Return the points with the smallest (largest) numbers under a key, and those numbers."""
        from qdrant_client import models

        if condition is False or limit < 1:
            return []
        direction = models.Direction.DESC if descending else models.Direction.ASC
        records, _ = self._ask(
            "scroll",
            scroll_filter=_filter(condition),
            limit=limit,
            order_by=models.OrderBy(key=key, direction=direction),
            with_payload=False,
        )
        return [(str(record.id), float(record.order_value)) for record in records]

    # Writing

    def put(self, points: Sequence[Mapping[str, Any]]) -> None:
        """Write points (id, dense, words, payload); durable and searchable when it returns."""
        from qdrant_client import models

        self._ask(
            "upsert",
            points=[
                models.PointStruct(
                    id=point["id"],
                    vector={DENSE: point["dense"], WORDS: _sparse(point["words"])},
                    payload=point["payload"],
                )
                for point in points
            ],
            wait=True,
        )

    def reweigh(self, weights: Mapping[str, dict[int, float]]) -> None:
        """Replace the words of points and leave the rest of them."""
        from qdrant_client import models

        changed = [
            models.PointVectors(id=point, vector={WORDS: _sparse(words)})
            for point, words in weights.items()
        ]
        self._ask("update_vectors", points=changed, wait=True)

    def delete(self, points: Sequence[str]) -> None:
        """Delete points."""
        from qdrant_client import models

        for chunk in chunks(points):
            selector = models.PointIdsList(points=chunk)
            self._ask("delete", points_selector=selector, wait=True)


def _filter(condition: Condition) -> Any:
    from qdrant_client import models

    return None if condition is True else models.Filter.model_validate({"must": [condition]})


def _sparse(weights: Mapping[int, float]) -> Any:
    from qdrant_client import models

    return models.SparseVector(
        indices=list(weights), values=[float(value) for value in weights.values()]
    )


def _nearest(query: Query) -> Any:
    from qdrant_client import models

    return models.NearestQuery(nearest=query if isinstance(query, list) else _sparse(query))


def _hit(point: Any) -> Hit:
    return Hit(str(point.id), int(point.payload["seq"]), float(point.score))


def _place(hit: Hit) -> tuple[float, int]:
    return -hit.score, hit.seq
