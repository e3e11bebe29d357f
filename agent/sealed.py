"""Column types whose values are encrypted where the store has a key.

The key hangs on the dialect, of which every engine has its own. What was written before there was
a key is read as it is. Knows no cipher (`agent.privacy.sealing`).
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from sqlalchemy import JSON, Dialect, Engine, Text, TypeDecorator

from agent.errors import StoreError

MARK = "\x1e1:"
"""What a sealed value begins with. No text that is stored begins so: control characters are
removed from all that people send."""


class Sealer(Protocol):
    """Encrypts and decrypts texts. Safe to share between threads."""

    def seal(self, text: str) -> str:
        """Return a text encrypted."""
        ...

    def open(self, sealed: str) -> str:
        """Return what was encrypted; StoreError where no key fits."""
        ...

    def current(self, sealed: str) -> bool:
        """Return whether it is encrypted with the key that new texts are encrypted with."""
        ...


def install(engine: Engine, sealer: Sealer) -> None:
    """Have all sealed columns of an engine encrypted."""
    vars(engine.dialect)["attune_sealer"] = sealer


def sealer_of(dialect: Dialect) -> Sealer | None:
    """Return what encrypts the sealed columns of an engine."""
    found: Sealer | None = vars(dialect).get("attune_sealer")
    return found


def is_sealed(value: Any) -> bool:
    """Return whether a value as it stands in the database is encrypted."""
    return isinstance(value, str) and value.startswith(MARK)


def opened(value: str, sealer: Sealer | None) -> str:
    """Return what a sealed value holds."""
    if sealer is None:
        raise StoreError("what was said is encrypted here; set ATTUNE_TEXT_KEY to its key")
    return sealer.open(value.removeprefix(MARK))


class SealedText(TypeDecorator[str]):
    """A text, encrypted where there is a key."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt a text before it is written."""
        sealer = sealer_of(dialect)
        return value if value is None or sealer is None else MARK + sealer.seal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Decrypt a text read."""
        return opened(value, sealer_of(dialect)) if is_sealed(value) else value


class SealedJson(TypeDecorator[Any]):
    """A JSON value, encrypted as a whole where there is a key: a JSON string then."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Encrypt a value before it is written."""
        sealer = sealer_of(dialect)
        if value is None or sealer is None:
            return value
        return MARK + sealer.seal(json.dumps(value, ensure_ascii=False))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Decrypt a value read."""
        return json.loads(opened(value, sealer_of(dialect))) if is_sealed(value) else value
