"""What people's choices from slates of two rankings say about which is better.

Team-draft interleaving (Radlinski, Kurup and Joachims 2008; slates are made by
`agent.interleaving`): a choice counts for the ranking that picked the item. It needs tens of times
fewer users than an A/B test, and speaks about rankings only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from agent.interleaving import Interleaved, Team, team_draft

__all__ = ["Comparison", "Interleaved", "Team", "compare", "team_draft", "winner"]


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
