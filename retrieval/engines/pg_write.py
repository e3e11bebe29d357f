"""Writes items into the tables of an index, in one transaction. One writer at a time calls this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retrieval.catalog import Item
from retrieval.engines.pg_rows import (
    COPY_END,
    COPY_HEADER,
    FacetUse,
    Postings,
    columns_of,
    posting_records,
    postings_of,
    storable,
    uses_of,
    vector_records,
)
from retrieval.engines.pg_schema import Tables
from retrieval.item_json import is_usable_id, load_item
from retrieval.query import Vectors

if TYPE_CHECKING:
    from retrieval.engines.pg_link import Connection

_COPY_ITEMS = "COPY {items} (row, id, keys, fields, words, said, body) FROM STDIN"
_COPY_VECTORS = "COPY {vectors} (row, embedding) FROM STDIN (FORMAT BINARY)"
_COPY_TERMS = "COPY {terms} (stem, row, count, length) FROM STDIN (FORMAT BINARY)"


@dataclass(frozen=True, slots=True)
class Batch:
    """Items to write, as the tables take them. Made before anything is locked.

    Raises:
        CatalogError: If an item cannot be stored.
    """

    ids: list[str]
    columns: list[tuple[str, str, str, str, str, str]]
    postings: list[Postings]
    uses: Mapping[str, FacetUse]
    vectors: Vectors

    @classmethod
    def of(cls, items: Sequence[Item], vectors: Vectors) -> Batch:
        """Return items with their vectors; the last one of an id wins."""
        last = {item.id: place for place, item in enumerate(items)}
        if len(last) < len(items):
            items, vectors = [items[place] for place in last.values()], vectors[[*last.values()]]
        columns = [columns_of(item) for item in items]
        postings = [postings_of(item) for item in items]
        return cls(list(last), columns, postings, uses_of(items), vectors)


@dataclass(slots=True)
class Change:
    """What a write does to the statistics of BM25."""

    items: int = 0
    tokens: int = 0
    stems: Counter[int] = field(default_factory=Counter)

    def add(self, postings: Postings, sign: int) -> None:
        """Count the postings of an item in (1) or out (-1)."""
        self.tokens += sign * postings.length
        for stem in postings.counts:
            self.stems[stem] += sign


def apply(connection: Connection, tables: Tables, batch: Batch, delete: Sequence[str]) -> int:
    """Delete and then write items, all or nothing; return how many were deleted."""
    change = Change()
    with connection.transaction():
        deleted = _delete(connection, tables, delete, change)
        if batch.ids:
            _upsert(connection, tables, batch, change)
        if deleted or batch.ids:
            _count(connection, tables, change)
    return deleted


def _run(connection: Connection, tables: Tables, text: str, *args: Any) -> list[tuple[Any, ...]]:
    cursor = connection.execute(tables.fill(text), args)
    return cursor.fetchall() if cursor.description else []


def _copy(connection: Connection, tables: Tables, text: str, records: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(tables.fill(text)) as copy:
        copy.write(COPY_HEADER + records + COPY_END)


def _stored(
    connection: Connection, tables: Tables, ids: Sequence[str]
) -> dict[str, tuple[int, str]]:
    """Return row and body of the items that are there, by id."""
    found = _run(connection, tables, "SELECT id, row, body FROM {items} WHERE id = ANY(%s)", ids)
    return {id: (row, body) for id, row, body in found}


def _delete(connection: Connection, tables: Tables, ids: Sequence[str], change: Change) -> int:
    usable = [id for id in dict.fromkeys(ids) if is_usable_id(id)]
    if not usable:
        return 0
    stored = _stored(connection, tables, usable)
    postings = {row: postings_of(load_item(body)) for row, body in stored.values()}
    _remove_postings(connection, tables, postings, change)
    rows = list(postings)
    _run(connection, tables, "DELETE FROM {vectors} WHERE row = ANY(%s)", rows)
    _run(connection, tables, "DELETE FROM {items} WHERE row = ANY(%s)", rows)
    change.items -= len(rows)
    return len(rows)


def _remove_postings(
    connection: Connection, tables: Tables, postings: Mapping[int, Postings], change: Change
) -> None:
    stems: list[int] = []
    rows: list[int] = []
    for row, posting in postings.items():
        change.add(posting, -1)
        stems += posting.counts
        rows += [row] * len(posting.counts)
    if rows:
        _run(
            connection,
            tables,
            "DELETE FROM {terms} AS t USING unnest(%s::int[], %s::int[]) AS gone(stem, row) "
            "WHERE t.stem = gone.stem AND t.row = gone.row",
            stems,
            rows,
        )


def _upsert(connection: Connection, tables: Tables, batch: Batch, change: Change) -> None:
    stored = _stored(connection, tables, batch.ids)
    last = int(_run(connection, tables, "SELECT last_row FROM {meta}")[0][0])
    rows: list[int] = []
    for id in batch.ids:
        last += id not in stored
        rows.append(stored[id][0] if id in stored else last)
    _run(connection, tables, "UPDATE {meta} SET last_row = %s", last)
    change.items += len(rows) - len(stored)
    _write_items(connection, tables, batch, rows, stored)
    _write_vectors(connection, tables, batch, rows, stored)
    _write_postings(connection, tables, batch, rows, stored, change)
    _write_uses(connection, tables, batch.uses)


def _write_items(
    connection: Connection,
    tables: Tables,
    batch: Batch,
    rows: list[int],
    stored: Mapping[str, tuple[int, str]],
) -> None:
    changed = [
        (row, *columns)
        for row, columns in zip(rows, batch.columns, strict=True)
        if stored.get(columns[0], (0, ""))[1] != columns[-1]
    ]
    replaced = [row for row, id, *_ in changed if id in stored]
    if replaced:
        _run(connection, tables, "DELETE FROM {items} WHERE row = ANY(%s)", replaced)
    with connection.cursor() as cursor, cursor.copy(tables.fill(_COPY_ITEMS)) as copy:
        for record in changed:
            copy.write_row(record)


def _write_vectors(
    connection: Connection,
    tables: Tables,
    batch: Batch,
    rows: list[int],
    stored: Mapping[str, tuple[int, str]],
) -> None:
    """Write the vectors that are new or others than before: each costs a walk through the graph."""
    there = [row for row, _ in stored.values()]
    old: dict[int, bytes] = {}
    if there:
        query = "SELECT row, vector_send(embedding) FROM {vectors} WHERE row = ANY(%s)"
        old = dict(_run(connection, tables, query, there))
    new = batch.vectors.astype(">f4")
    # The server's form of a vector begins with its dimension, in four bytes.
    places = [
        place
        for place, row in enumerate(rows)
        if row not in old or old[row][4:] != new[place].tobytes()
    ]
    chosen = [rows[place] for place in places]
    if replaced := [row for row in chosen if row in old]:
        _run(connection, tables, "DELETE FROM {vectors} WHERE row = ANY(%s)", replaced)
    if chosen:
        records = vector_records(chosen, batch.vectors[places])
        _copy(connection, tables, _COPY_VECTORS, records)


def _write_postings(
    connection: Connection,
    tables: Tables,
    batch: Batch,
    rows: list[int],
    stored: Mapping[str, tuple[int, str]],
    change: Change,
) -> None:
    """Write the postings of new items and of those that say something else than before."""
    gone: dict[int, Postings] = {}
    new: dict[int, Postings] = {}
    for id, row, columns, postings in zip(
        batch.ids, rows, batch.columns, batch.postings, strict=True
    ):
        if id in stored and stored[id][1] != columns[-1]:
            before = postings_of(load_item(stored[id][1]))
            if before == postings:
                continue
            gone[row] = before
        elif id in stored:
            continue
        new[row] = postings
        change.add(postings, 1)
    _remove_postings(connection, tables, gone, change)
    if new:
        _copy(connection, tables, _COPY_TERMS, posting_records(new))


def _write_uses(connection: Connection, tables: Tables, uses: Mapping[str, FacetUse]) -> None:
    names = sorted(uses)
    _run(
        connection,
        tables,
        """INSERT INTO {facets} AS f (name, numbers, dates, lists)
        SELECT * FROM unnest(%s::text[], %s::bool[], %s::bool[], %s::bool[])
        ON CONFLICT (name) DO UPDATE SET numbers = f.numbers OR excluded.numbers,
        dates = f.dates OR excluded.dates, lists = f.lists OR excluded.lists
        WHERE (f.numbers, f.dates, f.lists) IS DISTINCT FROM (f.numbers OR excluded.numbers,
        f.dates OR excluded.dates, f.lists OR excluded.lists)""",
        [storable(name) for name in names],
        [uses[name].numbers for name in names],
        [uses[name].dates for name in names],
        [uses[name].lists for name in names],
    )


def _count(connection: Connection, tables: Tables, change: Change) -> None:
    stems = sorted(stem for stem, count in change.stems.items() if count)
    if stems:
        _run(
            connection,
            tables,
            """INSERT INTO {stems} AS s (stem, items) SELECT * FROM unnest(%s::int[], %s::int[])
            ON CONFLICT (stem) DO UPDATE SET items = s.items + excluded.items""",
            stems,
            [change.stems[stem] for stem in stems],
        )
    _run(
        connection,
        tables,
        "UPDATE {meta} SET version = version + 1, items = items + %s, tokens = tokens + %s",
        change.items,
        change.tokens,
    )
