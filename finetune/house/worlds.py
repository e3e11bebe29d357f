"""Worlds: a catalog with its linker, and moments in a conversation over it.

A phrase is said in some state, before some slate; both are sampled here. This module does not know
what is said (`finetune.house.filling`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from agent.state import Constraint, Likeness, Need, Preference, Sorting, State
from finetune.catalogs import open_catalog
from finetune.replay import Link
from finetune.rule_parts import rule_parts
from retrieval.catalog import Facet, FacetKind, Item, Role, primary
from retrieval.loading import LoadedCatalog

OPEN_CATALOGS = ("demo", "fashion", "electronics", "books")
"""Catalogs whose licences allow training on them (finetune/house/README.md)."""

_NAMED: tuple[FacetKind, ...] = ("categorical", "list")


@dataclass(frozen=True, slots=True)
class World:
    """A catalog to talk about."""

    name: str
    items: tuple[Item, ...]
    facets: tuple[Facet, ...]
    link: Link

    def facet(self, role: Role) -> Facet | None:
        """Return the facet with a role, None where the catalog has none."""
        return primary(self.facets, role)

    def named(self) -> list[Facet]:
        """Return the facets that have values people can say, the category left out."""
        category = self.facet("category")
        known = [f for f in self.facets if f.kind in _NAMED and f is not category and f.values]
        return known[:12]

    def numeric(self) -> list[Facet]:
        """Return the numeric facets, prices first."""
        found = [f for f in self.facets if f.kind == "numeric" and f.low is not None]
        return sorted(found, key=lambda f: f.role != "price")[:8]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a conversation stands."""

    state: State
    slate: tuple[Item, ...]


def open_worlds(names: Iterable[str] = OPEN_CATALOGS) -> list[World]:
    """Return the worlds whose catalogs are here."""
    loaded = ((name, open_catalog(name)) for name in names)
    return [make_world(name, catalog) for name, catalog in loaded if catalog is not None]


def make_world(name: str, catalog: LoadedCatalog) -> World:
    """Return a catalog with its linker."""
    parts = rule_parts(catalog)
    return World(name, tuple(catalog.items), catalog.facets, parts.link)


def start() -> Moment:
    """Return the moment before anything was said."""
    return Moment(State(), ())


def middle(
    world: World,
    random: Random,
    *,
    focus: bool = False,
    wished: Sequence[Constraint] = (),
    soft: Sequence[Preference] = (),
) -> Moment:
    """Return a moment in the midst of a conversation.

    Args:
        focus: Whether an item was just spoken of.
        wished: Constraints that are in the state for sure.
        soft: The same for preferences.
    """
    slate = _slate(world, random)
    taken = {constraint.facet for constraint in wished}
    constraints = [*wished, *(c for c in _wishes(world, random) if c.facet not in taken)]
    need = Need(
        constraints=tuple(constraints),
        preferences=(*soft, *([Preference(text="comfy")] if random.random() < 0.2 else [])),
        like=Likeness(item_id=random.choice(slate).id) if random.random() < 0.15 else None,
        sorting=_sorting(world, random) if random.random() < 0.07 else None,
    )
    in_focus = (random.choice(slate).id,) if focus or random.random() < 0.15 else ()
    ids = tuple(item.id for item in slate)
    state = State(need=need, slate=ids, focus=in_focus, shown=ids, turn=random.randint(1, 6))
    return Moment(state.model_copy(update={"earlier": (Need(),)}), slate)


def _slate(world: World, random: Random) -> tuple[Item, ...]:
    """Return items alike in category, as a search would find them."""
    category, first = world.facet("category"), random.choice(world.items)
    alike: list[Item] = []
    own = set(first.values(category.name)) if category else set()
    for _ in range(400):
        other = random.choice(world.items)
        if not category or own & set(other.values(category.name)):
            alike.append(other)
        if len(alike) >= 5:
            break
    unique = {item.id: item for item in (first, *alike)}
    return tuple(unique.values())[: random.randint(2, 6)]


def _wishes(world: World, random: Random) -> list[Constraint]:
    found: list[Constraint] = []
    category = world.facet("category")
    if category and random.random() < 0.85:
        found.append(_valued(category, random))
    for facet in random.sample(world.named(), min(len(world.named()), random.choice((0, 1, 1, 2)))):
        found.append(_valued(facet, random, excluded=random.random() < 0.2))
    if random.random() < 0.4 and world.numeric():
        found.append(bounded(random.choice(world.numeric()[:2]), random))
    return found


def _valued(facet: Facet, random: Random, excluded: bool = False) -> Constraint:
    values = (random.choice(facet.values[:60])[0],)
    if excluded:
        return Constraint(facet=facet.name, role=facet.role, excluded=values, turn=1)
    return Constraint(facet=facet.name, role=facet.role, values=values, turn=1)


def bounded(facet: Facet, random: Random) -> Constraint:
    """Return a bound on a numeric facet."""
    low, high = float(facet.low or 0), float(facet.high or 1)
    at = round(low + (high - low) * random.random() ** 2, 1)
    if random.random() < 0.75:
        return Constraint(facet=facet.name, role=facet.role, high=at, turn=1)
    return Constraint(facet=facet.name, role=facet.role, low=at, turn=1)


def _sorting(world: World, random: Random) -> Sorting | None:
    numeric = world.numeric()
    if not numeric:
        return None
    return Sorting(facet=random.choice(numeric).name, direction=random.choice(("up", "down")))
