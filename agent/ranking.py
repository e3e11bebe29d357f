"""Features of found items for a need, and the score they add up to. Pure.

Order of weight: every soft word is in the item's text, then relevance to the query, then soft
facet wishes, then quality; what cannot be had comes later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.needs import soft_words
from agent.state import Constraint, Need, Preference
from retrieval.catalog import Facet, Item, primary
from retrieval.filters import TEXT, matches, text_of, words
from retrieval.query import Candidate
from retrieval.rerank import available, diversify, overlap, quality
from retrieval.reranking import Context, Reranker, Wanted
from retrieval.reranking.protocol import DEPTH, reordered

WEIGHTS: Mapping[str, float] = {
    "kept": 4.0,
    "all_words": 1.0,
    "relevance": 0.8,
    "words": 0.5,
    "wishes": 0.5,
    "text": 1.0,
    "price": 0.5,
    "quality": 0.2,
    "unavailable": -0.3,
}


NO_SCORES: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with the features its score was made from."""

    candidate: Candidate
    features: Mapping[str, float]

    @property
    def item(self) -> Item:
        """The item found."""
        return self.candidate.item

    @property
    def score(self) -> float:
        """The weighted sum of the features."""
        return self.candidate.score


def rank(
    candidate: Candidate, features: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS
) -> Ranked:
    """Return a candidate scored by its features."""
    score = sum(weights[name] * value for name, value in features.items())
    return Ranked(replace(candidate, score=round(score, 6)), features)


def meets_wish(item: Item, wish: Preference) -> bool:
    """Return whether an item has a preferred value, or lies within a preferred bound."""
    if wish.facet is None or not (wish.values or wish.low is not None or wish.high is not None):
        return False
    as_asked = Constraint(facet=wish.facet, values=wish.values, low=wish.low, high=wish.high)
    return matches(as_asked.filter(), item)


def wish_features(item: Item, need: Need) -> dict[str, float]:
    """Return how far the soft wishes of a need are met: by words, and by facets."""
    features: dict[str, float] = {}
    wanted = soft_words(need)
    if wanted:
        own = set(words(text_of(item)))
        share = sum(word in own for word in wanted) / len(wanted)
        features |= {"words": share, "all_words": float(share == 1.0)}
    facet_wishes = [wish for wish in need.preferences if wish.facet is not None]
    if facet_wishes:
        features["wishes"] = sum(meets_wish(item, w) for w in facet_wishes) / len(facet_wishes)
    return features


def prior_features(item: Item, facets: tuple[Facet, ...]) -> dict[str, float]:
    """Return what speaks for an item whatever was asked: quality, and whether it can be had."""
    gone = available(item, primary(facets, "availability")) is False
    return {"quality": quality(item, facets), "unavailable": float(gone)}


def context_of(need: Need, facets: tuple[Facet, ...]) -> Context:
    """Return what a need says beside its text: facet values and an amount of money."""
    wishes: list[Constraint | Preference] = [*need.constraints, *need.preferences]
    named = [
        Wanted(wish.facet, wish.values)
        for wish in wishes
        if wish.values and wish.facet is not None and wish.facet != TEXT
    ]
    price = primary(facets, "price")
    bounds = [
        float(bound)
        for wish in wishes
        if price is not None and wish.facet == price.name
        for bound in (wish.low, wish.high)
        if isinstance(bound, int | float)
    ]
    return Context(facets, tuple(named), sum(bounds) / len(bounds) if bounds else None)


def reranked(
    reranker: Reranker,
    text: str,
    found: Sequence[Candidate],
    need: Need,
    facets: tuple[Facet, ...],
) -> tuple[list[Candidate], dict[str, float]]:
    """Return the first candidates in the reranker's order, the others behind, and its scores."""
    head = found[:DEPTH]
    scores = reranker.rank(text, head, context_of(need, facets))
    order = [head[place] for place in reordered(head, scores)]
    return [*order, *found[DEPTH:]], {
        one.item.id: score for one, score in zip(head, scores, strict=True)
    }


def by_relevance(
    found: Sequence[Candidate],
    need: Need,
    facets: tuple[Facet, ...],
    scores: Mapping[str, float] = NO_SCORES,
) -> list[Ranked]:
    """Return candidates of a text search, best first by relevance, wishes and quality.

    Relevance is the place among the candidates, so that any reranker weighs as much as the search.

    Args:
        scores: The reranker's, by item id; they are told with the features and count no more.
    """
    ranked = []
    for position, candidate in enumerate(found):
        features = {"relevance": 10 / (10 + position)}
        features |= wish_features(candidate.item, need) | prior_features(candidate.item, facets)
        one, score = rank(candidate, features), scores.get(candidate.item.id)
        told = features if score is None else {**features, "rerank": score}
        ranked.append(replace(one, features=told))
    return best_first(ranked)


def by_quality(found: Sequence[Candidate], need: Need, facets: tuple[Facet, ...]) -> list[Ranked]:
    """Return candidates nobody described, best first: what can be had, then quality."""
    weights = {**WEIGHTS, "quality": 1.0, "unavailable": -2.0}
    return best_first(
        rank(c, wish_features(c.item, need) | prior_features(c.item, facets), weights)
        for c in found
    )


def best_first(ranked: Iterable[Ranked]) -> list[Ranked]:
    """Return ranked items by score; equal scores keep their order."""
    return sorted(ranked, key=lambda one: -one.score)


def spread(ranked: Sequence[Ranked], k: int, slack: float, penalty: float = 0.5) -> list[Ranked]:
    """Return k ranked items among which near-equals are not near-duplicates."""
    pool = [(one, one.score) for one in ranked[: 8 * k]]
    titles = {one.item.id: frozenset(words(one.item.title)) for one, _ in pool}
    return diversify(
        pool, lambda a, b: overlap(titles[a.item.id], titles[b.item.id]), k, slack, penalty
    )
