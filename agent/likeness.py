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
from retrieval.catalog import Facet, FieldValue, Item, by_role
from retrieval.filters import And, Compare, Filter, fold, matches, singular
from retrieval.query import Candidate
from retrieval.rerank import near_number, near_words

POOL = 150
SCORED = 4000
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

    def filter(self) -> Filter:
        """Return the items that share a value with the reference."""
        return Compare(self.facet.name, "in", tuple(str(value) for value in self.values))

    def closeness(self, item: Item) -> float:
        """Return how far an item keeps the facet, 0 to 1."""
        own = {fold(str(value)) for value in item.values(self.facet.name)}
        wanted = {fold(str(value)) for value in self.values}
        return len(own & wanted) / len(own | wanted)


def changed_facets(anchor: Item, need: Need) -> frozenset[str]:
    """Return the facets that must differ: asked to change, or where the anchor breaks a wish."""
    asked = need.like.changed if need.like else ()
    broken = [c.facet for c in need.constraints if not matches(c.filter(), anchor)]
    return frozenset(asked) | frozenset(broken)


def _weight(facet: Facet, facets: tuple[Facet, ...]) -> float:
    weight = _ROLE_WEIGHT.get(facet.role or "", 1.0)
    if facet.role == "category":
        weight = max(2.0, weight - [f.name for f in by_role(facets, "category")].index(facet.name))
    return weight / 2 if facet.derived_from else weight


def kept_facets(anchor: Item, need: Need, facets: tuple[Facet, ...]) -> tuple[Kept, ...]:
    """Return the facets of the anchor to keep, the weightiest first."""
    changed = changed_facets(anchor, need)
    kept = [
        Kept(facet, anchor.values(facet.name), _weight(facet, facets))
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


def _narrowed(retriever: Retriever, base: Filter, kept: tuple[Kept, ...], enough: int) -> Filter:
    """Add the weightiest kept facets to a filter until few enough items are left to score."""
    for one in kept:
        if retriever.index.count(base) <= SCORED:
            break
        closer = And((base, one.filter()))
        if retriever.index.count(closer) >= enough:
            base = closer
    return base


def _points(retriever: Retriever, base: Filter, kept: tuple[Kept, ...]) -> dict[str, float]:
    """Return each matching item's weight of kept facets."""
    points = dict.fromkeys(retriever.index.ids(base), 0.0)
    for one in kept:
        for id in retriever.index.ids(And((base, one.filter()))):
            points[id] += one.weight
    return points


def _top_tier(base: Filter, kept: tuple[Kept, ...], best: Item | None) -> Filter:
    """Return the filter for items that keep all that the best one keeps."""
    same = [one.filter() for one in kept if best is not None and matches(one.filter(), best)]
    return And((base, *same))


def _pool(
    retriever: Retriever, need: Need, anchor: Item, banned: Collection[str], k: int
) -> list[Candidate]:
    """Return items that keep most, and those whose words come closest to the edited text."""
    kept = kept_facets(anchor, need, retriever.facets)
    enough = k + len(banned) + 1
    base = _narrowed(retriever, need.filter(), kept, enough)
    points = {id: p for id, p in _points(retriever, base, kept).items() if id not in banned}
    leaders = retriever.index.get(nlargest(POOL, points, key=lambda id: points[id]))
    text = f"{edited_title(anchor, need)} {query_text(need)}"
    tier = _top_tier(base, kept, leaders[0] if leaders else None)
    found = retriever.search(text, filter=tier, k=POOL + len(banned))
    found += retriever.search(text, filter=need.filter(), k=POOL // 3 + len(banned))
    found += [Candidate(item, 0.0) for item in leaders]
    unique = {candidate.item.id: candidate for candidate in reversed(found)}
    return [c for id, c in unique.items() if id not in banned]


def _amounts(anchor: Item, item: Item, need: Need, facets: tuple[Facet, ...]) -> float:
    """Return how close the price stays, 0 to 1; 1 when it was asked to change or is unknown."""
    price = next((facet for facet in facets if facet.role == "price"), None)
    if price is None or price.name in changed_facets(anchor, need):
        return 1.0
    own, other = anchor.number(price.name), item.number(price.name)
    return near_number(own, other) if own is not None and other is not None else 0.5


def _text_closeness(title: str, candidate: Candidate) -> float:
    near = near_words(title, candidate.item.title)
    return near if candidate.dense is None else 0.7 * near + 0.3 * max(0.0, candidate.dense)


def by_likeness(
    retriever: Retriever, need: Need, anchor: Item, banned: Collection[str], k: int
) -> list[Ranked]:
    """Return the items most like an anchor but for what was asked to change, best first."""
    facets = retriever.facets
    pool = _pool(retriever, need, anchor, {*banned, anchor.id}, k)
    kept = kept_facets(anchor, need, facets)
    total = sum(one.weight for one in kept) or 1.0
    title = edited_title(anchor, need)
    ranked = []
    for candidate in pool:
        item = candidate.item
        features = {
            "kept": sum(one.weight * one.closeness(item) for one in kept) / total,
            "text": _text_closeness(title, candidate),
            "price": _amounts(anchor, item, need, facets),
        }
        features |= wish_features(item, need) | prior_features(item, facets)
        ranked.append(rank(candidate, features, _SCORE))
    return best_first(ranked)
