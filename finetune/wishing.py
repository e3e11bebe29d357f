"""Needs to explain items for: wishes sampled from an item's own fields, some missed on purpose.

Made for measuring explanations and for training their wording; people's real needs differ, but
every relation of a claim to a wish occurs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from agent.explain import checked, reasons
from agent.needs import content_words
from agent.state import Constraint, Likeness, Need, Preference, State
from agent.turn import Reason
from retrieval.catalog import Facet, Item, primary
from retrieval.filters import words

MISSED = 0.35
"""Share of the wishes that the item does not fulfil."""

_RARE = ("availability", "popularity")
"""Roles of facets that people seldom wish for."""

_UNSAID = ("waterproof", "handmade", "recycled", "foldable", "vintage", "wireless")


@dataclass(frozen=True, slots=True)
class Asked:
    """An item, what somebody wants, and the verified claims that explain the one for the other."""

    item: Item
    state: State
    reasons: tuple[Reason, ...]
    others: dict[str, Item]


def asked(
    items: Sequence[Item], facets: tuple[Facet, ...], currency: str | None, random: Random
) -> Asked:
    """Return a sampled item with two to four wishes and what can be said."""
    item = random.choice(items)
    state = State(need=_need(item, items, facets, random), turn=random.randint(1, 5))
    like = state.need.like
    others = {one.id: one for one in items if like and one.id == like.item_id}
    found = reasons(item, state, facets, currency, others)
    return Asked(item, state, checked(found, item, state, facets, others), others)


def _need(item: Item, items: Sequence[Item], facets: tuple[Facet, ...], random: Random) -> Need:
    usable = [facet for facet in facets if item.values(facet.name) and facet.role not in _RARE]
    random.shuffle(usable)
    usable.sort(key=lambda f: random.random() * (0.35 if f.role else 1.0))
    count = random.choice((2, 2, 3, 3, 4))
    wishes = [_wish(facet, item, items, random) for facet in usable[: count + 2]]
    constraints = [wish for wish in wishes if wish is not None][:count]
    if random.random() < 0.15:
        constraints[-1:] = [_of_text(item, random)]
    like = _like(item, items, facets, random) if random.random() < 0.12 else None
    if like is not None:
        constraints = constraints[:1]
    soft = _soft(item, usable, random)
    return Need(constraints=tuple(constraints), preferences=soft, like=like)


def _wish(facet: Facet, item: Item, items: Sequence[Item], random: Random) -> Constraint | None:
    """Return a constraint on a facet, that the item meets or misses by chance."""
    miss, value = random.random() < MISSED, random.choice(item.values(facet.name))
    name: dict[str, Any] = {"facet": facet.name, "role": facet.role, "turn": random.randint(1, 4)}
    if isinstance(value, bool):
        return Constraint(**name, values=(str(value is not miss).lower(),))
    if facet.kind in ("numeric", "date") or not isinstance(value, str):
        return _bound(name, value, miss, random)
    other = _other_value(facet, item, items, random)
    if random.random() < 0.2:
        excluded = value if miss else other
        return Constraint(**name, excluded=(excluded,)) if excluded else None
    if miss:
        return Constraint(**name, values=(other,)) if other else None
    more = (other,) if other and random.random() < 0.2 else ()
    return Constraint(**name, values=(value, *more))


def _other_value(facet: Facet, item: Item, items: Sequence[Item], random: Random) -> str:
    own = {str(value) for value in item.values(facet.name)}
    for _ in range(60):
        for value in random.choice(items).values(facet.name):
            if isinstance(value, str) and value not in own:
                return value
    return ""


def _bound(name: dict[str, Any], value: object, miss: bool, random: Random) -> Constraint | None:
    """Return an upper, lower or two-sided bound beside a value."""
    if isinstance(value, str):
        year = f"{int(value[:4]) + random.choice((-3, -1, 1, 3)):04d}-01-01"
        return _on("low" if (year < value) is not miss else "high", year, False, name)
    if not isinstance(value, int | float) or value <= 0:
        return None
    if name["role"] == "date":
        other = float(value + random.choice((-4, -2, 2, 4)))
        return _on("low" if (other < value) is not miss else "high", other, False, name)
    upper = random.random() < (0.75 if name["role"] == "price" else 0.4)
    up = upper is not miss
    if not miss and random.random() < 0.2:
        low, high = _round(value * 0.7), _round(value * 1.4)
        return Constraint(**name, low=min(low, value), high=max(high, value))
    if random.random() < 0.05:
        return _on("high" if upper else "low", value, miss, name)
    most = 1.1 if name["role"] == "rating" else 1.8
    factor = random.uniform(1.02, most) if up else random.uniform(0.6, 0.97)
    bound = _round(value * factor)
    if bound == value or (bound > value) is not up:
        bound = value + (1.0 if up else -1.0) if value > 1 else round(value * factor, 2)
    return _on("high" if upper else "low", bound, random.random() < 0.5, name)


def _on(side: str, bound: float | str, strict: bool, name: dict[str, Any]) -> Constraint:
    given: dict[str, Any] = {**name, side: bound, f"{side}_strict": strict}
    return Constraint(**given)


def _round(value: float) -> float:
    """Return a number as people would name it."""
    if value < 10:
        return round(value, 1)
    step = 5 if value < 100 else 10 if value < 1000 else 100
    return float(max(step, round(value / step) * step))


def _some_word(item: Item, random: Random) -> str:
    own = [w for w in content_words(item.description or item.title) if len(w) > 4 and w.isalpha()]
    return random.choice(own) if own else ""


def _of_text(item: Item, random: Random) -> Constraint:
    """Return a hard wish for, or against, a word in the item's text."""
    word, other = _some_word(item, random), random.choice(_UNSAID)
    chosen = word if word and random.random() < 0.5 else other
    side = "values" if random.random() < 0.6 else "excluded"
    return Constraint(facet="text", turn=1, **{side: (chosen,)})  # type: ignore[arg-type]


def _soft(item: Item, usable: Sequence[Facet], random: Random) -> tuple[Preference, ...]:
    if random.random() < 0.25:
        word = _some_word(item, random)
        return (Preference(text=word),) if word and words(word) else ()
    named = [f for f in usable if f.kind in ("categorical", "list")]
    if named and random.random() < 0.2:
        facet = random.choice(named[-4:])
        value = str(random.choice(item.values(facet.name)))
        return (Preference(text=value, facet=facet.name, values=(value,)),)
    return ()


def _like(
    item: Item, items: Sequence[Item], facets: tuple[Facet, ...], random: Random
) -> Likeness | None:
    """Return a likeness to an item of the same category, with a facet asked to change."""
    category = primary(facets, "category")
    own = set(item.values(category.name)) if category else set()
    drawn = random.sample(items, min(len(items), 200)) if category else ()
    near = [one for one in drawn if one.id != item.id and own & set(one.values(category.name))]  # type: ignore[union-attr]
    if not near:
        return None
    changed = random.choice([f.name for f in facets if f.role in ("price", "colour", "brand")] or
                            [facets[0].name])  # fmt: skip
    return Likeness(item_id=random.choice(near).id, changed=(changed,))
