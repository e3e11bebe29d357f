"""What is known about the fields of a collection: kinds of value, and which have indexes.

One point per field beside the one of `retrieval.engines.qdrant_meta`. Numbers, dates and facets
need an index for each field. Fields that many items have get theirs before those items are written;
others do without: a search looks at the few items that have the field.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from retrieval.catalog import Item
from retrieval.engines.qdrant_collection import Collection
from retrieval.engines.qdrant_payload import (
    has_field,
    key_of,
    kinds_of,
    point_id,
    restored,
    storable,
)
from retrieval.engines.qdrant_schema import index_form
from retrieval.engines.qdrant_server import Server

INDEXED = "indexed"
"""Stands among the kinds of a field that has indexes."""
SHARE = 0.05
"""Share of all items that must have a field for it to get indexes."""
INDEXED_FIELDS = 64
"""So many fields at most have indexes; each costs the server memory and time."""
_FORMS = {"number": "n", "date": "d"}

Kinds = frozenset[str]


def _point(field: str) -> str:
    return point_id(f"field {key_of(field)}")


class Fields:
    """The fields of a collection as its meta collection knows them."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._items = name
        self._points = f"{name}__meta"

    def get(self, field: str) -> Kinds:
        """Return the kinds of value a field has had, and `INDEXED`; nothing if it is unknown."""
        found = self._server.ask(
            "retrieve", collection_name=self._points, ids=[_point(field)], with_payload=["kinds"]
        )
        return frozenset(found[0].payload["kinds"]) if found else frozenset()

    def load(self) -> dict[str, Kinds]:
        """Return all fields with their kinds."""
        points = Collection(self._server, self._points)
        found = points.scan({"must_not": [{"is_empty": {"key": "kinds"}}]}, ["field", "kinds"])
        return {
            restored(record.payload["field"]): frozenset(record.payload["kinds"])
            for record in found
        }

    def learn(self, known: dict[str, Kinds], items: Sequence[Item], total: int) -> None:
        """Add what items bring to the fields known, and make the indexes that are due.

        Args:
            total: How many items there will be with these.
        """
        brought = [kinds_of(item) for item in items]
        counts = Counter(field for kinds in brought for field in kinds)
        grown = {field: set(known.get(field, ())) for field in counts}
        for kinds in brought:
            for field, found in kinds.items():
                grown[field] |= found
        room = INDEXED_FIELDS - sum(INDEXED in kinds for kinds in known.values())
        for field, count in counts.most_common():
            if room > 0 and INDEXED not in grown[field] and count >= SHARE * total:
                grown[field].add(INDEXED)
                room -= 1
        self._keep(known, grown)

    def index_common(self, known: dict[str, Kinds], items: Collection, total: int) -> None:
        """Make indexes for fields that many items have by now."""
        room = INDEXED_FIELDS - sum(INDEXED in kinds for kinds in known.values())
        names = {has_field(key_of(field)): field for field in known}
        grown: dict[str, set[str]] = {}
        for mark, count in items.facet("e", True, len(names) * 3):
            field = names.get(mark, "")
            due = count >= SHARE * total and INDEXED not in known.get(field, {INDEXED})
            if due and len(grown) < room:
                grown[field] = {*known[field], INDEXED}
        self._keep(known, grown)

    def _keep(self, known: dict[str, Kinds], grown: Mapping[str, Iterable[str]]) -> None:
        new = {f: frozenset(k) for f, k in grown.items() if known.get(f) != frozenset(k)}
        for field, kinds in new.items():
            for form in sorted(_forms(kinds) - _forms(known.get(field, frozenset()))):
                index_form(self._server, self._items, form, key_of(field))
        self._store(new)
        known.update(new)

    def _store(self, new: Mapping[str, Kinds]) -> None:
        from qdrant_client import models

        points = [
            models.PointStruct(
                id=_point(field),
                vector={},
                payload={"field": storable(field), "kinds": sorted(kinds)},
            )
            for field, kinds in new.items()
        ]
        if points:
            self._server.ask("upsert", collection_name=self._points, points=points, wait=True)


def _forms(kinds: Kinds) -> set[str]:
    """Return the forms of a field that have an index."""
    if INDEXED not in kinds:
        return set()
    return {"v"} | {_FORMS[kind] for kind in kinds & _FORMS.keys()}
