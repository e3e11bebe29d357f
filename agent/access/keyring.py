"""The API keys of one store: added, listed, revoked, and looked up from memory.

Every process keeps a copy of the table for `FRESH_S` seconds, so a request costs no query, and a
key that is revoked anywhere opens nothing anywhere after that time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from agent import tables
from agent.access.errors import UnknownKey
from agent.access.keys import DEFAULT_TENANT, ApiKey, Scope, new_key
from agent.database import Database

FRESH_S = 2.0


class Keyring:
    """The keys of one tenant. Safe to share across threads.

    Args:
        fresh_s: How long what was read counts.
    """

    def __init__(
        self, database: Database, tenant: str = DEFAULT_TENANT, fresh_s: float = FRESH_S
    ) -> None:
        self.tenant = tenant
        self.database = database
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._keys: Mapping[str, ApiKey] = {}
        self._read: float | None = None

    def add(
        self, name: str, scopes: Sequence[Scope], lasts: timedelta | None = None
    ) -> tuple[ApiKey, str]:
        """Store a new key; return it and its text, which nobody can show again.

        Raises:
            UserInputError: If name, scopes or time make no key.
        """
        key, text = new_key(self.tenant, name, scopes, lasts)
        values = {
            "id": key.id, "name": key.name, "hash": key.hash, "scopes": list(key.scopes),
            "created": key.created, "expires": key.expires,
        }  # fmt: skip
        with self.database.write() as connection:
            connection.execute(insert(tables.api_keys).values(values))
        self._read = None
        return key, text

    def list(self) -> list[ApiKey]:
        """Return every key, oldest first, those revoked too."""
        own = tables.api_keys
        with self.database.read() as connection:
            rows = connection.execute(select(own).order_by(own.c.created, own.c.id)).all()
        return [_key(row) for row in rows]

    def revoke(self, id: str) -> ApiKey:
        """Take a key back for good; return it. Again is no error.

        Raises:
            UnknownKey: If there is none of that id.
        """
        own, now = tables.api_keys, datetime.now(UTC)
        with self.database.write() as connection:
            row = connection.execute(select(own).where(own.c.id == id)).first()
            if row is None:
                raise UnknownKey(f"no key {id[:64]!r} is stored; list them to see their ids")
            query = update(own).where(own.c.id == id, own.c.revoked.is_(None))
            connection.execute(query.values(revoked=now))
        self._read = None
        key = _key(row)
        return key if key.revoked else replace(key, revoked=now)

    @property
    def is_fresh(self) -> bool:
        """Whether what is in memory counts: `current` costs no query then."""
        read = self._read
        return read is not None and time.monotonic() - read < self._fresh_s

    def current(self) -> Mapping[str, ApiKey]:
        """Return every key by id, as stored at most `fresh_s` seconds ago.

        Raises:
            StoreError: If they cannot be read now.
        """
        if self.is_fresh:
            return self._keys
        with self._lock:
            if not self.is_fresh:
                # The time is taken first: what is revoked while this reads is read again soon.
                began = time.monotonic()
                self._keys = {key.id: key for key in self.list()}
                self._read = began
            return self._keys


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.id, row.name, tuple(row.scopes), row.hash, row.created, row.expires, row.revoked
    )
