"""API keys as values: what one looks like, what of it is kept, whether one is good.

A key reads `att_<tenant>_<id>_<secret>`: the tenant and the row are found by it, and whoever finds
one in a file knows whose it is. This module stores nothing (`agent.access.keyring`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from agent.access.errors import KeyExpired, KeyRevoked, KeyUnknown
from agent.errors import UserInputError
from agent.utterance import strip_control

Scope = Literal["chat", "feedback", "catalog", "admin"]

SCOPES: tuple[Scope, ...] = get_args(Scope)

DEFAULT_TENANT = "default"
"""The tenant of a server that has one."""

TENANT = re.compile(r"[a-z0-9-]{1,32}")
_KEY = re.compile(r"att_([a-z0-9-]{1,32})_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_SPAN = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SECRET_BYTES = 32
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as stored: everything but the key itself.

    Args:
        hash: SHA-256 of the whole key, in hexadecimal.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    hash: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def allows(self, scope: Scope) -> bool:
        """Return whether the key is for something.

        Admin includes the other scopes: whoever has it can make a key with them anyway. No other
        scope includes any.
        """
        return scope in self.scopes or "admin" in self.scopes

    def status(self, now: datetime) -> Literal["good", "expired", "revoked"]:
        """Return whether the key is good at a moment."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "good"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a key says of itself; nothing of it is proven."""

    tenant: str
    id: str


def claim_of(text: str) -> Claim | None:
    """Return what a text says it is the key of; None where it is no key."""
    match = _KEY.fullmatch(text)
    return Claim(match[1], match[2]) if match else None


def hash_of(text: str) -> str:
    """Return what is kept of a key.

    A plain SHA-256 does: the secret is 256 random bits, so there is nothing to guess that a slow
    hash would protect, and a slow one would be paid with every request. The tenant's name is in
    it, so that a row put into another tenant's store opens nothing there.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def new_key(
    tenant: str, name: str, scopes: Sequence[Scope], lasts: timedelta | None = None
) -> tuple[ApiKey, str]:
    """Return a new key as stored, and the key itself, which is not kept anywhere.

    Raises:
        UserInputError: If it has no name or no scope, or would have expired already.
    """
    name = strip_control(name).strip()
    if not name or len(name) > MAX_NAME:
        raise UserInputError(f"a key needs a name of 1 to {MAX_NAME} characters, got {name[:40]!r}")
    wrong = [scope for scope in scopes if scope not in SCOPES]
    if wrong or not scopes:
        raise UserInputError(f"a key needs scopes of {', '.join(SCOPES)}; got {list(scopes)!r}")
    if lasts is not None and lasts <= timedelta(0):
        raise UserInputError(f"a key that lasts {lasts} has expired already")
    now = datetime.now(UTC)
    id = secrets.token_hex(6)
    text = f"att_{tenant}_{id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    ordered = tuple(scope for scope in SCOPES if scope in scopes)
    return ApiKey(id, name, ordered, hash_of(text), now, now + lasts if lasts else None), text


def check(key: ApiKey | None, text: str, now: datetime) -> ApiKey:
    """Return the key stored under a text's id if the text is that key, and it is good.

    Raises:
        KeyUnknown: If there is none, or the secret is not its.
        KeyExpired, KeyRevoked: If it was good once.
    """
    # Compared in constant time, also where there is no key: how long it takes tells nothing.
    same = hmac.compare_digest(hash_of(text), key.hash if key is not None else "0" * 64)
    if key is None or not same:
        raise KeyUnknown("the key is not known here; check that it is whole and for this server")
    match key.status(now):
        case "revoked":
            raise KeyRevoked(f"the key {key.id} was revoked; ask for a new one")
        case "expired":
            when = f"{key.expires:%Y-%m-%d %H:%M} UTC"
            raise KeyExpired(f"the key {key.id} expired at {when}; ask for a new one")
        case "good":
            return key


def read_span(text: str) -> timedelta:
    """Return a span of time such as "90d", "12h" or "2w".

    Raises:
        UserInputError: If it is none.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise UserInputError(f"{text!r} is no span of time; expected hours, days or weeks: 12h, "
                             "90d, 2w")  # fmt: skip
    return int(match[1]) * _UNITS[match[2]]
