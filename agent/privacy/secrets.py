"""The secrets of a store: what user ids are hashed with, and what texts are encrypted with.

Where they come from is not known here (`ui.privacy_wiring`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from functools import cached_property

from agent.errors import StoreError
from agent.keys import key_of
from agent.privacy.sealing import FernetSealer
from agent.sealed import Sealer

PREFIX = "u1."
"""What a hashed user id begins with, so that it is told from a name."""

_HASHED = re.compile(r"u1\.[0-9a-f]{64}")
SHORTEST = 16


@dataclass(frozen=True)
class Secrets:
    """What a store is opened with.

    Args:
        user: What user ids are hashed with; without one they are stored as they are given.
        text: Fernet keys: the first encrypts, any decrypts; without one texts are stored in clear.

    Raises:
        StoreError: If a key is none, or the secret is too short to be one.
    """

    user: bytes | None = field(default=None, repr=False)
    text: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.user is not None and len(self.user) < SHORTEST:
            raise StoreError(
                f"the secret for user ids has {len(self.user)} bytes, expected at least "
                f"{SHORTEST}; make one with `openssl rand -hex 32`"
            )
        _ = self.sealer

    @cached_property
    def sealer(self) -> Sealer | None:
        """What encrypts texts, where there is a key."""
        return FernetSealer(self.text) if self.text else None

    @property
    def fingerprint(self) -> str | None:
        """What tells whether a store was written with this secret, and tells nothing else."""
        return None if self.user is None else self._hash("attune secret for user ids")

    def stored(self, user: str) -> str:
        """Return how the user a client names is stored."""
        return user if self.user is None else PREFIX + self._hash(user)

    def imported(self, user: str) -> str:
        """Return how the user of a session from a file is stored: one hashed stays as it is."""
        return user if _HASHED.fullmatch(user) else self.stored(user)

    def names(self, user: str) -> tuple[str, ...]:
        """Return how a user may be stored whom an operator means, by name or by hash."""
        return tuple(dict.fromkeys((self.stored(user), self.imported(user))))

    def keys(self, user: str) -> tuple[str, ...]:
        """Return the keys that a user may be found by; the last is from before names were hashed.

        See `agent.keys`.
        """
        return tuple(dict.fromkeys(key_of(name) for name in (*self.names(user), user)))

    def _hash(self, text: str) -> str:
        assert self.user is not None
        data = text.encode("utf-8", "backslashreplace")
        return hmac.new(self.user, data, hashlib.sha256).hexdigest()


NO_SECRETS = Secrets()


def is_hashed(user: str) -> bool:
    """Return whether a stored user id is a hash."""
    return bool(_HASHED.fullmatch(user))
