"""Like this but X: which facets of the reference to keep, its edited text, and the candidates.

The constraints of the need already hold what was asked to change; everything here is about what
was *not* asked to change.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from heapq import nlargest

from agent.needs import query_text
from agent.ports import Retriever
from agent.ranking import WEIGHTS, Ranked, best_first, prior_features, rank, wish_features
from agent.state import Need
from retrieval.catalog import Facet, FieldValue, Item, by_role, primary
from retrieval.filters import And, Compare, Filter, fold, matches, singular, words
from retrieval.query import Candidate
from retrieval.rerank import near_number, overlap

POOL = 120
SCORED = 2500
"""Above this many matches the pool is narrowed by the weightiest facets before it is scored."""

_NEVER_KEPT = ("price", "rating", "popularity", "availability", "date")
_ROLE_WEIGHT = {
    "category": 4.0, "audience": 3.0, "language": 2.0, "brand": 1.5, "colour": 1.5,
    "material": 1.2,
}  # fmt: skip
_SCORE = {**WEIGHTS, "kept": 12.0, "all_words": 3.0, "words": 2.0, "wishes": 2.0}


@dataclass(frozen=True, slots=True)
class Kept:
    """A facet of the reference that was not asked to change, and how much keeping it matters."""

    facet: Facet
    values: tuple[FieldValue, ...]
    weight: float
    folded: frozenset[str]

    def filter(self) -> Filter:
        """Return the items that share a value with the reference."""
        return Compare(self.facet.name, "in", tuple(str(value) for value in self.values))

    def closeness(self, item: Item) -> float:
        """Return how far an item keeps the facet, 0 to 1."""
        values = item.values(self.facet.name)
        if len(values) == len(self.values) == 1:
            return float(fold(str(values[0])) in self.folded)
        own = {fold(str(value)) for value in values}
        return len(own & self.folded) / len(own | self.folded)


def changed_facets(anchor: Item, need: Need) -> frozenset[str]:
    """Return the facets that must differ: asked to change, or where the anchor breaks a wish."""
    asked = need.like.changed if need.like else ()
    broken = [c.facet for c in need.constraints if not matches(c.filter(), anchor)]
    return frozenset(asked) | frozenset(broken)


def _weight(facet: Facet, facets: tuple[Facet, ...]) -> float:
    """Return how much keeping a facet matters: by its meaning, else by how many items have it.

    A catalog can have hundreds of attributes that few items state; together they must not outweigh
    what kind of thing an item is, or who made it.
    """
    if facet.role not in _ROLE_WEIGHT:
        return facet.coverage
    weight = _ROLE_WEIGHT[facet.role]
    if facet.role == "category":
        places = [one.name for one in by_role(facets, "category")]
        return max(2.0, weight - places.index(facet.name))
    return weight / 2 if facet.derived_from else weight


def kept_facets(anchor: Item, need: Need, facets: tuple[Facet, ...]) -> tuple[Kept, ...]:
    """Return the facets of the anchor to keep, the weightiest first."""
    changed = changed_facets(anchor, need)
    kept = [
        Kept(
            facet,
            anchor.values(facet.name),
            _weight(facet, facets),
            frozenset(fold(str(value)) for value in anchor.values(facet.name)),
        )
        for facet in facets
        if facet.kind in ("categorical", "list", "boolean")
        and facet.role not in _NEVER_KEPT
        and facet.name not in changed
        and anchor.values(facet.name)
    ]
    return tuple(sorted(kept, key=lambda one: -one.weight))


def _pattern(value: str) -> re.Pattern[str]:
    parts = [re.escape(singular(part.casefold())) + r"(?:e?s)?" for part in value.split()]
    return re.compile(r"\b" + r"\W+".join(parts) + r"\b", re.IGNORECASE)


def _swap(text: str, old: str, new: str) -> str:
    """Replace a value in a text; where only some of its words stand there, those."""
    for pattern in (_pattern(old), *(_pattern(word) for word in old.split() if len(word) > 2)):
        if pattern.search(text):
            return pattern.sub(lambda _: new, text, count=1)
    return text if not new or _pattern(new).search(text) else f"{text} {new}"


def edited_title(anchor: Item, need: Need) -> str:
    """Return the anchor's title with the words of changed values swapped for the new ones."""
    text = anchor.title
    changed = changed_facets(anchor, need)
    for constraint in need.constraints:
        if constraint.facet not in changed:
            continue
        new = constraint.values[0] if constraint.values else ""
        for old in anchor.values(constraint.facet):
            if isinstance(old, str):
                text = _swap(text, old, new)
    return " ".join(text.split())


def _narrowed(
    retriever: Retriever, base: Filter, kept: tuple[Kept, ...], enough: int
) -> tuple[Filter, tuple[Kept, ...]]:
    """Add the weightiest kept facets to a filter until few enough items are left to score.

    Returns:
        The filter, and the kept facets that still tell its items apart.
    """
    left, rest = retriever.index.count(base), list(kept)
    for one in kept:
        if left <= SCORED:
            break
        closer = And((base, one.filter()))
        count = retriever.index.count(closer)
        if count >= enough:
            base, left = closer, count
            rest.remove(one)
    return base, tuple(rest)


def _points(retriever: Retriever, base: Filter, kept: tuple[Kept, ...]) -> dict[str, float]:
    """Return each matching item's weight of kept facets."""
    points = dict.fromkeys(retriever.index.ids(base), 0.0)
    for one in kept if len(points) > POOL else ():
        for id in retriever.index.ids(And((base, one.filter()))):
            points[id] += one.weight
    return points


def _top_tier(base: Filter, kept: tuple[Kept, ...], best: Item | None) -> Filter:
    """Return the filter for items that keep all that the best one keeps."""
    same = [one.filter() for one in kept if best is not None and matches(one.filter(), best)]
    return And((base, *same))


def _pool(
    retriever: Retriever, need: Need, title: str, kept: tuple[Kept, ...], banned: Collection[str]
) -> list[Candidate]:
    """Return items that keep most, and those whose words come closest to the edited text."""
    base, telling = _narrowed(retriever, need.filter(), kept, POOL // 4 + len(banned))
    points = _points(retriever, base, telling)
    points = {id: weight for id, weight in points.items() if id not in banned}
    leaders = retriever.index.get(nlargest(POOL, points, key=lambda id: points[id]))
    text = f"{title} {query_text(need)}"
    tier = _top_tier(base, telling, leaders[0] if leaders else None)
    found = retriever.search(text, filter=tier, k=POOL + len(banned))
    found += retriever.search(text, filter=need.filter(), k=POOL // 3 + len(banned))
    found += [Candidate(item, 0.0) for item in leaders]
    unique = {candidate.item.id: candidate for candidate in reversed(found)}
    return [c for id, c in unique.items() if id not in banned]


@dataclass(frozen=True, slots=True)
class Closeness:
    """What candidates are compared with: the anchor as it should be after the change."""

    kept: tuple[Kept, ...]
    total: float
    title: frozenset[str]
    price_facet: str | None
    price: float | None

    @classmethod
    def to(cls, anchor: Item, need: Need, title: str, facets: tuple[Facet, ...]) -> Closeness:
        """Return the closeness to an anchor under a need."""
        kept = kept_facets(anchor, need, facets)
        facet = primary(facets, "price")
        same = facet is not None and facet.name not in changed_facets(anchor, need)
        name = facet.name if facet is not None and same else None
        price = anchor.number(name) if name else None
        total = sum(one.weight for one in kept) or 1.0
        return cls(kept, total, frozenset(words(title)), name, price)

    def features(self, candidate: Candidate) -> dict[str, float]:
        """Return how much of the anchor a candidate keeps: facets, words, price."""
        item = candidate.item
        return {
            "kept": sum(one.weight * one.closeness(item) for one in self.kept) / self.total,
            "text": self._text(candidate),
            "price": self._price(item),
        }

    def _text(self, candidate: Candidate) -> float:
        near = overlap(self.title, frozenset(words(candidate.item.title)))
        return near if candidate.dense is None else 0.7 * near + 0.3 * max(0.0, candidate.dense)

    def _price(self, item: Item) -> float:
        if self.price_facet is None or self.price is None:
            return 1.0
        own = item.number(self.price_facet)
        return near_number(self.price, own) if own is not None else 0.5


def by_likeness(
    retriever: Retriever, need: Need, anchor: Item, banned: Collection[str]
) -> list[Ranked]:
    """Return the items most like an anchor but for what was asked to change, best first."""
    facets, title = retriever.facets, edited_title(anchor, need)
    close = Closeness.to(anchor, need, title, facets)
    pool = _pool(retriever, need, title, close.kept, {*banned, anchor.id})
    ranked = []
    for candidate in pool:
        item = candidate.item
        features = close.features(candidate) | wish_features(item, need)
        ranked.append(rank(candidate, features | prior_features(item, facets), _SCORE))
    return best_first(ranked)
