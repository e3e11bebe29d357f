"""Ways out when nothing (or nothing new) fits: the smallest change of the need, named.

Near ways first (a value's family, the nearest bound), then leaving out one wish, then two;
whom an item is for and what it is go last, what was excluded stays excluded. The state keeps
what the user said: a way is a second need beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal

from agent.languages.tongue import ENGLISH, Tongue
from agent.ports import Retriever
from agent.state import Constraint, Need, Sorting
from agent.turn import Relaxation
from agent.wording import describe, find, label, listing, say, shown, worded
from retrieval.catalog import Facet
from retrieval.filters import And, Compare, Filter, matches
from retrieval.query import Order

Side = Literal["low", "high"]

NEAR = 0.5
"""A bound counts as nearly met within this share of it."""

_HARM = {
    "popularity": 1.0, "material": 1.2, "size": 1.4, "brand": 1.3, "date": 1.3, "rating": 1.3,
    "colour": 1.6, "price": 1.8, "availability": 2.0, "language": 3.0, "audience": 6.0,
    "category": 8.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One constraint replaced by a wider one, or (None) left out, and how much that hurts."""

    dropped: Constraint
    instead: Constraint | None
    harm: float
    near: float | str | None = None

    def apply(self, need: Need) -> Need:
        """Return the need with the change made."""
        rest = [self.instead if c.facet == self.dropped.facet else c for c in need.constraints]
        update: dict[str, object] = {"constraints": tuple(c for c in rest if c is not None)}
        if self.near is not None:
            rising = self.instead is not None and self.instead.low == self.near
            update["sorting"] = Sorting(
                facet=self.dropped.facet, direction="down" if rising else "up"
            )
        return need.model_copy(update=update)


@dataclass(frozen=True, slots=True)
class Way:
    """A need that something fits, and what it gave up."""

    need: Need
    relaxations: tuple[Relaxation, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """The catalog as relaxation sees it: what is left once banned items are set aside."""

    retriever: Retriever
    banned: Collection[str]
    tongue: Tongue = ENGLISH

    def fresh(self, need: Need) -> int:
        """Return how many items fit a need and are not banned."""
        wanted = need.filter()
        gone = self.retriever.get_many(tuple(self.banned))
        return self.retriever.index.count(wanted) - sum(matches(wanted, item) for item in gone)

    def facet(self, name: str) -> Facet | None:
        """Return the facet with a name, or None."""
        return find(self.retriever.facets, name)


def _without_bounds(constraint: Constraint) -> Constraint:
    return constraint.model_copy(
        update={"low": None, "high": None, "low_strict": False, "high_strict": False}
    )


def _wider_values(constraint: Constraint) -> Change | None:
    family = tuple(v for v in constraint.family if v not in constraint.values)
    family = tuple(v for v in family if v not in constraint.excluded)
    if not family or not constraint.values:
        return None
    return Change(constraint, constraint.model_copy(update={"values": family, "family": ()}), 0.4)


def _beyond(constraint: Constraint, side: Side) -> Filter:
    """Return the items past one bound; those at a relative bound are what it compares with."""
    if side == "high" and constraint.high is not None:
        strict = constraint.high_strict and not constraint.relative
        return Compare(constraint.facet, "gte" if strict else "gt", constraint.high)
    assert constraint.low is not None
    strict = constraint.low_strict and not constraint.relative
    return Compare(constraint.facet, "lte" if strict else "lt", constraint.low)


def _apart(left: float | str, right: float | str) -> float:
    """Return how far two values are apart: by share for numbers, in years for dates."""
    if isinstance(left, str) or isinstance(right, str):
        return abs(_days(str(left)) - _days(str(right))) / 365
    return abs(left - right) / max(abs(right), 1e-9)


def _days(text: str) -> float:
    try:
        return float(date.fromisoformat(text[:10]).toordinal())
    except ValueError:
        return 0.0


def _nearest(
    search: Search, need: Need, constraint: Constraint, side: Side, few: int
) -> list[float | str]:
    """Return the closest values beyond one bound, nearest first, all about as far."""
    others = [c for c in need.constraints if c.facet != constraint.facet]
    parts: list[Filter] = [c.filter() for c in [*others, _without_bounds(constraint)]]
    found = search.retriever.search(
        "",
        filter=And((*parts, _beyond(constraint, side))),
        k=few + len(search.banned),
        order=Order(constraint.facet, "ascending" if side == "high" else "descending"),
    )
    fresh = [c.item.values(constraint.facet) for c in found if c.item.id not in search.banned]
    values = [v[0] for v in fresh[:few] if v and isinstance(v[0], int | float | str)]
    return [v for v in values if _apart(v, values[0]) <= 0.25]


_RELATIVE = 3.0
"""Harm of giving up a relative wish: who asks for cheaper than this does not want dearer."""


def _to_nearest(
    search: Search, need: Need, constraint: Constraint, side: Side, few: int
) -> Change | None:
    values = _nearest(search, need, constraint, side, few)
    if not values:
        return None
    low, high = sorted((values[0], values[-1]), key=lambda v: (isinstance(v, str), v))
    instead = _without_bounds(constraint).model_copy(update={"low": low, "high": high})
    bound = constraint.high if side == "high" else constraint.low
    gap = _apart(values[0], bound if bound is not None else values[0])
    harm = min(gap + 0.3, _harm(constraint, need))
    harm += _RELATIVE if constraint.relative else 0.0
    return Change(constraint, instead, harm, values[0])


def _wider_bound(search: Search, need: Need, constraint: Constraint, few: int) -> Change | None:
    """Return the change to the nearest values outside a bound, or None where there are none."""
    sides: list[Side] = []
    sides += ["high"] if constraint.high is not None else []
    sides += ["low"] if constraint.low is not None else []
    changes = [_to_nearest(search, need, constraint, side, few) for side in sides]
    return min((c for c in changes if c), key=lambda c: c.harm, default=None)


def _left_out(constraint: Constraint, need: Need) -> Change | None:
    """Return the change that drops what was wanted of a facet; exclusions stay."""
    if not constraint.values and constraint.low is None and constraint.high is None:
        return None
    rest = _without_bounds(constraint).model_copy(update={"values": (), "family": ()})
    return Change(constraint, rest if constraint.excluded else None, _harm(constraint, need))


def _harm(constraint: Constraint, need: Need) -> float:
    """Return how much leaving a wish out hurts; what was asked to change hurts most."""
    asked_to_change = need.like is not None and constraint.facet in need.like.changed
    return _HARM.get(constraint.role or "", 1.5) + (2.0 if asked_to_change else 0.0)


def _near_changes(search: Search, need: Need, few: int) -> list[Change]:
    changes = [_wider_values(c) for c in need.constraints]
    changes += [_wider_bound(search, need, c, few) for c in need.constraints]
    return [c for c in changes if c is not None]


def _subject(search: Search, need: Need, more: bool) -> str:
    """Return "Nothing is Blue and under €30", or "No Shirts fit ..." where a category is asked."""
    category = next((c for c in need.constraints if c.role == "category" and c.values), None)
    rest = [c for c in need.constraints if c is not category] if len(need.constraints) > 1 else []
    currency, tongue = search.retriever.currency, search.tongue
    asked = rest or need.constraints
    wishes = [describe(c, search.facet(c.facet), currency, tongue) for c in asked]
    said = listing(wishes, "wishes", tongue)
    section = "nothing_more" if more else "nothing"
    if category is None or not rest:
        return say(f"relax.{section}", 0, tongue.code, wishes=said)
    facet = search.facet(category.facet)
    named = listing([worded(facet, v, tongue=tongue) for v in category.values[:3]], "or", tongue)
    return say(f"relax.{section}_in", 0, tongue.code, wishes=said, category=named)


def _tail(search: Search, change: Change, relaxed: Need) -> str:
    """Return what was done: the closest value, the family, or what was left out."""
    facet, currency = search.facet(change.dropped.facet), search.retriever.currency
    tongue = search.tongue
    if change.near is not None:
        name = "price" if facet is not None and facet.role == "price" else "value"
        near = shown(facet, change.near, currency, tongue)
        own = label(facet, change.dropped.facet, tongue)
        return say(f"relax.near_{name}", 0, tongue.code, value=near, facet=own)
    if change.instead is not None and change.instead.values:
        found = search.retriever.index.facet(change.dropped.facet, relaxed.filter(), limit=12)
        wider = [value for value, _ in found if value in change.instead.values][:3]
        values = listing([worded(facet, v, 60, tongue) for v in wider], tongue=tongue)
        return say("relax.family", 0, tongue.code, values=values)
    bare = change.dropped.model_copy(update={"excluded": ()})
    left = search.fresh(relaxed)
    wish = describe(bare, facet, currency, tongue)
    return say("relax.left_out", 0, tongue.code, wish=wish, n=left)


def _way(search: Search, need: Need, changes: Sequence[Change]) -> Way | None:
    relaxed = need
    for change in changes:
        relaxed = change.apply(relaxed)
    if search.fresh(relaxed) <= 0:
        return None
    colon = say("grammar.colon", 0, search.tongue.code)
    subject = _subject(search, need, search.retriever.index.count(need.filter()) > 0)
    return Way(
        relaxed,
        tuple(
            Relaxation(
                dropped=change.dropped,
                instead=change.instead,
                text=f"{subject}{colon}{_tail(search, change, relaxed)}",
            )
            for change in changes
        ),
    )


def _in_pairs(search: Search, need: Need, drops: Sequence[Change], few: int) -> Way | None:
    """Return the least harmful way that gives up one wish and widens or gives up another."""
    pairs: list[tuple[float, tuple[Change, Change]]] = []
    for first in drops:
        eased = first.apply(need)
        near = [
            c for c in _near_changes(search, eased, few) if c.dropped.facet != first.dropped.facet
        ]
        pairs += [(first.harm + second.harm, (first, second)) for second in near]
    pairs += [(a.harm + b.harm, (a, b)) for a, b in combinations(drops, 2)]
    for _, pair in sorted(pairs, key=lambda one: one[0]):
        way = _way(search, need, pair)
        if way is not None:
            return way
    return None


def ways_out(
    retriever: Retriever, need: Need, banned: Collection[str], k: int, tongue: Tongue = ENGLISH
) -> tuple[Way, ...]:
    """Return the least harmful ways to find something: at most two near ones, else one."""
    search, few = Search(retriever, banned, tongue), max(1, min(3, k))
    near = sorted(_near_changes(search, need, few), key=lambda change: change.harm)
    close = [c for c in near if c.near is None or c.harm <= NEAR + 0.3]
    found = [_way(search, need, [change]) for change in close]
    ways = tuple(way for way in found if way is not None)[:2]
    if ways:
        return ways
    bounded = {change.dropped.facet for change in near if change.near is not None}
    rest = [constraint for constraint in need.constraints if constraint.facet not in bounded]
    drops = [change for c in rest if (change := _left_out(c, need))]
    drops.sort(key=lambda change: change.harm)
    for change in sorted([*near, *drops], key=lambda change: change.harm):
        way = _way(search, need, [change])
        if way is not None:
            return (way,)
    drops = [change for c in need.constraints if (change := _left_out(c, need))]
    pair = _in_pairs(search, need, drops, few)
    return (pair,) if pair else ()
