"""Choosing among found items by what was learned from choices: the protocol, and what it weighs.

What an adapter learned about choices is its implicit reward, log p(item | need) with the adapter
minus without it (Rafailov et al. 2023, eq. 5, over beta). Without an adapter it is 0 for all, and
the order is the search's. This module does not know how rewards are found (`agent.reward_chooser`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Protocol

from agent.ranking import Ranked, best_first
from agent.state import Need
from retrieval.catalog import Facet, Item

HEAD = 12
"""Items of a ranking that are chosen among: two slates and a bit, in one call of a small model."""

WEIGHT = 0.5
"""How far a reward moves a score, up or down. Between the ends lies `WEIGHTS["all_words"]`: taste
may outweigh quality and the place in the search, never that an item says all that was asked."""

SCALE = 5.0
"""Nats at which a reward has three quarters of its weight: at DPO's usual beta of .1, odds of
1.6 to 1 for one item over another."""


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


def weighed(ranked: Sequence[Ranked], rewards: Sequence[float]) -> list[Ranked]:
    """Return ranked items, best first, with rewards for the first of them in their scores.

    score + WEIGHT * tanh((r - median r) / SCALE): bounded, so that no reward outweighs what was
    asked; monotone; and 0 for the item in the middle, since what all items gain (a style of line,
    say) tells nothing about any. Where all rewards are equal, nothing changes.
    """
    if not rewards or max(rewards) == min(rewards):
        return list(ranked)
    middle = median(rewards)
    head = [_moved(one, r, r - middle) for one, r in zip(ranked, rewards, strict=False)]
    return best_first([*head, *ranked[len(head) :]])


def _moved(one: Ranked, reward: float, above: float) -> Ranked:
    score = one.score + WEIGHT * math.tanh(above / SCALE)
    features = {**one.features, "chosen": round(reward, 3)}
    return Ranked(replace(one.candidate, score=round(score, 6)), features)
