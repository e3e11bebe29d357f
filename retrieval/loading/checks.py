"""What a mapping must have before rows are read by it."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.errors import CatalogError
from retrieval.loading.mapping import Mapping
from retrieval.loading.profile import Profile

HOW = 'name it in a mapping file: [columns]\\n{use} = "COLUMN"'


def check(mapping: Mapping, profiles: Sequence[Profile]) -> None:
    """Raise CatalogError when a catalog lacks ids or titles, or no price can be read."""
    top = [p for p in profiles if p.within is None]
    columns = ", ".join(repr(p.name) for p in top)
    if not mapping.using("id"):
        unique = [p.name for p in top if p.filled and p.uniqueness == 1 and p.coverage > 0.99]
        hint = f"; these are different in every row: {', '.join(map(repr, unique))}"
        raise CatalogError(
            f"no column is clearly the id of an item (columns: {columns})"
            + (hint if unique else "; no column is different in every row")
            + '; name one in a mapping file under [columns], e.g. id = "COLUMN"'
        )
    if not mapping.using("title"):
        raise CatalogError(
            f"no column is clearly the title of an item (columns: {columns}); name one in a "
            'mapping file under [columns], e.g. title = "COLUMN"'
        )
    prices = {column.name for column in mapping.using("price")}
    found = [p for p in top if p.name in prices]
    broken = [p for p in found if p.filled and p.prices == 0]
    if found and len(broken) == len(found):
        p = broken[0]
        shown = ", ".join(repr(text[:30]) for text in p.texts[:3])
        raise CatalogError(
            f"none of the {p.filled} prices in column {p.name!r} can be read, e.g. {shown}; "
            "expected numbers such as 12.50, 1.299,00 or €5; "
            "correct them, or set another price column or "
            f'ignore = ["{p.name}"] in a mapping file under [columns]'
        )
