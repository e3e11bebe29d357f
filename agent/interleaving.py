"""Two rankings in one slate: which items, which ranking picked each, and how a slate is named.

Team-draft interleaving (Radlinski, Kurup and Joachims 2008): the two rankings pick in turn, a coin
decides who is first in each round, and a choice counts for the ranking that picked the item. Pure;
what choices say is read by `finetune.experiments.interleaving`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Team = Literal["A", "B"]

INTERLEAVED = "interleave:"
"""How the policy of an interleaved slate begins; one letter per rank follows, as in "ABBA"."""

MOST_CHARACTERS = 64
"""Of a policy's name, as stores keep it."""


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


def policy_of(teams: Sequence[Team], rival: str) -> str:
    """Return the policy of an interleaved slate, e.g. "interleave:ABBAB+taste-2-9f8e7d6c".

    Args:
        rival: Name of the voice whose ranking is B's; A's is the voice of the turn.
    """
    return f"{INTERLEAVED}{''.join(teams)}+{rival}"[:MOST_CHARACTERS]
