"""What people did with items they were shown, counted: per item, and per query and item.

Pure values; where the events come from is not known here. A table for training on an impression
must hold only what happened before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Literal

Event = Literal["clicked", "selected", "purchased"]
EVENTS: tuple[Event, ...] = ("clicked", "selected", "purchased")

STRENGTH = 20.0
"""How many impressions the expected rate weighs in a smoothed one."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How often something was shown, and what followed."""

    shown: float = 0.0
    clicked: float = 0.0
    selected: float = 0.0
    purchased: float = 0.0

    def plus(self, other: Counts) -> Counts:
        """Return the sum of both."""
        return Counts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def of(self, event: Event) -> float:
        """Return how often an event followed."""
        match event:
            case "clicked":
                return self.clicked
            case "selected":
                return self.selected
            case "purchased":
                return self.purchased

    def rate(self, event: Event, expected: float) -> float:
        """Return (events + s * expected) / (shown + s): the mean of a beta posterior, s=20."""
        return (self.of(event) + STRENGTH * expected) / (self.shown + STRENGTH)


NOTHING = Counts()


def query_key(query: str) -> str:
    """Return a query as it is counted: without regard to case and blanks."""
    return " ".join(query.casefold().split())


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Counts of a catalog.

    Args:
        items: By item id.
        pairs: By (`query_key`, item id).
        total: Of all items together.
    """

    items: Mapping[str, Counts] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], Counts] = field(default_factory=dict)
    total: Counts = NOTHING

    def values(self, query: str, id: str) -> list[float]:
        """Return count and smoothed rate of each event, for the item, then for query and item.

        What was never shown has the expected rate: an item that of all items, a query and item
        that of the item.
        """
        item = self.items.get(id, NOTHING)
        pair = self.pairs.get((query_key(query), id), NOTHING)
        found: list[float] = []
        for event in EVENTS:
            expected = self.total.of(event) / self.total.shown if self.total.shown else 0.0
            rate = item.rate(event, expected)
            found += [item.of(event), rate, pair.of(event), pair.rate(event, rate)]
        return found


def to_json(behaviour: Behaviour) -> dict[str, Any]:
    """Return a table as plain JSON values."""
    return {
        "total": astuple(behaviour.total),
        "items": {id: astuple(counts) for id, counts in behaviour.items.items()},
        "pairs": [[*key, *astuple(counts)] for key, counts in behaviour.pairs.items()],
    }


def from_json(data: Mapping[str, Any]) -> Behaviour:
    """Return the table that `to_json` wrote; KeyError, TypeError or ValueError if it did not."""
    return Behaviour(
        {id: Counts(*counts) for id, counts in data["items"].items()},
        {(query, id): Counts(*counts) for query, id, *counts in data["pairs"]},
        Counts(*data["total"]),
    )
