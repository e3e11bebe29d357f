"""Is a clause about the shop's service, or about items? What a decision rests on, as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.knowledge.words import groups_of, words_of

_QUESTION = re.compile(
    r"^\W*(?:and |also |but |so |hi |hello |hey |ok(?:ay)? )*"
    r"(?:how|what|when|where|who|which|why|can|could|do|does|did|is|are|will|would|may|should|am|have|has)\b|\?\s*$",
    re.IGNORECASE,
)
_SHOPPING = re.compile(
    r"\b(?:show|find|recommend|suggest|looking for|search(?:ing)? for|something|any(?:thing)? in|"
    r"do you have|do you sell|have you got|got any|cheaper|similar|more like|"
    r"i want (?:a|an|some)\b|"
    r"i need (?:a|an|some)\b|i.m after|the (?:first|second|third|last) one|add to|under \W?\d+|"
    r"below \W?\d+|instead of|rather than|in (?:red|blue|black|white|green))\b",
    re.IGNORECASE,
)
_US = re.compile(r"\b(?:you|your|you.re|shop|store|website|site)\b", re.IGNORECASE)
_MINE = re.compile(r"\bmy (?:\w+ )?(?:order|parcel|package|account|refund|payment|return|data|card|"
                   r"invoice|password|subscription|membership|money|details|delivery)\b",
                   re.IGNORECASE)  # fmt: skip


def relevance_features(
    clause: str, passage: Mapping[str, float], answered: float, sold: bool
) -> dict[str, float]:
    """Return the features of a clause, given those of the passage that suits it best.

    Args:
        answered: How sure that passage answers it.
        sold: Whether it names something of the catalog.
    """
    words = words_of(clause)
    named = {f"page_{name}": value for name, value in passage.items()}
    return named | {
        "answered": answered,
        "service": min(1.0, len(groups_of(words)) / 2),
        "question": float(_QUESTION.search(clause) is not None),
        "shopping": float(_SHOPPING.search(clause) is not None),
        "us": float(_US.search(clause) is not None),
        "mine": float(_MINE.search(clause) is not None),
        "sold": float(sold),
        "long": min(1.0, len(clause.split()) / 25),
        "short": float(len(words) <= 1),
    }
