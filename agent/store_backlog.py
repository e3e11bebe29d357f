"""How much work waits in a store: for those who watch it, and for `attune doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from agent.database import Database
from agent.tables import jobs


@dataclass(frozen=True, slots=True)
class Backlog:
    """Jobs of a store.

    Args:
        counts: How many there are by kind and status.
        oldest_s: For how long the oldest that is due has waited, in seconds.
    """

    counts: Mapping[tuple[str, str], int]
    oldest_s: float = 0.0

    def of(self, status: str) -> int:
        """Return how many jobs have a status."""
        return sum(count for (_, is_), count in self.counts.items() if is_ == status)


def backlog(database: Database) -> Backlog:
    """Return how much work there is.

    Raises:
        StoreError: If the store cannot be read.
    """
    kind, status, due = jobs.c.kind, jobs.c.status, jobs.c.due
    now = datetime.now(UTC)
    with database.read() as connection:
        counted = connection.execute(
            select(kind, status, func.count()).group_by(kind, status)
        ).all()
        oldest = connection.scalar(select(func.min(due)).where(status == "waiting", due <= now))
    counts = {(row[0], row[1]): row[2] for row in counted}
    waited = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    return Backlog(counts, waited)
