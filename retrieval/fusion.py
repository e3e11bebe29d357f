"""Reciprocal rank fusion: several rankings into one. Pure; knows nothing of items or scores."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

RANK_CONSTANT = 60
"""Cormack et al., SIGIR 2009: large enough that one list's first place does not decide alone."""


def fuse(
    rankings: Sequence[Sequence[T]],
    weights: Sequence[float] | None = None,
    constant: float = RANK_CONSTANT,
) -> dict[T, float]:
    """Return the fused score of everything in the rankings, best first.

    Equal scores keep the order of first appearance, the first ranking before the second.

    Raises:
        ValueError: If there are not as many weights as rankings, or one is negative.
    """
    shares = [1.0] * len(rankings) if weights is None else list(weights)
    if len(shares) != len(rankings) or any(not share >= 0 for share in shares):
        raise ValueError(
            f"expected {len(rankings)} weights of 0 or more, one per ranking, got {shares!r}"
        )
    scores: dict[T, float] = {}
    for ranking, share in zip(rankings, shares, strict=True):
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + share / (constant + rank)
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))


@dataclass(frozen=True, slots=True)
class Fusion:
    """How a ranking by meaning and one by words become one: weighted reciprocal rank fusion.

    A weight of 0 leaves a ranking out, but for what only it found, which then comes last.

    Raises:
        ValueError: If a weight or the constant is negative, or both weights are 0.
    """

    dense: float = 1.0
    lexical: float = 1.0
    constant: float = RANK_CONSTANT

    def __post_init__(self) -> None:
        if not (self.dense >= 0 and self.lexical >= 0 and self.constant >= 0):
            raise ValueError(f"expected weights and a constant of 0 or more, got {self!r}")
        if self.dense == self.lexical == 0:
            raise ValueError("one of the weights of a fusion must be more than 0")


EQUAL = Fusion()


def combine(
    meaning: Sequence[tuple[T, float]], words: Sequence[tuple[T, float]], fusion: Fusion
) -> list[tuple[T, float]]:
    """Return what two rankings found with fused scores, best first: every engine's one definition.

    Args:
        meaning, words: (key, score of that ranking), best first.
    """
    rankings = [[key for key, _ in meaning], [key for key, _ in words]]
    return list(fuse(rankings, [fusion.dense, fusion.lexical], fusion.constant).items())
