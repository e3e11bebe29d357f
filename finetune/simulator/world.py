"""What users can wish for in a catalog: its items, and the facets and values people speak of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from finetune.critiques.facets import Chosen, choose
from finetune.critiques.phrasing import speakable
from retrieval.catalog import Facet, Item, by_role, primary
from retrieval.filters import fold


@dataclass(frozen=True, slots=True)
class World:
    """A catalog as users know it.

    Args:
        facets: All facets by name.
        category: The facet that says what an item is, where the catalog has one.
        wider: A coarser category ("clothing" over "shirts"), where there is one.
        kinds: Items by value of the category.
        sayable: Facet to the values that can be asked for; each names one facet only.
    """

    items: tuple[Item, ...]
    by_id: Mapping[str, Item]
    facets: Mapping[str, Facet]
    chosen: Chosen
    category: Facet | None
    wider: Facet | None
    price: Facet | None
    kinds: Mapping[str, tuple[Item, ...]]
    sayable: Mapping[str, frozenset[str]]

    @property
    def tastes(self) -> tuple[Facet, ...]:
        """The facets that people have tastes on: those that are kept, without categories, sizes."""
        own = [self.facets[name] for name in self.chosen.weights]
        return tuple(f for f in own if f.role not in ("category", "size"))

    def spoken(self, item: Item, facet: Facet | None) -> str | None:
        """Return an item's value of a (category) facet as people would say it, if they would."""
        own = [str(value) for value in item.values(facet.name)] if facet else []
        return next((value for value in own if speakable(value)), None)


def make_world(items: Sequence[Item], facets: tuple[Facet, ...], name: str) -> World:
    """Return the world of a catalog.

    Raises:
        FinetuneError: If it has no facets that people could wish for.
    """
    chosen = choose(facets, len(items), name)
    by_name = {facet.name: facet for facet in facets}
    seen = Counter(key for facet in facets for key in {fold(value) for value, _ in facet.values})
    sayable = {
        facet: frozenset(value for value in values.values() if seen[fold(value)] == 1)
        for facet, values in chosen.values.items()
    }
    category = by_name[chosen.category] if chosen.category else None
    wider = [f for f in by_role(facets, "category") if category and len(f.values) > 1]
    coarse = wider[-1] if wider and wider[-1] is not category else None
    return World(
        items=tuple(items), by_id={item.id: item for item in items}, facets=by_name, chosen=chosen,
        category=category, wider=coarse, price=primary(facets, "price"),
        kinds=_kinds(items, category), sayable=sayable,
    )  # fmt: skip


def _kinds(items: Sequence[Item], category: Facet | None) -> dict[str, tuple[Item, ...]]:
    found: dict[str, list[Item]] = {}
    if category is None:
        return {}
    for item in items:
        for value in item.values(category.name):
            found.setdefault(str(value), []).append(item)
    return {value: tuple(own) for value, own in found.items()}
