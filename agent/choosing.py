"""Choosing among found items by what was learned from choices: the protocol, and none.

What an adapter learned about choices is its implicit reward, log p(item | need) with the adapter
minus without it (Rafailov et al. 2023, eq. 5, over beta). Without an adapter it is 0 for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.state import Need
from retrieval.catalog import Facet, Item


class Chooser(Protocol):
    """Says how much more each item would be chosen than the search alone can know."""

    @property
    def name(self) -> str:
        """What slates say ranked them, e.g. the adapter's name."""
        ...

    def rewards(
        self, need: Need, items: Sequence[Item], facets: tuple[Facet, ...]
    ) -> tuple[float, ...]:
        """Return one reward per item, in nats, 0 where nothing is known; never raises."""
        ...
