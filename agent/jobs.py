"""Work in the background, as values. It is stored with what caused it and survives a restart.

A job runs at least once, so what runs it must bear a second run. This module runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from agent.feedback import new_id

JobStatus = Literal["waiting", "running", "done", "dead"]
"""dead: given up after too many tries; `attune jobs retry` makes it waiting again."""

Handler = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
"""What runs a kind of job: the payload in, what it came to out; an error is a failed try."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to be done.

    Args:
        kind: Name of what runs it, e.g. "handover".
        payload: Its arguments as JSON; ids only, no user text.
        due: Not before; None: now.
    """

    kind: str
    payload: Mapping[str, Any]
    due: datetime | None = None
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Job:
    """Work as stored.

    Args:
        attempts: How often it was begun.
        error: Why the last try failed.
        result: What it came to, as JSON.
    """

    id: str
    kind: str
    payload: Mapping[str, Any]
    status: JobStatus
    attempts: int
    created: datetime
    due: datetime
    finished: datetime | None = None
    error: str | None = None
    result: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a kind of work is tried before it is given up, and how long the pauses are.

    Args:
        most: Tries in all.
        first_s: The pause after the first failure; each later one is twice as long.
        longest_s: No pause is longer.
    """

    most: int = 8
    first_s: float = 2.0
    longest_s: float = 600.0

    def pause(self, attempts: int, chance: float) -> timedelta:
        """Return how long to wait after a failed try.

        Args:
            chance: From 0 to 1; spreads jobs that failed together over half of the pause.
        """
        whole = min(self.first_s * 2 ** min(attempts - 1, 60), self.longest_s)
        return timedelta(seconds=whole * (1 + chance) / 2)


TRIES: Mapping[str, Tries] = {"handover": Tries(most=100, longest_s=3600.0)}
"""Where a kind is not tried as usual. A person who waits is not given up for a weekend."""

LONGEST_PAUSE = timedelta(seconds=max(one.longest_s for one in (Tries(), *TRIES.values())))
"""A retry that is due later than this from now was stored by a clock that has since gone back."""
