"""Rows with the same id: one item listed several times, or a conflict."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from retrieval.catalog import FieldValue, Item
from retrieval.loading import values
from retrieval.loading.mapping import Mapping


def mergeable(mapping: Mapping, rows: list[dict[str, Any]]) -> Mapping:
    """Return a mapping in which a column that alone tells repeated ids apart is a list.

    Shops list an item under several categories by repeating its row.
    """
    ids = mapping.using("id")
    if not ids:
        return mapping
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        cell = row.get(ids[0].name)
        if isinstance(cell, str | int) and not values.missing(cell):
            groups.setdefault(cell, []).append(row)
    alone: Counter[str] = Counter()
    several = [group for group in groups.values() if len(group) > 1]
    for group in several:
        names = [n for n in group[0] if any(r.get(n) != group[0].get(n) for r in group[1:])]
        if len(names) == 1:
            alone[names[0]] += 1
    differing = {name for name, count in alone.items() if count >= 0.5 * len(several)}
    columns = tuple(
        replace(c, kind="list") if c.name in differing and c.kind == "categorical" else c
        for c in mapping.columns
    )
    return replace(mapping, columns=columns)


def merge(first: Item, second: Item, lists: frozenset[str]) -> Item | None:
    """Return one item for two rows of the same id, joining list fields; None on a conflict."""
    if replace(first, fields={}) != replace(second, fields={}):
        return None
    fields: dict[str, FieldValue] = dict(first.fields)
    if fields.keys() != second.fields.keys():
        return None
    for name, value in second.fields.items():
        own = fields[name]
        if own == value:
            continue
        if name not in lists or not isinstance(own, tuple) or not isinstance(value, tuple):
            return None
        fields[name] = tuple(dict.fromkeys(own + value))
    return replace(first, fields=fields)
