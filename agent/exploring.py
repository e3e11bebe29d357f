"""Which of the ranked items a slate shows: the best ones, or now and then a draw among them.

A log of slates that always show the best says nothing of what else might have been liked. A policy
that draws, and writes down the exact chance of what it showed, lets other rankings be judged from
the same log (Horvitz and Thompson 1952). Everything drawn from has passed every hard constraint
already. Pure; knows scores, not items.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from statistics import fmean, pstdev
from typing import Protocol

MOST = 12
"""Items that a draw may be among: exact chances take 2^n steps."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a slate shows.

    Args:
        places: Places in the ranking, from 0, in the order shown.
        propensities: For each, the chance with which the policy puts it at this rank.
    """

    places: tuple[int, ...]
    propensities: tuple[float, ...]


class Policy(Protocol):
    """Makes a slate of a ranking."""

    @property
    def name(self) -> str:
        """What is stored with slates."""
        ...

    @property
    def head(self) -> int:
        """How many of the best it may show out of order; 0 for none."""
        ...

    def draw(self, scores: Sequence[float], k: int, rng: Random) -> Drawn:
        """Return at most k places of a ranking, given its scores, best first."""
        ...


@dataclass(frozen=True, slots=True)
class Greedy:
    """Shows the best every time."""

    name: str = "greedy"
    head: int = 0

    def draw(self, scores: Sequence[float], k: int, rng: Random) -> Drawn:
        """Return the first k places."""
        places = tuple(range(min(k, len(scores))))
        return Drawn(places, (1.0,) * len(places))


GREEDY = Greedy()


@dataclass(frozen=True, slots=True)
class Explore:
    """Shows the best, but a share of the slates are Plackett-Luce draws from the head.

    Args:
        share: Chance that a slate is drawn, 0 to 1.
        head: How many of the best a draw is among.
        temperature: Of the draw, in standard deviations of the head's scores: at 1, an item one
            deviation above another is e times as likely to come before it.

    Raises:
        ValueError: If one of them is out of range.
    """

    share: float
    head: int = 10
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be 0 to 1, got {self.share!r}")
        if not 2 <= self.head <= MOST:
            raise ValueError(f"head must be 2 to {MOST}, got {self.head!r}")
        if not self.temperature > 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature!r}")

    @property
    def name(self) -> str:
        """What is stored with slates, e.g. "explore:0.1"."""
        return f"explore:{self.share:g}"

    def draw(self, scores: Sequence[float], k: int, rng: Random) -> Drawn:
        """Return k places: the first k, or a draw from the head; behind the head nothing moves.

        The chance of item i at rank r is (1 - share) * [the best ones have i at r] +
        share * [chance that a draw puts i at r].
        """
        weights = strengths(scores[: self.head], self.temperature)
        drawn = min(k, len(weights))
        behind = range(drawn, min(k, len(scores)))
        explores = rng.random() < self.share
        places = plackett_luce(weights, drawn, rng) if explores else tuple(range(drawn))
        chances = place_chances(weights, drawn)
        propensities = (
            (1 - self.share) * (place == rank) + self.share * chances[rank][place]
            for rank, place in enumerate(places)
        )
        return Drawn((*places, *behind), (*propensities, *(1.0 for _ in behind)))


def slate_rng(session_id: str, turn: int) -> Random:
    """Return the source of chance of one slate: the same for the same turn, on every machine."""
    return Random(sha256(f"{session_id}/{turn}".encode()).digest())


def strengths(scores: Sequence[float], temperature: float) -> list[float]:
    """Return the weights of a draw: e^(z/temperature), z in standard deviations of the scores.

    Rankings by text, by likeness and by quality are on different scales; z is not.
    """
    if not scores:
        return []
    mean, deviation = fmean(scores), pstdev(scores) or 1.0
    return [math.exp((score - mean) / deviation / temperature) for score in scores]


def plackett_luce(weights: Sequence[float], k: int, rng: Random) -> tuple[int, ...]:
    """Return k places drawn one after the other, each by weight among those left.

    Plackett, "The Analysis of Permutations", Applied Statistics 24 (1975); Luce, "Individual
    Choice Behavior" (1959).
    """
    left = list(range(len(weights)))
    drawn = []
    for _ in range(min(k, len(left))):
        place = rng.choices(left, [weights[one] for one in left])[0]
        left.remove(place)
        drawn.append(place)
    return tuple(drawn)


def place_chances(weights: Sequence[float], k: int) -> list[list[float]]:
    """Return, for each of k ranks, the exact chance of each place in a Plackett-Luce draw.

    Sums over the sets of places drawn before a rank (dynamic programming over subsets), rather
    than over all orders they may have been drawn in.
    """
    before: dict[int, float] = {0: 1.0}  # set of places, as bits -> chance that they came first
    chances = []
    for _ in range(min(k, len(weights))):
        row = [0.0] * len(weights)
        after: defaultdict[int, float] = defaultdict(float)
        for taken, chance in before.items():
            left = [place for place in range(len(weights)) if not taken >> place & 1]
            whole = math.fsum(weights[place] for place in left)
            for place in left:
                share = chance * weights[place] / whole
                row[place] += share
                after[taken | 1 << place] += share
        chances.append(row)
        before = after
    return chances
