"""Decide which facets can be read out of texts, and learn their values from a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from retrieval.catalog import Role
from retrieval.loading import values
from retrieval.loading.brands import learn_brands
from retrieval.loading.categories import learn_categories
from retrieval.loading.colours import colours_in
from retrieval.loading.mapping import Column, Derived, Mapping
from retrieval.loading.words import tokens

COLOURED = 0.2
"""Share of items whose text must name a colour; below it, colour words are part of other things
("The Color Purple", "orange juice")."""

KIND_NAMES = {("product", "type"), ("item", "type"), ("product", "category"), ("category",)}
STATED = 5

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
    brands = [c.name for c in mapping.columns if c.role == "brand" and c.within is None]
    if not titles or not brands:
        return None
    stating = [c for c in mapping.columns if c.within and tokens(c.name)[-2:] in KIND_NAMES]
    kinds = [kind for column in stating for kind in _stated(rows, column)]
    found = learn_categories(_texts(rows, titles[0]), _texts(rows, brands[0]), kinds)
    sources = (*(f"{c.within}.{c.name}" for c in stating), titles[0])
    return Derived("category", "category", "phrase", sources, found) if found else None


def _stated(rows: Rows, column: Column) -> list[str]:
    """Return the kinds that a key such as product_type states for some of the items."""
    counts: Counter[str] = Counter()
    for row in rows:
        cell = row.get(column.within or "")
        if isinstance(cell, dict) and isinstance(kind := cell.get(column.name), str):
            counts[kind] += 1
    return [kind for kind, count in counts.most_common() if count >= STATED]


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
