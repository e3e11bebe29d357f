"""From a state to a slate: find, rank, check, and say what could not be kept.

Hard constraints are checked once more on each item as it is in the catalog now, so that nothing
that breaks one, was rejected, or has been deleted is ever shown. What was learned from choices, and
the policy, only order what has passed; an order that somebody asked for they leave alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest
from random import Random

from agent.choosing import HEAD, Chooser, weighed
from agent.exploring import GREEDY, Policy
from agent.interleaving import policy_of, team_draft
from agent.languages.tongue import ENGLISH, Tongue
from agent.likeness import by_likeness
from agent.needs import (
    carried,
    content_words,
    free_wishes,
    not_carried,
    on_facets,
    query_text,
    soft_words,
)
from agent.ports import Retriever
from agent.ranking import Ranked, by_quality, by_relevance, reranked, spread
from agent.relax import ways_out
from agent.state import Constraint, Need, State
from agent.turn import Relaxation
from agent.voice import Voice
from agent.wording import clean, describe, say
from retrieval.catalog import Item, by_role, primary
from retrieval.filters import And, matches
from retrieval.query import Candidate, Order
from retrieval.rerank import availability_filter

NEARBY = 0.3
"""Cosine to the query below which an item has nothing to do with words the catalog lacks."""
LOGGED = 5
_NAME = 64
"""Characters of a policy that a store keeps."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The candidates of a slate in rank order, and how they came about.

    Args:
        matched: How many items satisfy every hard constraint as the user said them.
        relaxations: What was given up because nothing (new) fitted.
        not_carried: Wished-for words that appear nowhere in the catalog.
        query_text: The text that was searched for.
        features: By item id, what the score was made from.
        policy: How the slate was chosen from the ranking; "+" and a name, where what was learned
            from choices had a say in the ranking. Of two rankings: `agent.interleaving.policy_of`.
        propensities: By item id, the chance with which it was put at its rank.
    """

    candidates: tuple[Candidate, ...] = ()
    matched: int = 0
    relaxations: tuple[Relaxation, ...] = ()
    not_carried: tuple[str, ...] = ()
    query_text: str = ""
    features: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    policy: str = GREEDY.name
    propensities: Mapping[str, float] = field(default_factory=dict)

    @property
    def items(self) -> tuple[Item, ...]:
        """The items in rank order."""
        return tuple(candidate.item for candidate in self.candidates)


@dataclass(frozen=True, slots=True)
class _Found:
    """Ranked items that have passed every check, best first, and how they may be mixed.

    Args:
        slack, penalty: As in `spread`; without a slack the order was asked for and stands.
    """

    ranked: list[Ranked]
    slack: float | None = None
    penalty: float = 0.5

    def best(self, k: int) -> list[Ranked]:
        """Return k of them, near-equals among them no near-duplicates."""
        if self.slack is None:
            return self.ranked[:k]
        return spread(self.ranked, k, self.slack, self.penalty)


def recommend(
    retriever: Retriever,
    state: State,
    *,
    k: int = 5,
    exclude: Collection[str] = (),
    chooser: Chooser | None = None,
    policy: Policy = GREEDY,
    rng: Random | None = None,
    rival: Voice | None = None,
    tongue: Tongue = ENGLISH,
) -> Recommendation:
    """Return the best k items for the need of a state, or the nearest way out, named.

    Args:
        exclude: Ids not to show although they fit, e.g. those shown already.
        chooser: Knows what people choose; reorders the head of what fits. Not asked where an
            order was asked for, or nothing fits.
        policy: Makes the slate of the ranking, where `chooser` may reorder it.
        rng: The policy's source of chance; one per slate.
        rival: Whose ranking of the same items takes turns with this one in filling the slate (B in
            a team draft); such a slate is not explored.
        tongue: What is given up is named in it.
    """
    need, gone = _known(state.need, retriever, tongue)
    banned = frozenset(exclude) | frozenset(need.rejected)
    matched = retriever.index.count(need.filter())
    lacking = not_carried(retriever.index, need)
    unknown = bool(matched) and _only_unknown(need, lacking)
    wanted, text = need if unknown else carried(need, lacking), query_text(need)
    found = _find(retriever, wanted, text, banned, k, NEARBY if unknown else None)
    relaxations: tuple[Relaxation, ...] = ()
    if not found.ranked and not unknown:
        nearby, relaxations = _find_nearby(retriever, wanted, text, banned, k, tongue)
        found = _Found(nearby)
    ours, learned = _chosen(found, chooser, state.need, retriever)
    if rival is not None and found.slack is not None:
        theirs, _ = _chosen(found, rival.chooser, state.need, retriever)
        slate, learned = _mixed(ours, theirs, rival.name, k, rng or Random()), ""
    else:
        slate = _drawn(ours, k, policy, rng or Random())
    return replace(
        slate,
        matched=matched,
        relaxations=gone + relaxations,
        not_carried=lacking,
        query_text=text,
        policy=(slate.policy + learned)[:_NAME],
    )


def _chosen(
    found: _Found, chooser: Chooser | None, need: Need, retriever: Retriever
) -> tuple[_Found, str]:
    """Reorder the head by what was learned from choices; return what slates say of it."""
    if chooser is None or found.slack is None or len(found.ranked) < 2:
        return found, ""
    items = [one.item for one in found.ranked[:HEAD]]
    rewards = chooser.rewards(need, items, retriever.facets)
    if max(rewards) == min(rewards):
        return found, ""
    ranked = weighed(found.ranked, rewards)
    _log(ranked, chooser.name)
    return replace(found, ranked=ranked), f"+{chooser.name}"


def _drawn(found: _Found, k: int, policy: Policy, rng: Random) -> Recommendation:
    """Return what the policy shows of a ranking, with its chances."""
    policy = GREEDY if found.slack is None else policy
    ranked = found.best(max(k, policy.head))
    drawn = policy.draw([one.score for one in ranked], k, rng)
    shown = [ranked[place] for place in drawn.places]
    return Recommendation(
        candidates=tuple(one.candidate for one in shown),
        features={one.item.id: one.features for one in shown},
        policy=policy.name,
        propensities={
            one.item.id: chance for one, chance in zip(shown, drawn.propensities, strict=True)
        },
    )


def _mixed(ours: _Found, theirs: _Found, rival: str, k: int, rng: Random) -> Recommendation:
    """Return a slate that two rankings of the same items fill in turn, each its best k."""
    best = {"A": ours.best(k), "B": theirs.best(k)}
    a, b = ([one.item.id for one in ranked] for ranked in best.values())
    drafted = team_draft(a, b, k, rng.getrandbits(64))
    placed = {team: {one.item.id: one for one in ranked} for team, ranked in best.items()}
    picks = zip(drafted.items, drafted.teams, strict=True)
    shown = [placed[team][id] for id, team in picks]
    return Recommendation(
        candidates=tuple(one.candidate for one in shown),
        features={one.item.id: one.features for one in shown},
        policy=policy_of(drafted.teams, rival),
        propensities=dict.fromkeys(drafted.items, 1.0),
    )


def _known(need: Need, retriever: Retriever, tongue: Tongue) -> tuple[Need, tuple[Relaxation, ...]]:
    """Set aside constraints on facets that the catalog no longer has; it may change any time."""
    kept = on_facets(need, retriever.facets)
    lost = (one for one in need.constraints if one not in kept.constraints)
    return kept, tuple(_lost(one, tongue) for one in lost)


def _lost(constraint: Constraint, tongue: Tongue) -> Relaxation:
    wish = describe(constraint, None, None, tongue)
    text = say("relax.lost", 0, tongue.code, wish=wish, facet=clean(constraint.facet, 40))
    return Relaxation(dropped=constraint, text=text)


def _only_unknown(need: Need, lacking: tuple[str, ...]) -> bool:
    """Return whether a need is nothing but words the catalog has never seen."""
    if need.constraints or need.like or need.sorting or not lacking:
        return False
    unseen = set(content_words(" ".join(lacking)))
    return bool(free_wishes(need)) and set(soft_words(need)) <= unseen


def _find(
    retriever: Retriever,
    need: Need,
    text: str,
    banned: Collection[str],
    k: int,
    nearby: float | None = None,
) -> _Found:
    """Return items that satisfy every constraint and are not banned, enough to show k.

    Args:
        text: What to search for, when neither a sorting nor a reference leads.
        nearby: Where given, only items at least this close to the text (cosine).
    """
    anchor = retriever.get_many([need.like.item_id]) if need.like else []
    if need.sorting is not None:
        return _Found(_sorted(retriever, need, text, banned, k))
    if anchor:
        ranked = by_likeness(retriever, need, anchor[0], banned)
        return _Found(_checked(retriever, ranked, need, banned, 3 * k), slack=0.25)
    if not text or (not soft_words(need) and _is_rated(retriever)):
        return _by_prior(retriever, need, banned, k)
    return _by_text(retriever, need, text, banned, k, nearby)


def _checked(
    retriever: Retriever, ranked: list[Ranked], need: Need, banned: Collection[str], k: int
) -> list[Ranked]:
    """Return the first k that hold on the items as they are in the catalog now."""
    head = [one for one in ranked if one.item.id not in banned]
    wanted, kept = need.filter(), list[Ranked]()
    for start in range(0, len(head), 4 * k):
        chunk = head[start : start + 4 * k]
        now = {item.id: item for item in retriever.get_many([one.item.id for one in chunk])}
        for one in chunk:
            item = now.get(one.item.id)
            if item is not None and matches(wanted, item):
                kept.append(Ranked(_renewed(one.candidate, item), one.features))
        if len(kept) >= k:
            break
    return kept[:k]


def _renewed(candidate: Candidate, item: Item) -> Candidate:
    return candidate if candidate.item is item else replace(candidate, item=item)


def _by_text(
    retriever: Retriever,
    need: Need,
    text: str,
    banned: Collection[str],
    k: int,
    nearby: float | None,
) -> _Found:
    """Return what a text finds; where it says nothing soft, good items come up too."""
    facets = retriever.facets
    found = retriever.search(text, filter=need.filter(), k=12 * k + len(banned))
    if nearby is not None:
        found = [one for one in found if (one.dense or 0.0) >= nearby]
    found, scores = reranked(retriever.reranker, text, found, need, facets)
    if nearby is None and not soft_words(need):
        ids = {one.item.id for one in found}
        good = _prior_pool(retriever, need, k + len(banned))
        found = [*found, *(one for one in good if one.item.id not in ids)]
    ranked = by_relevance(found, need, facets, scores)
    _log(ranked, retriever.reranker.name)
    return _Found(_checked(retriever, ranked, need, banned, 6 * k), slack=0.35)


def _log(ranked: list[Ranked], name: str) -> None:
    """Tell what the first scores are made of, to whoever asked for it (`attune -v`)."""
    for place, one in enumerate(ranked[:LOGGED], start=1):
        made = ", ".join(f"{name} {value:.3g}" for name, value in one.features.items())
        logger.info("%d. %s %.3f by %s: %s", place, one.item.id, one.score, name, made)


def _is_rated(retriever: Retriever) -> bool:
    """Return whether the catalog says which items are good: hard wishes alone rank nothing."""
    return any(primary(retriever.facets, role) for role in ("rating", "popularity"))


def _prior_pool(retriever: Retriever, need: Need, enough: int) -> list[Candidate]:
    """Return the best rated and the best known items that fit, those that can be had first."""
    have = availability_filter(primary(retriever.facets, "availability"))
    orders: list[Order | None] = [
        Order(facet.name, "descending")
        for role in ("popularity", "rating")
        for facet in by_role(retriever.facets, role)[:1]
        if facet.kind == "numeric"
    ]
    pools = [And((need.filter(), have)), need.filter()] if have else [need.filter()]
    found: dict[str, Candidate] = {}
    for pool in pools:
        for order in orders or [None]:
            for one in retriever.search("", filter=pool, k=10 * enough, order=order):
                found.setdefault(one.item.id, one)
        if len(found) >= 4 * enough:
            break
    return list(found.values())


def _by_prior(retriever: Retriever, need: Need, banned: Collection[str], k: int) -> _Found:
    """Return good items of many kinds for a need without words."""
    ranked = by_quality(_prior_pool(retriever, need, k + len(banned)), need, retriever.facets)
    return _Found(_checked(retriever, ranked, need, banned, 8 * k), slack=0.5, penalty=1.0)


def _sorted(
    retriever: Retriever, need: Need, text: str, banned: Collection[str], k: int
) -> list[Ranked]:
    """Return items in the order asked for; with soft words or a reference, of what is relevant."""
    assert need.sorting is not None
    wanted, unsorted = need.sorting, need.model_copy(update={"sorting": None})
    order = Order(wanted.facet, "ascending" if wanted.direction == "down" else "descending")
    if need.like is None and not soft_words(need):
        count = 4 * k + len(banned)
        found = retriever.search("", filter=need.filter(), k=count, order=order)
        ranked = [Ranked(one, {"order": float(i)}) for i, one in enumerate(found)]
        return _checked(retriever, ranked, need, banned, k)
    pool = _relevant(retriever, unsorted, text, banned, k)
    return _in_order(_checked(retriever, pool, need, banned, len(pool) or 1), order)[:k]


def _relevant(
    retriever: Retriever, need: Need, text: str, banned: Collection[str], k: int
) -> list[Ranked]:
    """Return the pool that a sorting may choose from: clearly about what was asked."""
    anchor = retriever.get_many([need.like.item_id]) if need.like else []
    if anchor:
        return by_likeness(retriever, need, anchor[0], banned)[: 5 * k]
    count = 40 * k + len(banned)
    facets = retriever.facets
    found = retriever.search(text, filter=need.filter(), k=count)
    found, scores = reranked(retriever.reranker, text, found, need, facets)
    ranked = [r for r in by_relevance(found, need, facets, scores) if r.item.id not in banned]
    whole = [one for one in ranked if one.features.get("all_words")]
    best = ranked[0].score if ranked else 0.0
    return whole or [one for one in ranked if one.score >= 0.6 * best]


def _in_order(ranked: list[Ranked], order: Order) -> list[Ranked]:
    """Return ranked items sorted by a facet; items without a value come last."""
    have = [one for one in ranked if one.item.values(order.facet)]
    lack = [one for one in ranked if not one.item.values(order.facet)]
    numbers = all(one.item.number(order.facet) is not None for one in have)
    key = (lambda one: one.item.number(order.facet)) if numbers else _text_key(order.facet)
    return sorted(have, key=key, reverse=order.direction == "descending") + lack


def _text_key(facet: str) -> Callable[[Ranked], str]:
    return lambda one: str(one.item.values(facet)[0])


def _find_nearby(
    retriever: Retriever,
    need: Need,
    text: str,
    banned: Collection[str],
    k: int,
    tongue: Tongue,
) -> tuple[list[Ranked], tuple[Relaxation, ...]]:
    """Return items under the least harmful ways out, taken in turns, and what was given up."""
    ways = ways_out(retriever, need, banned, k, tongue)
    found = [(way, _find(retriever, way.need, text, banned, k).best(k)) for way in ways]
    found = [(way, ranked) for way, ranked in found if ranked]
    turns = chain.from_iterable(zip_longest(*(ranked for _, ranked in found)))
    unique = {one.item.id: one for one in turns if one is not None}
    return list(unique.values())[:k], tuple(r for way, _ in found for r in way.relaxations)
