"""Two rankings into one: by their scores, or by their ranks. Pure; knows nothing of items."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

T = TypeVar("T", bound=Hashable)
Scale = Literal["ranks", "scores"]

RANK_CONSTANT = 60
"""Cormack et al., SIGIR 2009: large enough that one list's first place does not decide alone."""
TINY = 1e-9


def fuse(
    rankings: Sequence[Sequence[T]],
    weights: Sequence[float] | None = None,
    constant: float = RANK_CONSTANT,
) -> dict[T, float]:
    """Return the fused score of everything in the rankings, best first: reciprocal rank fusion.

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
    """How a ranking by meaning and one by words become one.

    A weight of 0 leaves a ranking out, but for what only it found, which then comes last.

    Args:
        constant: Of reciprocal rank fusion; nothing to fusion by scores.
        by: "ranks": weighted reciprocal rank fusion. "scores": `convex`.

    Raises:
        ValueError: If a weight or the constant is negative, both weights are 0, or `by` is neither.
    """

    dense: float = 1.0
    lexical: float = 1.0
    constant: float = RANK_CONSTANT
    by: Scale = "ranks"

    def __post_init__(self) -> None:
        if not (self.dense >= 0 and self.lexical >= 0 and self.constant >= 0):
            raise ValueError(f"expected weights and a constant of 0 or more, got {self!r}")
        if self.dense == self.lexical == 0:
            raise ValueError("one of the weights of a fusion must be more than 0")
        if self.by not in get_args(Scale):
            raise ValueError(f"expected fusion by ranks or by scores, got {self.by!r}")


EQUAL = Fusion()
"""Plain reciprocal rank fusion."""
PRIOR = Fusion(dense=0.7, lexical=0.3, by="scores")
"""What a catalog starts with (docs/retrieval.md says how it was chosen)."""


def convex(
    meaning: Sequence[tuple[T, float]],
    words: Sequence[tuple[T, float]],
    dense: float,
    lexical: float,
) -> dict[T, float]:
    """Return the weighted sum of normalised scores, best first.

    Each score is scaled between the lowest its kind can have and the best of the list: cosines by
    (c + 1) / (best + 1), BM25 by s / best (TM2C2 of Bruch et al., TOIS 2023). What the words did
    not find has 0 there; what only they found is as similar as the last of the other list, which it
    can't exceed.
    """
    scores: dict[T, float] = {}
    best = max(meaning[0][1] + 1, TINY) if meaning else 1.0
    for key, cosine in meaning:
        scores[key] = dense * (cosine + 1) / best
    last = dense * (meaning[-1][1] + 1) / best if meaning else 0.0
    most = max(words[0][1], TINY) if words else 1.0
    for key, score in words:
        scores[key] = scores.get(key, last) + lexical * score / most
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))


def combine(
    meaning: Sequence[tuple[T, float]], words: Sequence[tuple[T, float]], fusion: Fusion
) -> list[tuple[T, float]]:
    """Return what two rankings found with fused scores, best first: every engine's one definition.

    Args:
        meaning: (key, cosine similarity), best first.
        words: (key, BM25 score of more than 0), best first.
    """
    if fusion.by == "scores":
        return list(convex(meaning, words, fusion.dense, fusion.lexical).items())
    rankings = [[key for key, _ in meaning], [key for key, _ in words]]
    return list(fuse(rankings, [fusion.dense, fusion.lexical], fusion.constant).items())
