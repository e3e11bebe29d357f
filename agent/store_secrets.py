"""A store and its secrets: checked when it opens, names hashed, texts encrypted anew.

A store remembers by fingerprints what it was written with, so that a wrong or missing secret is an
error when it opens rather than users who are not found and texts in clear among encrypted ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Table,
    and_,
    insert,
    select,
    text,
    tuple_,
    type_coerce,
    update,
)  # fmt: skip

from agent import tables
from agent.database import Database
from agent.errors import StoreError
from agent.privacy.secrets import PREFIX, Secrets
from agent.sealed import MARK, SealedJson, SealedText, install, is_sealed, opened

_LOCK = 4_702_112
_PROBE = "attune"
BATCH = 500


def adopt(database: Database, secrets: Secrets) -> None:
    """Check the secrets of a store that opens; the first ones given are its own from then on.

    Names stored before there was a secret are hashed now.

    Raises:
        StoreError: If the store was written with others.
    """
    hashed = False
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        known = _checked(connection, secrets, database.where)
        if secrets.fingerprint is not None and "user" not in known:
            hashed = _hash_names(connection, secrets)
            _remember(connection, "user", secrets.fingerprint)
        if secrets.sealer is not None:
            if "text" not in known:
                _remember(connection, "text", MARK + secrets.sealer.seal(_PROBE))
            install(database.engine, secrets.sealer)
    if hashed:
        database.erase()


def check(database: Database, secrets: Secrets) -> None:
    """Check the secrets of a store, and change nothing.

    Raises:
        StoreError: If the store was written with others.
    """
    with database.read() as connection:
        _checked(connection, secrets, database.where)


def _checked(connection: Connection, secrets: Secrets, where: str) -> dict[str, str]:
    """Return the fingerprints of a store whose secrets these are."""
    known = {row.name: row.fingerprint for row in connection.execute(select(tables.secrets))}
    _check_user(known.get("user"), secrets, where)
    _check_text(known.get("text"), secrets, where)
    return known


def _remember(connection: Connection, name: str, fingerprint: str) -> None:
    connection.execute(insert(tables.secrets).values(name=name, fingerprint=fingerprint))


def _check_user(known: str | None, secrets: Secrets, where: str) -> None:
    if known is None or known == secrets.fingerprint:
        return
    given = "none is given" if secrets.user is None else "another one is given"
    raise StoreError(
        f"session store {where}: its user ids are hashed with a secret, and {given}; set "
        "ATTUNE_USER_SECRET to the one it was written with (by default in user.secret of the "
        "project)"
    )


def _check_text(known: str | None, secrets: Secrets, where: str) -> None:
    if known is None:
        return
    try:
        opened(known, secrets.sealer)
    except StoreError as error:
        raise StoreError(f"session store {where}: {error}") from error


def _hash_names(connection: Connection, secrets: Secrets) -> bool:
    """Hash what stands in clear; return whether anything did."""
    own = tables.sessions
    clear = and_(own.c.user.is_not(None), ~own.c.user.startswith(PREFIX, autoescape=True))
    names = list(connection.scalars(select(own.c.user).where(clear).distinct()))
    for name in names:
        query = update(own).where(own.c.user == name)
        connection.execute(query.values(user=secrets.stored(name)))
    return bool(names)


SEALED: tuple[tuple[Table, tuple[str, ...]], ...] = tuple(
    (table, columns)
    for table in tables.metadata.sorted_tables
    if (columns := tuple(column.name for column in table.columns
                         if isinstance(column.type, SealedText | SealedJson)))
)  # fmt: skip
"""Tables with columns that hold what was said, and which."""


def encrypt(database: Database, secrets: Secrets) -> int:
    """Encrypt with the first key what is not; return how many rows were written anew.

    Turns may be taken meanwhile: each batch is one transaction that holds its rows. Done again
    after a crash, it goes on.

    Raises:
        StoreError: If there is no key, or something was encrypted with one that is not given.
    """
    if secrets.sealer is None:
        raise StoreError("there is no key to encrypt with; set ATTUNE_TEXT_KEY")
    count = sum(_encrypt_table(database, table, columns) for table, columns in SEALED)
    with database.write() as connection:
        fingerprint = MARK + secrets.sealer.seal(_PROBE)
        own = update(tables.secrets).where(tables.secrets.c.name == "text")
        connection.execute(own.values(fingerprint=fingerprint))
    database.erase()
    return count


def _encrypt_table(database: Database, table: Table, columns: Sequence[str]) -> int:
    after: tuple[Any, ...] | None = None
    count = 0
    while True:
        with database.write() as connection:
            rows = _rows(connection, table, columns, after)
            count += sum(_encrypt_row(connection, table, columns, row) for row in rows)
        if len(rows) < BATCH:
            return count
        after = tuple(rows[-1])[: len(table.primary_key.columns)]


def _rows(
    connection: Connection, table: Table, columns: Sequence[str], after: tuple[Any, ...] | None
) -> Sequence[Row[Any]]:
    """Return the next rows, held for writing: keys, then the columns as they stand."""
    keys = list(table.primary_key.columns)
    raw = [type_coerce(table.c[name], _plain(table, name)).label(name) for name in columns]
    query = select(*keys, *raw).order_by(*keys).limit(BATCH).with_for_update()
    if after is not None:
        query = query.where(tuple_(*keys) > after)
    return connection.execute(query).all()


def _plain(table: Table, name: str) -> Any:
    kind = table.c[name].type
    assert isinstance(kind, SealedText | SealedJson)
    return kind.impl_instance


def _encrypt_row(
    connection: Connection, table: Table, columns: Sequence[str], row: Row[Any]
) -> bool:
    found = vars(connection.dialect)["attune_sealer"]
    values: dict[str, Any] = {}
    for name in columns:
        value = row._mapping[name]
        if value is None:
            continue
        if not is_sealed(value):
            values[name] = value
        elif not found.current(value.removeprefix(MARK)):
            kind = table.c[name].type
            assert isinstance(kind, SealedText | SealedJson)
            values[name] = kind.process_result_value(value, connection.dialect)
    if not values:
        return False
    keys = table.primary_key.columns
    own = [column == row._mapping[column.name] for column in keys]
    connection.execute(update(table).where(*own).values(values))
    return True


def clear_rows(database: Database) -> Iterator[tuple[str, int]]:
    """Yield for each table how many rows hold something in clear; none where all is encrypted."""
    with database.read() as connection:
        for table, columns in SEALED:
            raw = [type_coerce(table.c[name], _plain(table, name)) for name in columns]
            rows = connection.execute(select(*raw))
            count = sum(any(v is not None and not is_sealed(v) for v in row) for row in rows)
            if count:
                yield table.name, count
