"""Items as JSON text and back: the stored form. Knows nothing of files or databases."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from retrieval.catalog import FieldValue, Item
from retrieval.errors import CatalogError

_OPTIONAL = ("currency", "image", "url")
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def is_usable_id(id: object) -> bool:
    """Return whether an id is text without control characters or halves of characters."""
    return isinstance(id, str) and id != "" and not _UNUSABLE.search(id)


def dump_item(item: Item) -> str:
    """Return an item as one line of JSON.

    Raises:
        CatalogError: If the id is not a usable string, or a field is of no known type.
    """
    if not is_usable_id(item.id):
        raise CatalogError(f"expected an id of printable characters, got {item.id!r}")
    _check(item)
    data: dict[str, Any] = {"id": item.id, "title": item.title, "fields": dict(item.fields)}
    if item.description:
        data["description"] = item.description
    for name in _OPTIONAL:
        if (value := getattr(item, name)) is not None:
            data[name] = value
    return json.dumps(data, separators=(",", ":"))


def _check(item: Item) -> None:
    """Refuse what would be stored and could not be read again."""
    if not isinstance(item.title, str) or not isinstance(item.description, str):
        raise CatalogError(f"item {item.id!r} needs text as title and description")
    for name, value in item.fields.items():
        parts = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(part, str | int | float) for part in parts):
            raise CatalogError(
                f"item {item.id!r} has {name!r} = {value!r}; expected text, a number, true or "
                f"false, or a tuple of texts (leave a missing field out)"
            )
        if any(isinstance(part, float) and not math.isfinite(part) for part in parts):
            raise CatalogError(
                f"item {item.id!r} has {name!r} = {value!r}; expected a finite number (leave a "
                f"missing field out)"
            )


def load_item(text: str) -> Item:
    """Return the item that `dump_item` wrote."""
    data = json.loads(text)
    fields: dict[str, FieldValue] = data.pop("fields")
    for name, value in fields.items():
        if isinstance(value, list):
            fields[name] = tuple(value)
    return Item(fields=fields, **data)
