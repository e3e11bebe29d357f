"""From a passage to the one to three sentences that are quoted, exactly as they stand in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.knowledge.features import Asked, Seen, matches, share
from agent.knowledge.kinds import shows_kind
from agent.knowledge.sentences import Sentence, sentences
from agent.knowledge.tokens import met
from agent.knowledge.values import CELLS
from agent.knowledge.words import Word, rarity, words_of

MOST = 3
SHORT_WORDS = 60
"""A passage of so few words, in three sentences at most, is quoted whole."""
ENOUGH_WORDS = 40
"""What is shorter is quoted with what stands beside it: a price without its condition misleads."""
TOKENS = 1.0
"""What closeness by tokens counts beside that by vectors."""
EARLIER = 0.06
"""How much the first sentence of a passage is ahead of its last: the rule stands before the
exceptions."""
CLOSE = 0.12
"""A neighbour so close to the best sentence is quoted with it."""
LEAD_WORDS = 10
LIST_WORDS = 70
"""So many words of steps are quoted together."""
TABLE_WORDS = 120
"""And so many of a table of which no row is asked for."""
_GOES_ON = re.compile(
    r"(?:this|that|these|those|it|they|then|after that|however|otherwise|if not|but|in that case|"
    r"please note|exceptions?)\b",
    re.IGNORECASE,
)


def excerpt(asked: Asked, seen: Seen) -> str:
    """Return the sentences of a passage that answer a question: a part of its text as it stands."""
    found = sentences(seen.text)
    is_short = len(found) <= MOST and len(seen.text.split()) <= SHORT_WORDS
    if is_short and CELLS not in seen.text:
        return seen.text
    scores = [
        _score(asked, one, seen, place) - EARLIER * place / len(found)
        for place, one in enumerate(found)
    ]
    best = max(range(len(found)), key=lambda place: scores[place])
    first = last = best
    while last + 1 < len(found) and last - first + 1 < MOST:
        after = found[last + 1]
        if not (_GOES_ON.match(after.text) or scores[last + 1] >= scores[best] - CLOSE):
            break
        if "\n\n" in seen.text[found[last].end : after.start]:
            break
        last += 1
    if last == best and last + 1 < len(found) and _leads(found[last].text):
        last += 1
    if first > 0 and last - first + 1 < MOST and _GOES_ON.match(found[first].text):
        first -= 1
    first, last = (
        _rows(asked, seen.text, found, best)
        or _steps(asked, seen.text, found, best)
        or _paragraph(seen.text, found, best)
        or _filled(seen.text, found, first, last)
    )
    return seen.text[found[first].start : found[last].end]


def _paragraph(text: str, found: Sequence[Sentence], best: int) -> tuple[int, int] | None:
    """Return the whole paragraph of a sentence where that is short."""
    start = text.rfind("\n", 0, found[best].start) + 1
    end = text.find("\n", found[best].start)
    end = len(text) if end < 0 else end
    inside = [n for n, one in enumerate(found) if start <= one.start < end]
    if len(inside) > MOST or len(text[start:end].split()) > SHORT_WORDS:
        return None
    if _leads(found[inside[-1]].text):
        return None
    return inside[0], inside[-1]


def _steps(asked: Asked, text: str, found: Sequence[Sentence], best: int) -> tuple[int, int] | None:
    """Return the whole list that a sentence is of: steps that are asked for, or no sentences."""
    if asked.kind != "method" and _is_whole(found[best].text):
        return None
    inside = _block(text, found, best)
    whole = text[found[inside[0]].start : found[inside[-1]].end]
    is_list = "\n" in whole and len(whole.split()) <= LIST_WORDS
    return (inside[0], inside[-1]) if is_list else None


def _rows(asked: Asked, text: str, found: Sequence[Sentence], best: int) -> tuple[int, int] | None:
    """Return the row of a table that a question names, else the whole table where that is short.

    A row is named by its first cell: that a figure is in a row says nothing of whether it is meant.
    """
    inside = [n for n in _block(text, found, best) if CELLS in found[n].text]
    if best not in inside or len(inside) < 2:
        return None
    added = [word for word in asked.words if word.stem in asked.added]
    for words in (added, asked.words):  # of "and to Norway?" Norway, not what was asked before
        named = [_named(words, found[n].text) for n in inside]
        if max(named)[0] and named.count(max(named)) == 1:
            place = inside[named.index(max(named))]
            return place, place
    whole = text[found[inside[0]].start : found[inside[-1]].end]
    return (inside[0], inside[-1]) if len(whole.split()) <= TABLE_WORDS else None


def _named(words: Sequence[Word], row: str) -> tuple[float, float]:
    """Return how many of some words the first cell of a row has, and which share of it they are."""
    cell = words_of(row.split(CELLS)[0].rpartition(": ")[2])
    had = sum(matches(words, cell).values())
    return had, had / len(cell) if cell else 0.0


def _block(text: str, found: Sequence[Sentence], place: int) -> list[int]:
    """Return the sentences of the paragraph, list or table that one of them is of."""
    start = text.rfind("\n\n", 0, found[place].start) + 1
    end = text.find("\n\n", found[place].start)
    end = len(text) if end < 0 else end
    return [n for n, one in enumerate(found) if start <= one.start < end]


def _leads(text: str) -> bool:
    """Return whether a sentence only names what is said after it."""
    return len(text.split()) <= LEAD_WORDS and not _is_whole(text)


def _is_whole(text: str) -> bool:
    return text.rstrip("\"'”’)").endswith((".", "!", "…"))


def _filled(text: str, found: Sequence[Sentence], first: int, last: int) -> tuple[int, int]:
    """Return a quote with its neighbours in the same paragraph, while it is short."""

    def fits(left: int, right: int) -> bool:
        whole = text[found[left].start : found[right].end]
        return len(whole.split()) <= ENOUGH_WORDS and "\n" not in whole

    while last - first + 1 < MOST:
        if last + 1 < len(found) and fits(first, last + 1):
            last += 1
        elif first > 0 and fits(first - 1, last) and not _GOES_ON.match(found[first - 1].text):
            first -= 1
        else:
            break
    return first, last


def _met(asked: Asked, seen: Seen, start: int, end: int) -> float:
    """Return how close the tokens of a sentence come to those of a question, on average."""
    if asked.tokens is None or seen.tokens is None:
        return 0.0
    closeness = met(asked.tokens, seen.tokens_of(start, end))
    return sum(closeness) / len(closeness) if closeness else 0.0


def _score(asked: Asked, one: Sentence, seen: Seen, place: int) -> float:
    """Return how well a sentence answers; it need not say again what its heading says."""
    text = one.text
    close = float(asked.vector @ seen.sentences[place].vector) if place < len(seen.sentences) else 0
    weights = {word.stem: asked.discount(word) * rarity(word.text) for word in asked.words}
    kind = asked.kind is not None and shows_kind(text, asked.kind)
    said = share(matches(asked.words, words_of(text)), weights)
    tokens = _met(asked, seen, one.start, one.end)
    return close + TOKENS * tokens + 0.3 * said + (0.15 if kind else 0.0)
