"""Whether items fit the facets of a catalog: no text among the prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from retrieval.catalog import Facet, FieldValue, Item
from retrieval.errors import CatalogError

_WANTED = {
    "numeric": "a number",
    "boolean": "true or false",
    "date": "a date as YYYY-MM-DD",
}


def check_kinds(items: Iterable[Item], facets: Sequence[Facet]) -> None:
    """Check that numeric, boolean and date facets get what they hold.

    Raises:
        CatalogError: Names the first item and field that do not fit.
    """
    kinds = {facet.name: facet.kind for facet in facets if facet.kind in _WANTED}
    for item in items:
        for name in kinds.keys() & item.fields.keys():
            if not _fits(kinds[name], item.fields[name]):
                raise CatalogError(
                    f"item {item.id!r} has {name!r} = {item.fields[name]!r}; this catalog's "
                    f"{name!r} is {kinds[name]}, expected {_WANTED[kinds[name]]}: correct it, or "
                    f"give it under another name"
                )


def _fits(kind: str, value: FieldValue) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "numeric":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and _is_date(value)


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return True
