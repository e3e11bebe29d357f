"""The turns that one process takes at the same time, and the line of those that wait.

First come, first served. Who would wait for longer than people do is told so at once, and when to
come back: a request that is answered too late has cost as much as one in time. It belongs to one
event loop, which does one thing at a time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from math import ceil
from time import monotonic

from agent.access.errors import Busy

PATIENCE = 2
"""Who was let into the line is served, unless it takes so many times as long as anybody may stand
in it: to be sent away after a long wait is worse than to wait a little longer."""
RECENT = 64
"""Turns that ended last; how fast the line moves is told by them."""


class Places:
    """Places for turns.

    Args:
        most: Turns under way and in line together.
        at_once: Turns under way.
        wait_s: Seconds that a turn may stand in line, by how fast it moves.
    """

    def __init__(
        self,
        most: int,
        at_once: int,
        wait_s: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._most = most
        self._free = min(at_once, most)
        self._under_way = 0
        self._wait_s = wait_s
        self._clock = clock
        self._line: deque[asyncio.Future[None]] = deque()
        self._ended: deque[float] = deque(maxlen=RECENT)

    @property
    def waiting(self) -> int:
        """Return how many stand in line."""
        return len(self._line)

    async def take(self) -> float:
        """Take a place; return how many seconds that took.

        Raises:
            Busy: If the line is too long.
        """
        if self._under_way + self.waiting >= self._most:
            raise _busy(f"{self._most} turns are under way here already", self._for_one_s())
        if self._free:
            self._free -= 1
            self._under_way += 1
            return 0.0
        expected = self._for_one_s() * (self.waiting + 1)
        if expected > self._wait_s:
            message = f"the line is {self.waiting} turns long, about {expected:.0f} s"
            raise _busy(message, expected - self._wait_s)
        return await self._stand()

    def leave(self) -> None:
        """Give a place to who has waited the longest."""
        self._under_way -= 1
        self._ended.append(self._clock())
        while self._line:
            first = self._line.popleft()
            if not first.done():
                first.set_result(None)
                self._under_way += 1
                return
        self._free += 1
        self._ended.clear()  # nobody waits: from here on it shows how fast turns come, not end

    async def _stand(self) -> float:
        began = self._clock()
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            async with asyncio.timeout(PATIENCE * self._wait_s):
                await asyncio.shield(place)
        except TimeoutError:
            self._give_up(place)
            message = f"no turn ended in time for this one, {self._clock() - began:.0f} s"
            raise _busy(message, self._for_one_s() * self.waiting) from None
        except asyncio.CancelledError:
            self._give_up(place)
            raise
        return self._clock() - began

    def _give_up(self, place: asyncio.Future[None]) -> None:
        """Leave the line; a place that was given at this very moment goes to the next."""
        if place.done():
            self.leave()
        else:
            place.cancel()
            self._line.remove(place)

    def _for_one_s(self) -> float:
        """Return how long the line takes to move by one, as far as that is known."""
        if len(self._ended) < 2:
            return 0.0
        return (self._ended[-1] - self._ended[0]) / (len(self._ended) - 1)


def _busy(message: str, seconds: float) -> Busy:
    return Busy(message, {"Retry-After": str(max(1, ceil(seconds)))})
