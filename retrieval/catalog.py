"""Items and facets: the pure values of a catalog.

This module does not know where items come from (`retrieval.loading`), where they are kept
(`retrieval.index`) or how people talk about them (`agent.linking`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FacetKind = Literal["categorical", "list", "numeric", "boolean", "date"]

Role = Literal[
    "category",
    "brand",
    "colour",
    "price",
    "rating",
    "popularity",
    "availability",
    "date",
    "audience",
    "size",
    "material",
    "language",
]
"""What a facet means, whatever its column is called. `audience` is whom an item is for (gender,
age group); `popularity` counts people (reviews, ratings, subscribers); `availability` says
whether an item can be had."""

FieldValue = str | float | bool | tuple[str, ...]
"""One field of an item: categorical and date (ISO 8601) `str`, numeric `float`, boolean `bool`,
list `tuple[str, ...]`. A missing value is an absent key, never None or an empty string."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a catalog.

    Args:
        id: The catalog's own id, as a string.
        fields: Facet name to value. The price, in units of `currency` (never cents), is under
            "price"; every other facet is under its column's own name.
        currency: ISO 4217 code of the price, where known.
    """

    id: str
    title: str
    description: str = ""
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    currency: str | None = None
    image: str | None = None
    url: str | None = None

    def values(self, facet: str) -> tuple[FieldValue, ...]:
        """Return the values of a facet as a tuple: empty when missing, one when single."""
        value = self.fields.get(facet)
        if value is None:
            return ()
        return value if isinstance(value, tuple) else (value,)

    def number(self, facet: str) -> float | None:
        """Return a numeric field, or None when it is missing or not a number."""
        value = self.fields.get(facet)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value)


@dataclass(frozen=True, slots=True)
class Facet:
    """One searchable property of a catalog, as inferred from its columns.

    Args:
        name: Key in `Item.fields`; "price" for the price, else the column's own name.
        label: The words shown to people, e.g. "base colour".
        unit: Currency code for a price, else a unit such as "cm" or "hours", where known.
        coverage: Share of items that have a value, 0 to 1.
        values: Value and item count, most frequent first (categorical, list; "true"/"false"
            for boolean). Empty for numeric and date.
        low, high: Smallest and largest value (numeric; ordinal days for date).
        quantiles: The 10 %, 25 %, 50 %, 75 % and 90 % points (numeric).
        derived_from: Name of the text column the values were read out of, if they were.
    """

    name: str
    kind: FacetKind
    label: str
    role: Role | None = None
    unit: str | None = None
    coverage: float = 1.0
    values: tuple[tuple[str, int], ...] = ()
    low: float | None = None
    high: float | None = None
    quantiles: tuple[float, ...] = ()
    derived_from: str | None = None


_FEW = 64
_roles: dict[int, tuple[tuple[Facet, ...], dict[Role, tuple[Facet, ...]]]] = {}
"""What `by_role` found, by the identity of the facets: it is asked for every item of every turn."""


def by_role(facets: tuple[Facet, ...], role: Role) -> tuple[Facet, ...]:
    """Return the facets with a role, the one with the most detail (most values) first."""
    entry = _roles.get(id(facets))
    if entry is None or entry[0] is not facets:  # the tuple is kept, so its id is no other's
        if len(_roles) >= _FEW:
            _roles.clear()
        entry = _roles[id(facets)] = facets, {}
    found = entry[1].get(role)
    if found is None:
        matching = [facet for facet in facets if facet.role == role]
        found = entry[1][role] = tuple(sorted(matching, key=lambda facet: -len(facet.values)))
    return found


def primary(facets: tuple[Facet, ...], role: Role) -> Facet | None:
    """Return the first facet with a role, or None when the catalog has none."""
    matching = by_role(facets, role)
    return matching[0] if matching else None
