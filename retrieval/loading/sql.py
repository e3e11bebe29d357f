"""Rows of a SQL query, written as URL::SELECT … with any SQLAlchemy URL."""

from __future__ import annotations

from collections.abc import Iterator

from retrieval.errors import CatalogError
from retrieval.loading.binary import shown
from retrieval.loading.records import Reject, Row

SEPARATOR = "::"


def sql_rows(source: str) -> Iterator[Row | Reject]:
    """Yield the rows of a query, streamed from the database.

    Raises:
        CatalogError: If the database cannot be reached or the query fails.
    """
    import sqlalchemy as sa
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    url, query = (part.strip() for part in source.split(SEPARATOR, 1))
    name = shown(url)
    if not query.lower().startswith(("select", "with", "values", "table", "from")):
        raise CatalogError(f"expected a SELECT after {SEPARATOR!r}, got {query[:60]!r}")
    try:
        engine = sa.create_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise CatalogError(f"cannot use the database URL {name!r}: {error}") from error
    if url.startswith("sqlite:///") and not _exists(engine.url.database):
        raise CatalogError(f"no such database file: {engine.url.database!r}")
    try:
        with engine.connect().execution_options(stream_results=True, yield_per=1000) as connection:
            result = connection.execute(sa.text(query.replace(":", r"\:")))
            for number, row in enumerate(result.mappings(), 1):
                yield Row(name, number, {str(key): value for key, value in row.items()})
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise CatalogError(f"the query on {name!r} failed: {shown(reason)}") from error
    finally:
        engine.dispose()


def _exists(database: str | None) -> bool:
    from pathlib import Path

    return not database or database == ":memory:" or Path(database).exists()
