"""Which facets of a catalog a critique benchmark keeps and edits, by coverage and meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from finetune.critiques.phrasing import comparatives, directions, is_code, speakable, spelling
from finetune.errors import FinetuneError
from retrieval.catalog import Facet, primary
from retrieval.filters import fold

MOST_KEPT = 10
LEAST_COVERAGE = 0.1
LEAST_EDITED = 0.3
"""Share of the items that must say something of a facet for it to be asked for by value; what most
items are silent about can be wanted, but neither had nor ruled out with any certainty."""

LEAST_ITEMS = 3
"""Items that must have a value for it to be asked for."""

_SHARED = 0.8
"""A facet with more values than this share of its items tells items apart, it groups none."""

_NEVER_KEPT = ("price", "rating", "popularity", "availability", "date")
_ROLES = ("category", "audience", "brand", "colour", "material", "language", "size")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The facets of a catalog that cases are made of.

    Args:
        weights: Facets to keep with their weights, the most meaningful first.
        values: Facet to the values that can be asked for, as compared and as written.
        numbers: Facets that can be asked to be more or less.
        category: The most detailed category, where the catalog has one.
    """

    weights: Mapping[str, float]
    values: Mapping[str, Mapping[str, str]]
    numbers: tuple[Facet, ...]
    category: str | None


def kept_facets(facets: Sequence[Facet], items: int) -> tuple[Facet, ...]:
    """Return the facets to keep: those with a meaning first, then the best filled."""
    own = [
        facet
        for facet in facets
        if facet.kind in ("categorical", "list", "boolean")
        and facet.role not in _NEVER_KEPT
        and facet.coverage >= LEAST_COVERAGE
        and 2 <= len(facet.values) <= _SHARED * facet.coverage * items
    ]
    own.sort(key=lambda f: (_ROLES.index(f.role) if f.role in _ROLES else 99, -f.coverage))
    return tuple(own[:MOST_KEPT])


def _sayable(facet: Facet) -> dict[str, str]:
    """Return the values that can be asked for; not those that the catalog spells in two ways."""
    if facet.role == "category" or facet.kind == "boolean" or facet.coverage < LEAST_EDITED:
        return {}
    written: dict[str, set[str]] = {}
    for value, _ in facet.values:
        written.setdefault(spelling(value), set()).add(fold(value))
    return {
        fold(value): value
        for value, count in facet.values
        if count >= LEAST_ITEMS
        and speakable(value)
        and len(written[spelling(value)]) == 1
        and not (facet.role == "language" and is_code(value))
    }


def _numbers(facets: Sequence[Facet]) -> tuple[Facet, ...]:
    """Return the amounts that can be asked to be more or less, one for each way to say it."""
    found: list[Facet] = []
    said: set[str] = set()
    for facet in sorted(facets, key=lambda one: -one.coverage):
        sides = directions(facet) if facet.kind in ("numeric", "date") else ()
        own = {phrase for side in sides for phrase in comparatives(facet, side)}
        if own and facet.coverage >= LEAST_COVERAGE and not own & said:
            found.append(facet)
            said |= own
    return tuple(found)


def choose(facets: Sequence[Facet], items: int, catalog: str) -> Chosen:
    """Return the facets that cases over a catalog are made of.

    Raises:
        FinetuneError: If there is none to keep, or none to change.
    """
    kept = kept_facets(facets, items)
    category = primary(kept, "category")
    numbers = _numbers(facets)
    values = {facet.name: said for facet in kept if len(said := _sayable(facet)) > 1}
    if not kept or not (values or numbers):
        had = ", ".join(repr(facet.name) for facet in facets[:12]) or "none"
        raise FinetuneError(
            f"no critique can be made over {catalog!r}: it needs a facet whose values items share "
            "(brand, colour, category) to keep, and another one, or a number such as a price, to "
            f"change; its facets are: {had}"
        )
    weights = {facet.name: 2.0 if facet is category else 1.0 for facet in kept}
    return Chosen(weights, values, numbers, category.name if category else None)
