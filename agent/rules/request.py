"""What a planner is given."""

from __future__ import annotations

from dataclasses import dataclass

from agent.plan import Mention
from agent.state import State
from retrieval.catalog import Facet, Item


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """One utterance with its mentions, and what it can refer to.

    Args:
        slate: The items of the last slate, in rank order.
        typed: What the user wrote, where the utterance was carried over from another language.
    """

    utterance: str
    mentions: tuple[Mention, ...]
    state: State
    slate: tuple[Item, ...]
    facets: tuple[Facet, ...]
    typed: str = ""
