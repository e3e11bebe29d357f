"""How many tokens each key has used on which day, kept in the store; days are those of UTC.

A turn is counted in its own transaction, so what is stored is exact however many processes there
are. A budget is looked at when a turn begins: those under way then may go beyond it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from agent import tables
from agent.access.errors import BudgetSpent
from agent.database import Database


@dataclass(frozen=True, slots=True)
class Usage:
    """What one key used on one day.

    Args:
        day: As 2026-01-31.
    """

    day: str
    key_id: str
    turns: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Budget:
    """How many tokens a day has; None for no end.

    Args:
        key: Of each key.
        tenant: Of all keys together.
    """

    key: int | None = None
    tenant: int | None = None

    def check(self, database: Database, payer: str, now: datetime | None = None) -> None:
        """Pass where the day has tokens left.

        Raises:
            BudgetSpent: If there are none; its headers say when there will be.
        """
        if self.key is None and self.tenant is None:
            return
        now = now or datetime.now(UTC)
        used, own = _used(database, day_of(now), payer)
        for whose, limit, spent in (("key", self.key, own), ("tenant", self.tenant, used)):
            if limit is not None and spent >= limit:
                raise BudgetSpent(
                    f"the {limit:,} tokens that this {whose} has for a day are used up",
                    {"Retry-After": str(_until_tomorrow(now))},
                )


def day_of(moment: datetime) -> str:
    """Return the day that a moment is counted on."""
    return moment.astimezone(UTC).date().isoformat()


def usage(database: Database, since: str = "") -> Sequence[Usage]:
    """Return what was used, the newest day first.

    Args:
        since: The first day to tell of.
    """
    own = tables.usage_days.c
    query = select(own.day, own.key_id, own.turns, own.tokens).where(own.day >= since)
    with database.read() as connection:
        rows = connection.execute(query.order_by(own.day.desc(), own.key_id)).all()
    return [Usage(*row) for row in rows]


def _used(database: Database, day: str, payer: str) -> tuple[int, int]:
    """Return the tokens of a day: of all keys, and of one."""
    own = tables.usage_days.c
    total = select(func.coalesce(func.sum(own.tokens), 0)).where(own.day == day)
    with database.read() as connection:
        of_all = connection.execute(total).scalar_one()
        of_one = connection.execute(total.where(own.key_id == payer)).scalar_one()
    return int(of_all), int(of_one)


def _until_tomorrow(now: datetime) -> int:
    """Return the seconds until the next day, rounded up."""
    here = now.astimezone(UTC)
    tomorrow = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return -int((here - tomorrow).total_seconds() // 1)
