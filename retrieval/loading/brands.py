"""Brands that stand at the beginning of titles: "Peter England Men Party Blue Jeans"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from retrieval.filters import singular
from retrieval.loading.colours import BASIC
from retrieval.loading.derive import fold, tokenize
from retrieval.loading.values import vocabulary

LEAST = 5
"""Titles a brand must begin."""
LONGEST = 4
DOMINANT = 0.8
"""Share of a prefix's titles that must go on with the same word for it to be part of the brand."""
EVIDENCE = 0.5
"""Share of titles that must have the form brand, then a word such as Men, Blue or Shirt."""
AUDIENCE = vocabulary(
    "men women unisex kids boys girls men's women's mens womens boy's girl's boy girl man woman "
    "male female kid kids' baby unisex's him her ladies gents boys' girls' teen adults"
)
FUNCTION = vocabulary(
    "the a an of for and to how learn your my our with in on from by is are what why when new best "
    "introduction complete beginner beginners all set pack combo"
)

Prefix = tuple[str, ...]


def learn_brands(titles: Sequence[str], marks: Iterable[str]) -> tuple[str, ...]:
    """Return the brands that titles begin with, most frequent first; none on weak evidence.

    Args:
        marks: Values of audience, colour and category: a brand ends before the first of them.
    """
    stops = _stops(marks)
    runs = [_run(title, stops) for title in titles]
    counts: Counter[Prefix] = Counter()
    forms: dict[Prefix, Counter[str]] = {}
    for words, _ in runs:
        for length in range(1, min(LONGEST, len(words)) + 1):
            prefix = tuple(fold(word) for word in words[:length])
            counts[prefix] += 1
            forms.setdefault(prefix, Counter())[" ".join(words[:length])] += 1
    found: Counter[Prefix] = Counter()
    closed = 0
    for words, stopped in runs:
        brand = _grow(tuple(fold(word) for word in words), counts)
        if brand:
            found[brand] += 1
            closed += stopped
    kept = [brand for brand, count in found.most_common() if count >= LEAST or counts[brand] >= 9]
    if closed < EVIDENCE * len(titles) or sum(found[b] for b in kept) < EVIDENCE * len(titles):
        return ()
    return tuple(forms[brand].most_common(1)[0][0] for brand in kept)


def _stops(marks: Iterable[str]) -> set[str]:
    """Return the words that end a brand: of marks, in singular and plural."""
    stops = set(AUDIENCE) | set(BASIC)
    for mark in marks:
        for word in tokenize(mark):
            stops.add(fold(word))
    stops |= {singular(word) for word in stops}
    return stops | {f"{word}s" for word in stops}


def _run(title: str, stops: set[str]) -> tuple[list[str], bool]:
    """Return the words of a title before the first stop, and whether one follows."""
    words = tokenize(title)
    for number, word in enumerate(words):
        folded = fold(word)
        if folded in stops:
            return words[:number], True
        if folded in FUNCTION and number == 0:
            return [], False
        if folded in FUNCTION and folded not in ("of", "and", "the", "by"):
            return words[:number], True
    return words, False


def _grow(words: Prefix, counts: Counter[Prefix]) -> Prefix:
    """Return the longest frequent prefix each of whose steps is dominated by one next word."""
    if not words or counts[words[:1]] < LEAST:
        return ()
    length = 1
    while length < min(LONGEST, len(words)):
        longer = words[: length + 1]
        if counts[longer] < DOMINANT * counts[words[:length]] or counts[longer] < LEAST:
            break
        length += 1
    return words[:length]
