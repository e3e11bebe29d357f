"""What was worked out from one view of an index, kept for as long as the view is the present one.

A few entries are kept, and all are let go when there are more: a turn asks the same thing several
times, and the next turns often do.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

ENTRIES = 64
ROWS = 20_000


class Remembered:
    """Values by key, and rows by id. Threads may share it: at worst two work out the same."""

    def __init__(self) -> None:
        self._values: dict[Hashable, Any] = {}
        self._rows: dict[str, int] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of a key, made where it is not there. Nobody may change it."""
        known = self._values
        if key in known:
            value: T = known[key]
            return value
        made = make()
        if len(known) >= ENTRIES:
            # A new dict: other threads are still reading the old one.
            self._values = known = {}
        known[key] = made
        return made

    def rows(self, ids: Sequence[str]) -> dict[str, int]:
        """Return in which rows those ids are that were looked for before."""
        known = self._rows
        return {id: known[id] for id in ids if id in known}

    def add_rows(self, rows: Mapping[str, int]) -> None:
        """Keep in which rows some ids are."""
        if len(self._rows) >= ROWS:
            self._rows = {}
        self._rows.update(rows)
