"""The facets of a catalog, counted over its items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from retrieval.catalog import Facet, FacetKind, FieldValue, Item
from retrieval.loading import words
from retrieval.loading.mapping import PRICE, Mapping
from retrieval.loading.profile import useful

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def infer_facets(items: Sequence[Item], mapping: Mapping) -> tuple[Facet, ...]:
    """Return the facets of a catalog: the price, columns in order, derived facets, then others.

    Keys of free maps are facets when enough items have them and their values tell items apart;
    the most common come first.
    """
    cells: dict[str, list[FieldValue]] = {}
    for item in items:
        for name, value in item.fields.items():
            cells.setdefault(name, []).append(value)
    described = _described(mapping, items)
    free = {c.facet for c in mapping.columns if c.within}
    own = [name for name in described if name in cells and name not in free]
    others = [name for name in cells if name in free or name not in described]
    others.sort(key=lambda name: -len(cells[name]))
    found = [_counted(described[name], cells[name], len(items)) for name in own]
    for name in others:
        template = described.get(name) or _undescribed(name, cells[name])
        facet = None if _is_code(name) else _counted(template, cells[name], len(items))
        found.append(facet if facet and _tells(facet, len(items)) else None)
    return tuple(facet for facet in found if facet is not None)


def _is_code(name: str) -> bool:
    return bool(words.CODE_WORDS.intersection(words.tokens(name)))


def _described(mapping: Mapping, items: Sequence[Item]) -> dict[str, Facet]:
    """Return an empty facet for everything the mapping describes; the price first."""
    found: dict[str, Facet] = {}
    for column in mapping.columns:
        if column.facet and column.facet not in found:
            found[column.facet] = Facet(
                column.facet,
                column.kind or "categorical",
                column.label or words.label_of(column.name),
                column.role,
                column.unit,
            )
    if PRICE in found:
        seen = Counter(item.currency for item in items)
        unit = mapping.currency or (seen.most_common(1)[0][0] if seen else None)
        found = {PRICE: replace(found[PRICE], unit=unit)} | found
        found[PRICE] = replace(found[PRICE], unit=unit)
    else:
        found[PRICE] = Facet(PRICE, "numeric", "price", "price", mapping.currency)
    for derived in mapping.derived:
        kind: FacetKind = "categorical" if derived.method == "prefix" else "list"
        source = " and ".join(derived.sources) or "title"
        found[derived.facet] = Facet(
            derived.facet, kind, derived.facet, derived.role, derived_from=source
        )
    return found


def _undescribed(name: str, cells: list[FieldValue]) -> Facet:
    """Return an empty facet of the kind that most values have."""
    types = Counter(type(cell) for cell in cells)
    kinds: dict[type, FacetKind] = {bool: "boolean", float: "numeric", tuple: "list"}
    kind = kinds.get(types.most_common(1)[0][0], "categorical")
    return Facet(name, kind, words.label_of(name), unit=words.unit_of(name))


def _counted(facet: Facet, cells: list[FieldValue], items: int) -> Facet | None:
    """Return a facet with coverage, counts and range; None when no value is of its kind."""
    if facet.kind == "numeric":
        return _numeric(facet, cells, items)
    if facet.kind == "date":
        return _dates(facet, cells, items)
    counts: Counter[str] = Counter()
    filled = 0
    for cell in cells:
        if facet.kind == "boolean":
            if isinstance(cell, bool):
                counts["true" if cell else "false"] += 1
                filled += 1
        elif isinstance(cell, tuple):
            counts.update(cell)
            filled += 1
        elif isinstance(cell, str):
            counts[cell] += 1
            filled += 1
    if not counts:
        return None
    return replace(facet, coverage=filled / items, values=tuple(counts.most_common()))


def _numeric(facet: Facet, cells: list[FieldValue], items: int) -> Facet | None:
    found = [c for c in cells if isinstance(c, int | float) and not isinstance(c, bool)]
    if not found:
        return None
    points = tuple(float(point) for point in np.quantile(found, QUANTILES))
    return replace(
        facet,
        coverage=len(found) / items,
        low=float(min(found)),
        high=float(max(found)),
        quantiles=points,
    )


def _dates(facet: Facet, cells: list[FieldValue], items: int) -> Facet | None:
    days = [date.fromisoformat(c).toordinal() for c in cells if isinstance(c, str)]
    if not days:
        return None
    return replace(facet, coverage=len(days) / items, low=float(min(days)), high=float(max(days)))


def _tells(facet: Facet, items: int) -> bool:
    """Return whether a key of a free map is worth asking for: common, and not all the same."""
    filled = facet.coverage * items
    if filled < useful(items) - 0.5:
        return False
    if facet.kind in ("categorical", "list"):
        limit = max(0.5 * filled, 10)
        short = sum(len(v) for v, _ in facet.values) / len(facet.values) < 45
        return 1 < len(facet.values) <= limit and short
    if facet.kind == "numeric":
        return facet.low != facet.high
    return facet.kind == "date" or len(facet.values) > 1
