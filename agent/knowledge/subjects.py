"""Questions about a subject as a whole: "is this returnable", "return policy", "do you deliver".

No passage answers such a question alone, and those on the subject are about as good as each other,
so none is certain. What is asked for is what the pages say of it: the best passages that stand
under a heading of their own on the subject.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.knowledge.features import Asked, Seen, matches
from agent.knowledge.words import words_of

LOOKED_AT = 4
"""Of the passages, likeliest first, so many are looked at."""
FEWEST, MOST = 2, 2
"""So many of them must be on the subject, and so many are quoted."""


def of_subject(asked: Asked, ranked: Sequence[Seen]) -> list[Seen]:
    """Return the passages to quote; none where a question asks for something in particular.

    Args:
        ranked: Passages, likeliest first.
    """
    if len(asked.words) != 1 or asked.kind is not None or asked.added or asked.sold:
        return []
    headed = [seen for seen in ranked[:LOOKED_AT] if _has(seen.under, asked)]
    return headed[:MOST] if len(headed) >= FEWEST else []


def _has(heading: str, asked: Asked) -> bool:
    return all(matches(asked.words, words_of(heading)).values())
