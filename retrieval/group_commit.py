"""Group commit: what several threads write at once is made durable together.

The first thread to come leads: it commits everything that waits, its own call among it, while
later calls gather for the next group. A disk that syncs 150 times a second so takes a thousand
calls. This module does not know what is written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Call = TypeVar("Call")

LINGER_S = 0.001
"""How long a leader waits after a group of several: those just answered often come back."""


@dataclass(slots=True, eq=False)
class _Entry(Generic[Call]):
    """A call with the thread that waits for it."""

    call: Call
    woken: threading.Event = field(default_factory=threading.Event)
    done: bool = False
    result: int = 0
    error: BaseException | None = None


class GroupCommit(Generic[Call]):
    """Hands calls to `commit` in groups, in the order they came.

    Args:
        commit: Writes all calls in one transaction, durable when it returns; one result for each.
            When it raises, nothing of the group was written.
    """

    def __init__(self, commit: Callable[[Sequence[Call]], Sequence[int]]) -> None:
        self._commit = commit
        self._lock = threading.Lock()
        self._waiting: list[_Entry[Call]] = []
        self._led = False
        self._crowded = False
        """Whether the last group held several calls."""

    def submit(self, call: Call) -> int:
        """Return the result of a call once it is durable; raise what it alone fails with."""
        entry = _Entry(call)
        with self._lock:
            self._waiting.append(entry)
            leads, self._led = not self._led, True
        if not leads:
            self._follow(entry)
        if not entry.done:
            self._lead(entry)
        if entry.error is not None:
            raise entry.error
        return entry.result

    def _follow(self, entry: _Entry[Call]) -> None:
        """Wait until the call is done, or until its turn to lead has come."""
        try:
            entry.woken.wait()
        except BaseException:
            # An interrupted thread must not keep the others waiting for its lead.
            with self._lock:
                leads = entry.woken.is_set() and not entry.done
                if entry in self._waiting and not leads:
                    self._waiting.remove(entry)
            if leads:
                self._lead(entry)
            raise

    def _lead(self, own: _Entry[Call]) -> None:
        if self._crowded:
            time.sleep(LINGER_S)
        with self._lock:
            group, self._waiting = self._waiting, []
            self._crowded = len(group) > 1
        try:
            self._write(group)
        finally:
            with self._lock:
                for entry in group:
                    entry.done = True
                    if entry is not own:
                        entry.woken.set()
                self._led = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].woken.set()

    def _write(self, group: list[_Entry[Call]]) -> None:
        """Commit a group; when it fails, each call alone, so that only the bad one fails."""
        try:
            results = self._commit([entry.call for entry in group])
        except BaseException as error:
            if len(group) > 1 and isinstance(error, Exception):
                for entry in group:
                    self._write([entry])
                return
            for entry in group:
                entry.error = error
            return
        for entry, result in zip(group, results, strict=True):
            entry.result = result
