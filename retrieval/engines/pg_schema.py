"""The tables of an index in PostgreSQL: made, checked and indexed. Knows no items and no queries.

| table | a row is |
|---|---|
| `NAME_meta` | the index: format, encoder, version, totals; one row |
| `NAME_items` | an item: what filters compare, and its stored form |
| `NAME_vectors` | its vector, apart, so that filters do not read it |
| `NAME_terms` | a posting: how often an item has a stem |
| `NAME_stems` | how many items have a stem |
| `NAME_facets` | a facet, and what kinds of values it has had |

`row` numbers items in order of insertion; a replaced item keeps its number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieval.engines.pg_filters import FIELD, NUMBER, WRITTEN
from retrieval.errors import EncoderMismatch, IndexError_

if TYPE_CHECKING:
    from retrieval.engines.pg_link import Connection

FORMAT = 1
OLDEST_PGVECTOR = (0, 8)
"""The first with iterative scans, without which a filter leaves holes in the answers."""
ANN_MINIMUM = 10_000
"""Below so many items no graph is built: comparing all is as quick."""
M, EF_CONSTRUCTION = 24, 200
HALF_DIMENSIONS = 4000
"""pgvector indexes no longer ones."""
FACET_INDEXES = 16
SMALLEST_BUILD, LARGEST_BUILD = 64 << 20, 4 << 30
"""Bounds of the memory that building an index may take, bytes."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,47}")


@dataclass(frozen=True, slots=True)
class Tables:
    """Names of the tables of an index.

    Raises:
        IndexError_: If the name is no plain lower-case identifier.
    """

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise IndexError_(
                f"expected an index name of a-z, 0-9 and _, not starting with a digit, at most 48 "
                f"characters, got {self.name!r}"
            )

    def fill(self, text: str) -> bytes:
        """Return SQL with `{items}` and the like replaced by the names of the tables."""
        parts = ("meta", "items", "vectors", "terms", "stems", "facets", "hnsw")
        for part in parts:
            text = text.replace(f"{{{part}}}", f"{self.name}_{part}")
        return text.encode()


_CREATE = """
CREATE TABLE {meta} (
    format integer NOT NULL, encoder text NOT NULL, dimension integer NOT NULL,
    version bigint NOT NULL DEFAULT 0, mark bigint NOT NULL DEFAULT -1,
    last_row integer NOT NULL DEFAULT 0, items bigint NOT NULL DEFAULT 0,
    tokens bigint NOT NULL DEFAULT 0
);
CREATE TABLE {items} (
    row integer PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE,
    keys jsonb STORAGE MAIN NOT NULL, fields jsonb STORAGE MAIN NOT NULL,
    words text COLLATE "C" NOT NULL, said jsonb NOT NULL, body text NOT NULL
) WITH (toast_tuple_target = 128);
CREATE TABLE {vectors} (
    row integer PRIMARY KEY, embedding vector(DIMENSION) STORAGE STORAGE_OF_VECTORS NOT NULL
);
CREATE TABLE {terms} (
    stem integer NOT NULL, row integer NOT NULL, count integer NOT NULL, length integer NOT NULL,
    PRIMARY KEY (stem, row) INCLUDE (count, length)
);
CREATE TABLE {stems} (stem integer PRIMARY KEY, items integer NOT NULL) WITH (fillfactor = 50);
CREATE TABLE {facets} (
    name text COLLATE "C" PRIMARY KEY, number integer GENERATED ALWAYS AS IDENTITY,
    numbers boolean NOT NULL, dates boolean NOT NULL, lists boolean NOT NULL
);
"""
INLINE_DIMENSIONS = 1900
"""Vectors up to this size lie in the row itself, where they are read quickest."""


def prepare(connection: Connection, tables: Tables, encoder: str, dimension: int) -> None:
    """Make the tables where they are missing.

    Raises:
        IndexError_: If pgvector is missing or too old, or the dimension too large to index.
    """
    _extend(connection)
    if not 1 <= dimension <= HALF_DIMENSIONS:
        raise IndexError_(f"pgvector indexes up to {HALF_DIMENSIONS} dimensions, got {dimension}")
    if _has_tables(connection, tables):
        return
    storage = "PLAIN" if dimension <= INLINE_DIMENSIONS else "EXTERNAL"
    create = _CREATE.replace("STORAGE_OF_VECTORS", storage).replace("DIMENSION", str(dimension))
    with connection.transaction():
        connection.execute(tables.fill(create))
        connection.execute(
            tables.fill("INSERT INTO {meta} (format, encoder, dimension) VALUES (%s, %s, %s)"),
            (FORMAT, encoder, dimension),
        )


def _extend(connection: Connection) -> None:
    import psycopg

    query = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
    row = connection.execute(query).fetchone()
    if row is None:
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        except psycopg.Error as error:
            raise IndexError_(
                f"the database has no pgvector, and it could not be added "
                f"({str(error).splitlines()[0]}); install the server's pgvector package and run "
                f"CREATE EXTENSION vector as a user who may"
            ) from error
        row = connection.execute(query).fetchone()
    version = str(row[0]) if row else "0"
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST_PGVECTOR:
        raise IndexError_(
            f"expected pgvector 0.8 or newer, the database has {version}; update the server's "
            f"package and run ALTER EXTENSION vector UPDATE"
        )


def _has_tables(connection: Connection, tables: Tables) -> bool:
    row = connection.execute(tables.fill("SELECT to_regclass('{meta}') IS NOT NULL")).fetchone()
    return bool(row and row[0])


def check(connection: Connection, tables: Tables, where: str, encoder: str, dimension: int) -> None:
    """Check that the tables are there, of this format, and of this encoder.

    Raises:
        IndexError_: If they are not.
        EncoderMismatch: If they were made with another encoder or dimension.
    """
    if not _has_tables(connection, tables):
        raise IndexError_(
            f"no index {tables.name!r} at {where}: it has no table {tables.name}_meta; "
            f"index a catalog there first, or check URL and name"
        )
    query = tables.fill("SELECT format, encoder, dimension FROM {meta}")
    row = connection.execute(query).fetchone()
    if row is None:
        raise IndexError_(f"the index {tables.name!r} at {where} is damaged: no row in its meta")
    if row[0] > FORMAT:
        raise IndexError_(
            f"the index {tables.name!r} at {where} has format {row[0]}, this version reads up to "
            f"{FORMAT}: it was written by a newer version; update attune"
        )
    if (row[1], row[2]) != (encoder, dimension):
        raise EncoderMismatch(
            f"the index {tables.name!r} at {where} was built with encoder {row[1]!r} of dimension "
            f"{row[2]}, got {encoder!r} of dimension {dimension}; use that encoder or index again"
        )


# Indexes


def index_all(connection: Connection, tables: Tables) -> None:
    """Make the indexes that are missing and worth it, and refresh the planner's statistics."""
    row = connection.execute(tables.fill("SELECT items, dimension FROM {meta}")).fetchone()
    items, dimension = row if row else (0, 0)
    # A graph's node holds a half vector, its neighbours and some bookkeeping.
    memory = min(max(items * (2 * dimension + 400), SMALLEST_BUILD), LARGEST_BUILD)
    _setting(connection, "maintenance_work_mem", f"{memory >> 10}kB")
    if items >= ANN_MINIMUM:
        connection.execute(
            tables.fill(
                "CREATE INDEX IF NOT EXISTS {items}_keys ON {items} USING gin (keys jsonb_path_ops)"
            )
        )
        _index_facets(connection, tables)
        _index_vectors(connection, tables, dimension)
    # Vacuuming lets postings be read from their index alone. A graph is repaired only when it must.
    for table in ("items", "terms", "stems"):
        connection.execute(tables.fill(f"VACUUM (ANALYZE) {{{table}}}"))
    connection.execute(tables.fill("ANALYZE {vectors}"))


def _index_facets(connection: Connection, tables: Tables) -> None:
    """Index the facets that can be ordered, so that ranges and sorting need not read all items."""
    from psycopg import sql

    facets = connection.execute(
        tables.fill(
            "SELECT name, number, numbers FROM {facets} WHERE numbers OR dates "
            "ORDER BY number LIMIT %s"
        ),
        (FACET_INDEXES,),
    ).fetchall()
    for name, number, numbers in facets:
        field = FIELD.replace("i.fields", "fields").replace("%s", "{facet}")
        value = (NUMBER if numbers else WRITTEN).format(field).replace("'{}'", "'{{}}'")
        statement = sql.SQL("CREATE INDEX IF NOT EXISTS {index} ON {items} ((" + value + "))")
        connection.execute(
            statement.format(
                index=sql.Identifier(f"{tables.name}_facet_{number}"),
                items=sql.Identifier(f"{tables.name}_items"),
                facet=sql.Literal(name),
            )
        )


def _index_vectors(connection: Connection, tables: Tables, dimension: int) -> None:
    """Build the graph over half vectors; what it finds is compared again with whole ones."""
    import psycopg

    create = tables.fill(
        f"CREATE INDEX IF NOT EXISTS {{hnsw}} ON {{vectors}} USING hnsw "
        f"((embedding::halfvec({dimension})) halfvec_ip_ops) "
        f"WITH (m = {M}, ef_construction = {EF_CONSTRUCTION})"
    )
    _setting(connection, "max_parallel_maintenance_workers", "7")
    try:
        connection.execute(create)
    except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory):
        # Workers share memory that a container may not have; one process does with its own.
        _setting(connection, "max_parallel_maintenance_workers", "0")
        connection.execute(create)


def _setting(connection: Connection, name: str, value: str) -> None:
    connection.execute("SELECT set_config(%s, %s, false)", (name, value))
