"""How many threads compute at the same time: about as many as can.

Python runs one thread at a time and takes the others in turn. With many at it each is slow, and
whoever holds a lock of the database holds it for all that time. Waiting costs nothing, so any
number of turns may wait for a language model: only what computes takes a place, and only for a
stage in which it waits for nobody else.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PLACES = (os.cpu_count() or 1) + 1
"""One more than cores: one of them is writing to the disk."""

_places = threading.BoundedSemaphore(PLACES)


@contextmanager
def computing() -> Iterator[None]:
    """Have a place among those that compute. Not to be entered twice by one thread."""
    with _places:
        yield
