"""How healthy the catalog is: what its columns were taken for, what was rejected or is lacking."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.ports import Retriever
from agent.store import Store
from agent.store_looking import shown_items
from retrieval.retriever import Retriever as Project

Json = dict[str, Any]

MOST_REJECTS = 200
MOST_EXAMPLES = 50
_LITTLE = 0.5
"""Coverage below which a facet is said to be lacking."""


def health(retriever: Project, store: Store, folder: Path) -> Json:
    """Return the state of a catalog in figures and lists."""
    shown = shown_items(store.database)
    ids = retriever.index.ids(None)
    never = [id for id in ids if id not in shown]
    return {
        "name": retriever.name, "items": len(ids), "version": retriever.version,
        "currency": retriever.currency,
        "columns": [
            {"column": one.name, "taken for": one.use, "facet": one.facet or "",
             "kind": one.kind or "", "role": one.role or ""}
            for one in retriever.mapping.columns
        ],
        "facets": [
            {"facet": one.name, "label": one.label, "kind": one.kind, "role": one.role or "",
             "coverage": round(one.coverage, 3), "values": len(one.values),
             "lacking": one.coverage < _LITTLE}
            for one in retriever.facets
        ],
        "rejects": list(rejects(folder)),
        "lacking": lacking(retriever),
        "never_shown": len(never),
        "never_shown_examples": _titles(retriever, never[:MOST_EXAMPLES]),
    }  # fmt: skip


def rejects(folder: Path) -> Iterator[Json]:
    """Yield the rows that could not be read when the catalog was indexed, as they were kept."""
    path = folder / "rejects.csv"
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for place, row in enumerate(csv.DictReader(file)):
            if place == MOST_REJECTS:
                return
            yield {str(name): value for name, value in row.items() if name}


def lacking(retriever: Project) -> Json:
    """Return how many items lack what people look for first: a price, a picture, a description."""
    counts = {"price": 0, "picture": 0, "description": 0}
    for item in retriever.items():
        counts["price"] += item.fields.get("price") is None
        counts["picture"] += not item.image
        counts["description"] += not item.description
    return counts


def _titles(retriever: Retriever, ids: list[str]) -> list[Json]:
    return [{"id": item.id, "title": item.title} for item in retriever.get_many(ids)]
