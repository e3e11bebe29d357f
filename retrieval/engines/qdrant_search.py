"""One search in a Qdrant collection: rankings, their fusion and order. Knows points, not items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retrieval.catalog import FieldValue, Item
from retrieval.engines.qdrant_collection import Collection, Hit, Precision, Query, has_id
from retrieval.engines.qdrant_fields import INDEXED
from retrieval.engines.qdrant_filters import (
    Condition,
    all_of,
    any_of,
    negate,
    number_range,
    one_of,
)
from retrieval.engines.qdrant_payload import has_field, is_number, key_of
from retrieval.fusion import Fusion, combine
from retrieval.query import Order
from retrieval.ranking import FUSED_DEPTH

TIES = 16
"""So many more are asked for than are wanted, so that ties at the end are cut by insertion."""


@dataclass(frozen=True, slots=True)
class Found:
    """A point with its scores."""

    point: str
    score: float
    dense: float | None
    lexical: float | None


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for: a query under a condition that is exact and not False.

    Args:
        words: Weights of the query's stems; empty where no text counts.
    """

    collection: Collection
    dense: list[float] | None
    words: dict[int, float]
    condition: Condition
    precision: Precision

    # Rankings

    def _queries(self) -> list[Query]:
        return [query for query in (self.dense, self.words) if query]

    def _best(self, queries: Sequence[Query], limit: int, condition: Condition) -> list[list[Hit]]:
        answers = self.collection.rank(queries, condition, limit + TIES, self.precision)
        # Words that are not shared do not count as found.
        return [
            [hit for hit in hits if isinstance(query, list) or hit.score > 0][:limit]
            for query, hits in zip(queries, answers, strict=True)
        ]

    def by_relevance(self, k: int, fusion: Fusion) -> list[Found]:
        """Return the k best points: fused when there are two rankings, by insertion for none."""
        if self.dense and self.words:
            return self._fused(k, fusion)
        if not self._queries():
            first = self.collection.first(self.condition, k)
            return [Found(point, 0.0, None, None) for point, _ in first]
        hits = self._best(self._queries(), k, self.condition)[0]
        if self.dense:
            return [Found(hit.point, clipped(hit.score), clipped(hit.score), None) for hit in hits]
        return [Found(hit.point, hit.score, None, hit.score) for hit in hits]

    def _fused(self, k: int, fusion: Fusion) -> list[Found]:
        depth = max(k, FUSED_DEPTH)
        similar, shared = self._best(self._queries(), depth, self.condition)
        meaning = [(hit.point, clipped(hit.score)) for hit in similar]
        words = [(hit.point, hit.score) for hit in shared]
        fused = combine(meaning, words, fusion)[:k]
        return self._scored([point for point, _ in fused], [score for _, score in fused])

    def _scored(self, points: list[str], scores: list[float] | None = None) -> list[Found]:
        """Return points with all their scores; their relevance is the score that is not given."""
        own = has_id(points)
        answers = self.collection.rank(self._queries(), own, len(points), Precision())
        known = [{hit.point: hit.score for hit in hits} for hits in answers]
        dense = known[0] if self.dense else None
        lexical = known[-1] if self.words else None
        result = []
        for place, point in enumerate(points):
            # A point deleted a moment ago has no score; it is left out when items are read.
            similar = None if dense is None else clipped(dense.get(point, 0.0))
            shared = None if lexical is None else lexical.get(point, 0.0)
            relevance = similar if similar is not None else shared or 0.0
            result.append(Found(point, scores[place] if scores else relevance, similar, shared))
        return result

    # Order

    def by_order(
        self, k: int, order: Order, kinds: frozenset[str], load: Callable[[str], Item]
    ) -> list[Found]:
        """Return the first k points by a facet, missing last, equal ones by relevance.

        Args:
            kinds: Of the facet's values (`qdrant_fields.Fields.get`).
            load: Reads an item from its body, where the server cannot sort.
        """
        sorts = kinds - {INDEXED}
        if not sorts:
            groups: list[list[str]] = [self._relevant(self.condition, k)]
        elif INDEXED in kinds and "many" not in sorts and ("number" in sorts or sorts == {"date"}):
            groups = self._groups(k, order, "n" if "number" in sorts else "d")
        else:
            groups = self._groups_by_hand(k, order, sorts, load)
        found = {one.point: one for one in self._scored([p for group in groups for p in group])}
        ranked: list[Found] = []
        for group in groups:
            # Groups are in order of insertion or of relevance, and sorting is stable.
            ranked += sorted((found[point] for point in group), key=lambda one: -one.score)
        return ranked[:k]

    def _groups(self, k: int, order: Order, form: str) -> list[list[str]]:
        """Return the first k points, those of equal value together."""
        field = key_of(order.facet)
        key = f"{form}.{field}"
        page = self.collection.first(self.condition, k, key, order.direction == "descending")
        groups: dict[float, list[str]] = {}
        for point, value in page:
            groups.setdefault(value, []).append(point)
        if len(page) < k:
            missing = all_of([self.condition, {"is_empty": {"key": key}}])
            rest = self._relevant(missing, k - len(page))
            return [*map(self._by_place, groups.values()), rest]
        # The last value may have more points than fit: the most relevant of all of them stay.
        last = page[-1][1]
        cut = groups.pop(last)
        same = all_of([self.condition, number_range(form, field, gte=last, lte=last)])
        return [*map(self._by_place, groups.values()), self._relevant(same, len(cut))]

    def _by_place(self, points: list[str]) -> list[str]:
        """Return points in order of insertion."""
        if len(points) < 2:
            return points
        return [point for point, _ in self.collection.first(has_id(points), len(points))]

    def _relevant(self, condition: Condition, limit: int) -> list[str]:
        """Return the points that meet a condition by relevance, those without any by insertion."""
        if limit < 1:
            return []
        if not self._queries():
            return [point for point, _ in self.collection.first(condition, limit)]
        found = [hit.point for hit in self._best(self._queries()[:1], limit, condition)[0]]
        others = all_of([condition, negate(has_id(found))])
        rest = self.collection.first(others, limit - len(found))
        return found + [point for point, _ in rest]

    def _groups_by_hand(
        self, k: int, order: Order, kinds: frozenset[str], load: Callable[[str], Item]
    ) -> list[list[str]]:
        """Return the first k points like `_groups`, from the items that have the facet.

        For lists, texts that are no dates, and fields without an index.
        """
        there = one_of("e", [has_field(key_of(order.facet))])
        groups: dict[float | str, list[tuple[int, str]]] = {}
        unsortable = []
        pick = max if order.direction == "descending" else min
        for record in self.collection.scan(all_of([self.condition, there]), ["body", "seq"]):
            values = _sortable(load(record.payload["body"]).values(order.facet), kinds)
            if values:
                place = (int(record.payload["seq"]), str(record.id))
                groups.setdefault(pick(values), []).append(place)
            else:
                unsortable.append(str(record.id))
        result: list[list[str]] = []
        for key in sorted(groups, reverse=order.direction == "descending"):
            points = [point for _, point in sorted(groups[key])]
            result.append(points if len(points) <= k else self._relevant(has_id(points), k))
            k -= len(result[-1])
            if k < 1:
                return result
        missing = any_of([negate(there), has_id(unsortable)])
        return [*result, self._relevant(all_of([self.condition, missing]), k)]


def _sortable(values: Sequence[FieldValue], kinds: frozenset[str]) -> list[float] | list[str]:
    """Return what a field is sorted by: its numbers if the facet has any, else its texts."""
    if "number" in kinds:
        return [float(n) for n in values if is_number(n) and n == n]
    return [str(value) for value in values]


def clipped(score: float) -> float:
    """Return a cosine similarity within -1 and 1, as rounding may leave it."""
    return min(max(score, -1.0), 1.0)
