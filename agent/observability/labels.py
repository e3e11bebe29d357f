"""Labels of metrics that come in few values only, whatever happens.

Each value of a label is a time series for ever, so nothing that a client chooses may become one.
"""

from __future__ import annotations

from threading import Lock

OTHER = "other"

_FALLBACKS = (
    ("the model was unsure", "unsure"),
    ("no answer within", "timeout"),
    ("no plan within", "timeout"),
    ("not asked", "circuit_open"),
    ("no connection", "connection"),
    ("its answer was no plan", "bad_answer"),
    ("the server's answer", "bad_answer"),
    ("the server broke off", "connection"),
    ("the server answered", "http_error"),
    ("the prompt has", "too_long"),
)


def fallback_of(reason: str) -> str:
    """Return what kind of reason a plan's `fallback` is: timeout, connection, unsure, …"""
    if reason.endswith("is still loading"):
        return "loading"
    return next((kind for begins, kind in _FALLBACKS if reason.startswith(begins)), OTHER)


class Bounded:
    """Lets the first few values through; every further one is "other"."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[str] = set()
        self._lock = Lock()

    def __call__(self, value: str) -> str:
        """Return the value, or "other"."""
        if value in self._seen:
            return value
        with self._lock:
            if len(self._seen) >= self._most:
                return OTHER
            self._seen.add(value)
        return value
