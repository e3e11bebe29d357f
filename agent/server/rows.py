"""Rows that clients send, in the catalog's own columns or in the form that GET /v1/items gives."""

from __future__ import annotations

import json
from collections.abc import Mapping as Row
from typing import Annotated, Any

from pydantic import AfterValidator

from retrieval.catalog import Facet, Item, Role, primary
from retrieval.errors import RowError
from retrieval.item_json import dump_item, load_item
from retrieval.loading.mapping import Mapping
from retrieval.loading.rows import item_from_row

ROLES: tuple[Role, ...] = ("brand", "category", "availability")
"""What the HTTP form calls by its role; the catalog has its own name for the facet."""


def read_row(row: Any, mapping: Mapping, facets: tuple[Facet, ...]) -> Item:
    """Return the item of a row.

    Raises:
        RowError: If it is no object, has no id or title, or a field cannot be read.
    """
    if not isinstance(row, Row):
        raise RowError("", "expected an object with the item's fields", str(row)[:80])
    try:
        whole(row)
    except ValueError as error:
        raise RowError("", str(error)) from error
    own = {column.name for column in mapping.columns}
    names: dict[str, str] = {}
    for role in ROLES:
        facet = primary(facets, role)
        if facet is not None and role not in own:
            names[role] = facet.name
    return item_from_row(
        {names.get(str(key), str(key)): value for key, value in row.items()}, mapping
    )


def read_stored(row: Any, facets: tuple[Facet, ...]) -> Item:
    """Return the item of a row in the form the catalog keeps (`retrieval.item_json`).

    Raises:
        CatalogError: If it is not in that form, or what is a number in the catalog is none.
    """
    if not isinstance(row, Row):
        raise RowError("", "expected an object with the item's fields", str(row)[:80])
    try:
        item = load_item(json.dumps(whole({"fields": {}, **row})))
        texts = (item.currency, item.image, item.url)
        if not all(text is None or isinstance(text, str) for text in texts):
            raise ValueError("currency, image and url are text")
        stored = load_item(dump_item(item))
    except (AttributeError, TypeError, ValueError) as error:
        raise RowError("", f"not in the stored form: {error}", str(row)[:80]) from error
    _check_numbers(stored, facets)
    return stored


def _check_numbers(item: Item, facets: tuple[Facet, ...]) -> None:
    for facet in facets:
        value = item.fields.get(facet.name)
        if facet.kind != "numeric" or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RowError(facet.name, "not a number", str(value)[:80])
        if facet.role == "price" and value < 0:
            raise RowError(facet.name, "a price below zero", str(value)[:80])


def whole(value: Any) -> Any:
    """Refuse lone surrogates, which JSON can spell and no file can hold."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a character (a lone surrogate)") from error
    return value


ItemId = Annotated[str, AfterValidator(whole)]
