"""Items as JSON text and back: the stored form. Knows nothing of files or databases."""

from __future__ import annotations

import json
from typing import Any

from retrieval.catalog import FieldValue, Item
from retrieval.errors import CatalogError

_OPTIONAL = ("currency", "image", "url")


def dump_item(item: Item) -> str:
    """Return an item as one line of JSON.

    Raises:
        CatalogError: If the id is not a usable string, or a field is of no known type.
    """
    if not isinstance(item.id, str) or not item.id or not item.id.isprintable():
        raise CatalogError(f"expected an id of printable characters, got {item.id!r}")
    data: dict[str, Any] = {"id": item.id, "title": item.title, "fields": dict(item.fields)}
    if item.description:
        data["description"] = item.description
    for name in _OPTIONAL:
        if (value := getattr(item, name)) is not None:
            data[name] = value
    try:
        return json.dumps(data, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise CatalogError(
            f"item {item.id!r} has a field that cannot be stored: {error}"
        ) from error


def load_item(text: str) -> Item:
    """Return the item that `dump_item` wrote."""
    data = json.loads(text)
    fields: dict[str, FieldValue] = data.pop("fields")
    for name, value in fields.items():
        if isinstance(value, list):
            fields[name] = tuple(value)
    return Item(fields=fields, **data)
