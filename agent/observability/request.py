"""The HTTP request that is being answered, as its log lines and its metrics tell it.

Kept in a context variable, so that whatever thread works for a request knows it. Nothing here is
of its body; what is told of a session or a user is a key of it.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(slots=True)
class Facts:
    """What is known of a request, more and more while it is answered.

    Args:
        id: The client's own (X-Request-ID) where it is a sane one, else made up.
        trace: Id of the trace it is part of, where it said so.
        state: Of the request; `caller` (`agent.server.access`) comes to be in it.
        error: Type of the error it ended with, as it was told to the client.
    """

    id: str
    trace: str = ""
    state: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def tenant(self) -> str:
        """The tenant whose key was sent, once that is known."""
        return getattr(self.state.get("caller"), "tenant", "")

    @property
    def key(self) -> str:
        """The id of that key; it opens nothing."""
        return getattr(self.state.get("caller"), "id", "")


current: ContextVar[Facts | None] = ContextVar("attune_request", default=None)


def note_error(kind: str) -> None:
    """Tell with what type of error the request under way ended."""
    facts = current.get()
    if facts is not None:
        facts.error = kind


def request_id(given: str | None) -> str:
    """Return the id a client gave its request, if it can be repeated in logs, or a new one."""
    return given if given and _SANE.fullmatch(given) else secrets.token_hex(16)


def trace_of(traceparent: str | None) -> str:
    """Return the trace id of a `traceparent` header; empty where it is none."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found[1] if found and set(found[1]) != {"0"} else ""
