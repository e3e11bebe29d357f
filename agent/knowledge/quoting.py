"""From a passage to the one to three sentences that are quoted, exactly as they stand in it."""

from __future__ import annotations

import re

from agent.knowledge.features import Asked, Seen, matches, share
from agent.knowledge.kinds import shows_kind
from agent.knowledge.sentences import sentences
from agent.knowledge.words import rarity, words_of

MOST = 3
SHORT_WORDS = 45
"""A passage of so few words, in three sentences at most, is quoted whole."""
CLOSE = 0.12
"""A neighbour so close to the best sentence is quoted with it."""
_GOES_ON = re.compile(
    r"(?:this|that|these|those|it|they|then|after that|however|otherwise|if not|but|in that case|"
    r"please note|exceptions?)\b",
    re.IGNORECASE,
)


def excerpt(asked: Asked, seen: Seen) -> str:
    """Return the sentences of a passage that answer a question: a part of its text as it stands."""
    found = sentences(seen.text)
    if len(found) <= MOST and len(seen.text.split()) <= SHORT_WORDS:
        return seen.text
    scores = [_score(asked, one.text, seen, place) for place, one in enumerate(found)]
    best = max(range(len(found)), key=lambda place: scores[place])
    first = last = best
    while last + 1 < len(found) and last - first + 1 < MOST:
        after = found[last + 1]
        if not (_GOES_ON.match(after.text) or scores[last + 1] >= scores[best] - CLOSE):
            break
        if "\n\n" in seen.text[found[last].end : after.start]:
            break
        last += 1
    if first > 0 and last - first + 1 < MOST and _GOES_ON.match(found[first].text):
        first -= 1
    return seen.text[found[first].start : found[last].end]


def _score(asked: Asked, text: str, seen: Seen, place: int) -> float:
    """Return how well a sentence answers; it need not say again what its heading says."""
    close = float(asked.vector @ seen.sentences[place].vector) if place < len(seen.sentences) else 0
    weights = {word.stem: asked.discount(word) * rarity(word.text) for word in asked.words}
    kind = asked.kind is not None and shows_kind(text, asked.kind)
    said = share(matches(asked.words, words_of(text)), weights)
    return close + 0.3 * said + (0.15 if kind else 0.0)
