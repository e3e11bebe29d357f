"""A circuit breaker: after some failures in a row, stop asking for a while.

Ours rather than pybreaker's, which holds its lock during the guarded call (turns would wait for
one another) and reads the wall clock. Here calls run side by side, and while the circuit is half
open exactly one of them tries whether the other side is back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

from agent.errors import ModelUnavailable

T = TypeVar("T")


class CircuitOpen(ModelUnavailable):
    """Not asked: the last calls failed and the pause is not over."""


class Breaker:
    """Counts failures in a row; open, it refuses calls until `reset_s` have passed.

    Args:
        failures: How many in a row open the circuit.
        reset_s: Seconds until one call may try again.
    """

    def __init__(
        self, failures: int = 3, reset_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if failures < 1:
            raise ValueError(f"failures must be 1 or more, got {failures!r}")
        self._limit = failures
        self._reset_s = reset_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._opened: float | None = None
        self._trying = False

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        """Whether calls are let through (closed), refused (open) or tried one at a time."""
        with self._lock:
            if self._opened is None:
                return "closed"
            return "open" if self._left() > 0 else "half-open"

    def call(self, work: Callable[[], T]) -> T:
        """Do the work and count how it ends.

        Raises:
            CircuitOpen: If the circuit is open; the work is not started.
        """
        with self.guard():
            return work()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Count how the work inside ends; raises like `call`.

        A stream that its reader stops listening to has not failed.
        """
        trial = self._admit()
        try:
            yield
        except GeneratorExit:
            self._success(trial)
            raise
        except BaseException:
            self._failure(trial)
            raise
        self._success(trial)

    def _left(self) -> float:
        return 0.0 if self._opened is None else self._opened + self._reset_s - self._clock()

    def _admit(self) -> bool:
        with self._lock:
            if self._opened is None:
                return False
            left = self._left()
            if left > 0:
                raise CircuitOpen(f"not asked after {self._failed} failures; again in {left:.0f} s")
            if self._trying:
                raise CircuitOpen("not asked: another turn is trying whether the model is back")
            self._trying = True
            return True

    def _failure(self, trial: bool) -> None:
        with self._lock:
            self._failed += 1
            if trial:
                self._trying = False
            # A straggler that started before the circuit opened must not prolong the pause.
            if trial or (self._opened is None and self._failed >= self._limit):
                self._opened = self._clock()

    def _success(self, trial: bool) -> None:
        with self._lock:
            self._failed = 0
            self._opened = None
            if trial:
                self._trying = False
