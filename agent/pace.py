"""How many threads compute at the same time: about as many as can; who began first goes first.

Python runs one thread at a time and takes the others in turn. With many at it each is slow, and
whoever holds a lock of the database holds it for all that time. So a turn has a place while it
computes, keeps it from one stage to the next, and gives it up for as long as it waits for others:
a language model, a tool, whoever listens. Any number may wait.

A place goes to the turn that began first, so that those under way end before others begin, and all
take about as long.
"""

from __future__ import annotations

import heapq
import itertools
import os
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

PLACES = (os.cpu_count() or 1) + 1
"""One more than cores: one of them is writing to the disk."""

_numbers = itertools.count()


class Ticket:
    """Where in the line a turn is, and how long it has waited there.

    Args:
        waited_s: Seconds that it waited before it came here.
    """

    __slots__ = ("number", "waited_s")

    def __init__(self, waited_s: float = 0.0) -> None:
        self.number = next(_numbers)
        self.waited_s = waited_s


class Line:
    """Places, and those who wait for one."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._guard = threading.Lock()
        self._waiting: list[tuple[int, int, threading.Lock]] = []
        self._order = itertools.count()

    def take(self, ticket: Ticket) -> None:
        """Wait for a place."""
        with self._guard:
            if self._free:
                self._free -= 1
                return
            gate = threading.Lock()
            gate.acquire()
            heapq.heappush(self._waiting, (ticket.number, next(self._order), gate))
        began = perf_counter()
        gate.acquire()
        ticket.waited_s += perf_counter() - began

    def leave(self) -> None:
        """Give a place to who waits for it the longest."""
        with self._guard:
            if self._waiting:
                heapq.heappop(self._waiting)[2].release()
            else:
                self._free += 1

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)


class _Own(threading.local):
    ticket: Ticket | None = None


_line = Line(PLACES)
_own = _Own()


@contextmanager
def computing(ticket: Ticket | None = None) -> Iterator[None]:
    """Have a place among those that compute, in this thread; nothing happens where it has one."""
    if _own.ticket is not None:
        yield
        return
    own = ticket or Ticket()
    _line.take(own)
    _own.ticket = own
    try:
        yield
    finally:
        _own.ticket = None
        _line.leave()


@contextmanager
def waiting() -> Iterator[None]:
    """Give the place of this thread to others while it waits for something; take it again after."""
    own = _own.ticket
    if own is None:
        yield
        return
    _own.ticket = None
    _line.leave()
    try:
        yield
    finally:
        _line.take(own)
        _own.ticket = own


def paced(
    events: Generator[T, None, None], ticket: Ticket | None = None
) -> Generator[T, None, None]:
    """Yield from a generator; it has a place while it makes something, and none in between."""
    own = ticket or Ticket()
    try:
        while True:
            with computing(own):
                try:
                    event = next(events)
                except StopIteration:
                    return
            yield event
    finally:
        events.close()


def waited_s() -> float:
    """Return how long the turn that this thread computes has stood in line."""
    return 0.0 if _own.ticket is None else _own.ticket.waited_s
