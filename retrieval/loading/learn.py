"""Decide which facets can be read out of texts, and learn their values from a sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from retrieval.catalog import Role
from retrieval.loading import values
from retrieval.loading.brands import learn_brands
from retrieval.loading.categories import learn_categories
from retrieval.loading.colours import colours_in
from retrieval.loading.mapping import Derived, Mapping

COLOURED = 0.2
"""Share of items whose text must name a colour; below it, colour words are part of other things
("The Color Purple", "orange juice")."""

Rows = Sequence[dict[str, Any]]


def learn_derived(rows: Rows, mapping: Mapping) -> tuple[Derived, ...]:
    """Return the facets to derive: colour, brand and category, where columns lack them."""
    roles = {column.role for column in mapping.columns if column.role}
    taken = {c.facet or c.name for c in mapping.columns if c.facet or c.use == "ignore"}
    found: list[Derived | None] = []
    if _wanted("colour", roles, taken):
        found.append(_colour(rows, mapping))
    if _wanted("brand", roles, taken):
        found.append(_brand(rows, mapping))
    if _wanted("category", roles, taken):
        found.append(_category(rows, mapping))
    return tuple(derived for derived in found if derived is not None)


def _wanted(role: Role, roles: set[Role], taken: set[str]) -> bool:
    return role not in roles and role not in taken


def _texts(rows: Rows, name: str) -> list[str]:
    return [values.as_text(row.get(name)) for row in rows]


def _names(mapping: Mapping, *uses: str) -> list[str]:
    return [c.name for c in mapping.columns if c.use in uses and c.within is None]


def _colour(rows: Rows, mapping: Mapping) -> Derived | None:
    """Derive colours from the text column that names them most often, if it does often enough."""
    best, share = "", COLOURED
    for name in _names(mapping, "title", "description"):
        named = sum(1 for text in _texts(rows, name) if colours_in(text)) / max(len(rows), 1)
        if named > share:
            best, share = name, named
    return Derived("colour", "colour", "colours", (best,)) if best else None


def _brand(rows: Rows, mapping: Mapping) -> Derived | None:
    titles = _names(mapping, "title")
    if not titles:
        return None
    marks = _values_of(rows, mapping, ("audience", "colour", "category"))
    brands = learn_brands(_texts(rows, titles[0]), marks)
    return Derived("brand", "brand", "prefix", (titles[0],), brands) if brands else None


def _category(rows: Rows, mapping: Mapping) -> Derived | None:
    titles = _names(mapping, "title")
    if not titles:
        return None
    brands = _values_of(rows, mapping, ("brand",))
    names = [name for name in _names(mapping, "description") if name.casefold() == "name"]
    known = _texts(rows, names[0]) if names else []
    found = learn_categories(_texts(rows, titles[0]), brands, known)
    return Derived("category", "category", "phrase", (titles[0],), found) if found else None


def _values_of(rows: Rows, mapping: Mapping, roles: Iterable[str]) -> set[str]:
    """Return the values of the columns with these roles."""
    wanted = set(roles)
    found: set[str] = set()
    for column in mapping.columns:
        if column.role in wanted and column.use == "facet" and column.within is None:
            cells = (row.get(column.name) for row in rows)
            for cell in {c if isinstance(c, str) else values.as_text(c) for c in cells}:
                found.update(values.text_list(cell, column.separator))
    return found
