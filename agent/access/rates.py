"""How many requests a key, and all keys of a tenant, may send in a while: the `limits` library.

Counts are kept in this process, or in Redis by URL where several processes share them. Where that
cannot be reached requests go through uncounted: limits are there to keep the service up.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from agent.access.errors import BadLimits, RateExceeded

if TYPE_CHECKING:
    from limits import RateLimitItem

log = logging.getLogger(__name__)

IN_MEMORY = "memory://"

_PATIENCE: dict[str, float] = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
"""A server that hangs must not hang every request."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One limit on one sender.

    Args:
        whose: "key" or "tenant", as it is told to the sender.
        limit: Such as "60/minute", or several with semicolons.
        sender: Whose requests are counted together.
    """

    whose: str
    limit: str
    sender: str


@dataclass(slots=True)
class _Standing:
    """Where a sender stands, for the headers of the answer."""

    policies: list[str] = field(default_factory=list)
    left: list[tuple[int, str]] = field(default_factory=list)

    def add(self, whose: str, item: RateLimitItem, remaining: int, seconds: int) -> None:
        name = f'"{whose}-{item.get_expiry()}"'
        self.policies.append(f"{name};q={item.amount};w={item.get_expiry()}")
        self.left.append((remaining, f"{name};r={remaining};t={seconds}"))

    def headers(self) -> dict[str, str]:
        """Return the header fields of draft-ietf-httpapi-ratelimit-headers."""
        if not self.left:
            return {}
        return {"RateLimit-Policy": ", ".join(self.policies), "RateLimit": min(self.left)[1]}


class Rates:
    """Counts requests. Safe to share across threads.

    Args:
        storage: "memory://", or "redis://HOST:PORT" and the like.

    Raises:
        BadLimits: If there is no such storage, or its driver is not installed.
    """

    def __init__(self, storage: str = IN_MEMORY) -> None:
        from limits.errors import ConfigurationError, StorageError
        from limits.storage import storage_from_string
        from limits.strategies import SlidingWindowCounterRateLimiter

        self.waits = not storage.startswith("memory:")
        self._lost: type[Exception] = StorageError
        try:
            patience = _PATIENCE if storage.startswith("redis") else {}
            kept = storage_from_string(storage, wrap_exceptions=True, **patience)
        except (ConfigurationError, ValueError) as error:
            scheme = storage.partition(":")[0]
            raise BadLimits(
                f"ATTUNE_LIMITS_STORAGE: {scheme!r} cannot be used ({error}); expected memory://, "
                "or redis://HOST:PORT with pip install 'attune[redis]'"
            ) from error
        self._limiter = SlidingWindowCounterRateLimiter(kept)

    def count(self, rates: list[Rate]) -> dict[str, str]:
        """Count a request against each limit; return headers that say how much is left.

        Raises:
            RateExceeded: If one is passed; its headers say when to come back.
        """
        standing = _Standing()
        try:
            for rate in rates:
                for item in parse_rate(rate.limit):
                    self._count(rate, item, standing)
        except self._lost as error:
            log.error("requests are not counted: %s", error)
        return standing.headers()

    def _count(self, rate: Rate, item: RateLimitItem, standing: _Standing) -> None:
        fits = self._limiter.hit(item, rate.whose, rate.sender)
        window = self._limiter.get_window_stats(item, rate.whose, rate.sender)
        wait = max(1, -int((time.time() - window.reset_time) // 1))
        standing.add(rate.whose, item, window.remaining if fits else 0, wait)
        if not fits:
            raise RateExceeded(
                f"this {rate.whose} may send {item.amount} requests in {item.get_expiry()} s, and "
                f"has sent them; wait {wait} s",
                {"Retry-After": str(wait), **standing.headers()},
            )


@lru_cache(maxsize=1_000)
def parse_rate(text: str) -> tuple[RateLimitItem, ...]:
    """Return the limits that a text such as "60/minute; 1000/hour" names.

    Raises:
        BadLimits: If it names none.
    """
    from limits import parse_many

    try:
        return tuple(parse_many(text))
    except ValueError as error:
        raise BadLimits(f"{text!r} is no rate; expected such as 60/minute or 5/second; 1000/day "
                        "(several with semicolons)") from error  # fmt: skip
