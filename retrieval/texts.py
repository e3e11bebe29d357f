"""The text of an item that the encoder sees."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.catalog import Facet, Item, Role, by_role

TEXT_FORMAT = 1
"""Grows when `item_text` changes, so that vectors made of the old text are not reused."""


def leading_facets(facets: tuple[Facet, ...]) -> tuple[str, ...]:
    """Return the facets that come right after the title: what it is, whose, which colour."""
    found = [facet.name for role in _LEADING for facet in by_role(facets, role)]
    return tuple(dict.fromkeys(found))


_LEADING: tuple[Role, ...] = ("category", "brand", "colour")


def item_text(item: Item, leading: Sequence[str] = ()) -> str:
    """Return title, leading values, description and all other text values, in this order.

    An encoder reads only the beginning of a long text, so what identifies the item comes first.
    """
    others = [name for name in item.fields if name not in leading]
    parts = [item.title, *_values(item, leading), item.description, *_values(item, others)]
    return ". ".join(part for part in dict.fromkeys(part.strip() for part in parts) if part)


def _values(item: Item, names: Sequence[str]) -> list[str]:
    found = (", ".join(value for value in item.values(name) if isinstance(value, str))
             for name in names)  # fmt: skip
    return [value for value in found if value]
