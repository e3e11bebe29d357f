"""Reciprocal rank fusion: several rankings into one. Pure; knows nothing of items or scores."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
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
