"""Brands that stand at the beginning of titles: "Peter England Men Party Blue Jeans"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from retrieval.filters import singular
from retrieval.loading.colours import BASIC
from retrieval.loading.derive import fold, tokenize
from retrieval.loading.values import missing, vocabulary

LEAST = 5
"""Titles a brand must begin."""
LONGEST = 4
DOMINANT = 0.8
"""Share of a prefix's titles that must go on with the same word for it to be part of the brand."""
SHARED = 0.9
"""Share of a first word's titles that two continuations must cover for both to be brands."""
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

INSIDE = frozenset({"of", "and", "the", "by", "new"})
"""Function words that may stand inside a brand."""

Prefix = tuple[str, ...]


def learn_brands(titles: Sequence[str], marks: Iterable[str]) -> tuple[str, ...]:
    """Return the brands that titles begin with, most frequent first; none on weak evidence.

    Args:
        marks: Values of audience, colour and category: a brand ends before the first of them.
    """
    stops = _stops(marks)
    runs = [_run(title, stops) for title in titles]
    counts, forms = _prefixes(words for words, _ in runs)
    divided = _divided(counts)
    found: Counter[Prefix] = Counter()
    closed = 0
    for words, stopped in runs:
        brand = _grow(tuple(map(fold, words)), counts, stops, divided)
        if brand:
            found[brand] += 1
            closed += stopped
    kept = [brand for brand, count in found.most_common() if count >= LEAST]
    if closed < EVIDENCE * len(titles) or sum(found[b] for b in kept) < EVIDENCE * len(titles):
        return ()
    return tuple(forms[brand].most_common(1)[0][0] for brand in kept)


def _prefixes(runs: Iterable[list[str]]) -> tuple[Counter[Prefix], dict[Prefix, Counter[str]]]:
    """Return how often each prefix begins a title, and how it is written."""
    counts: Counter[Prefix] = Counter()
    forms: dict[Prefix, Counter[str]] = {}
    for words in runs:
        for length in range(1, min(LONGEST, len(words)) + 1):
            prefix = tuple(map(fold, words[:length]))
            counts[prefix] += 1
            forms.setdefault(prefix, Counter())[" ".join(words[:length])] += 1
    return counts, forms


def _stops(marks: Iterable[str]) -> frozenset[str]:
    """Return the words that end a brand: of marks, in singular and plural."""
    stops = set(AUDIENCE | BASIC)
    for mark in marks:
        stops.update(map(fold, tokenize(mark)))
    stops |= {singular(word) for word in stops}
    return frozenset(stops | {f"{word}s" for word in stops})


def _run(title: str, stops: frozenset[str]) -> tuple[list[str], bool]:
    """Return the words of a title before the first stop, and whether that is a mark.

    The first word never ends a run: brands are called Red Tape and New Balance too.
    """
    words = tokenize(title)
    for number, word in enumerate(words[1:], 1):
        folded = fold(word)
        if folded in stops or (folded in FUNCTION and folded not in INSIDE):
            return words[:number], folded in stops
    return words, False


def _grow(
    words: Prefix, counts: Counter[Prefix], stops: frozenset[str], divided: frozenset[str]
) -> Prefix:
    """Return the frequent prefix that goes on as long as nearly all its titles agree how."""
    plain = bool(words) and words[0] not in stops and words[0] not in FUNCTION
    length = 1 if plain else 2
    if len(words) < length or counts[words[:length]] < LEAST or missing(" ".join(words)):
        return ()
    while length < min(LONGEST, len(words)):
        longer = words[: length + 1]
        alone = counts[longer] >= DOMINANT * counts[words[:length]]
        if counts[longer] < LEAST or not (alone or (length == 1 and words[0] in divided)):
            break
        length += 1
    return words[:length]


def _divided(counts: Counter[Prefix]) -> frozenset[str]:
    """Return the first words that two brands share ("John Miller", "John Players")."""
    following: dict[str, list[int]] = {}
    for prefix, count in counts.items():
        if len(prefix) == 2:
            following.setdefault(prefix[0], []).append(count)
    return frozenset(
        word
        for word, each in following.items()
        if sum(sorted(each)[-2:]) >= SHARED * counts[(word,)]
    )
