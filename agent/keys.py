"""Keys that stand for sessions and users where their ids must not be.

The same id always gives the same key: what came from a user whose data is deleted is found by it.
A key is a pseudonym, not a secret: whoever already knows an id can tell what is its.
"""

from __future__ import annotations

import hashlib

LENGTH = 32


def key_of(text: str) -> str:
    """Return the first 32 hex digits of the SHA-256 of an id."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:LENGTH]
