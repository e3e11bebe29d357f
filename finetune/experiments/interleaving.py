"""Two rankings in one slate, and what people's choices say about which is better.

Team-draft interleaving (Radlinski, Kurup and Joachims 2008): the two rankings pick in turn, a coin
decides who is first in each round, and a choice counts for the ranking that picked the item. It
needs tens of times fewer users than an A/B test, and speaks about rankings only.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Team = Literal["A", "B"]


@dataclass(frozen=True, slots=True)
class Interleaved:
    """A slate of two rankings: items best first, and which ranking picked each."""

    items: tuple[str, ...]
    teams: tuple[Team, ...]


def team_draft(a: Sequence[str], b: Sequence[str], k: int, seed: int) -> Interleaved:
    """Return a slate of at most k items drawn in turn from two rankings.

    Items both rankings have at the same places come first as they are and count for neither side
    more than the other: who picks them is by chance.
    """
    chance = random.Random(seed)
    items: list[str] = []
    teams: list[Team] = []
    while len(items) < k:
        left = [id for id in a if id not in items]
        right = [id for id in b if id not in items]
        if not left and not right:
            break
        ahead = teams.count("A") - teams.count("B")
        turn: Team = "B" if ahead > 0 else "A" if ahead < 0 else chance.choice(("A", "B"))
        if not (left if turn == "A" else right):
            turn = "B" if turn == "A" else "A"
        items.append(left[0] if turn == "A" else right[0])
        teams.append(turn)
    return Interleaved(tuple(items), tuple(teams))


def winner(slate: Interleaved, chosen: Iterable[str]) -> Team | None:
    """Return the ranking that more of the choices were picked by; None for a tie."""
    by = dict(zip(slate.items, slate.teams, strict=True))
    votes = [by[id] for id in chosen if id in by]
    ahead = votes.count("B") - votes.count("A")
    return "B" if ahead > 0 else "A" if ahead < 0 else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How often B won, of the slates that somebody won.

    Args:
        preference: Share of wins of B, .5 with none.
        low, high: Wilson interval for one look, 95 %.
        evidence: E-value against "neither is better": 20 or more at any time decides at 5 %,
            however often one looks (Ville's inequality).
    """

    wins_a: int
    wins_b: int
    ties: int
    preference: float
    low: float
    high: float
    evidence: float

    @property
    def decided(self) -> Team | None:
        """The better ranking, once it is clear."""
        if self.evidence < 20:
            return None
        return "B" if self.wins_b > self.wins_a else "A"


def compare(winners: Iterable[Team | None]) -> Comparison:
    """Return what interleaved slates say.

    The e-value mixes fair bets on all win shares uniformly: B(a+1, b+1) * 2^(a+b), with a and b the
    wins (Robbins 1970).
    """
    seen = list(winners)
    a, b = seen.count("A"), seen.count("B")
    log_e = math.lgamma(a + 1) + math.lgamma(b + 1) - math.lgamma(a + b + 2)
    low, high = _wilson(b, a + b)
    return Comparison(
        wins_a=a, wins_b=b, ties=len(seen) - a - b,
        preference=b / (a + b) if a + b else 0.5, low=low, high=high,
        evidence=math.exp(min(log_e + (a + b) * math.log(2), 700.0)),
    )  # fmt: skip


def _wilson(wins: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's interval of a share (Wilson 1927)."""
    if not n:
        return 0.0, 1.0
    share, grown = wins / n, 1 + z**2 / n
    middle = (share + z**2 / (2 * n)) / grown
    half = z / grown * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)
