"""What a question and a passage have in common, as numbers. Pure but for the vectors it is given.

All are between 0 and 1 (cosines from -1), so that their weights can be compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.knowledge.kinds import asked_kind, shows_kind
from agent.knowledge.tokens import by_word, met
from agent.knowledge.words import Word, objects_of, rarity, shown_in, words_of
from retrieval.query import Tokens, Vectors

SAME_GROUP = 0.85
"""What a word counts that the passage has another word for."""
SHOWN = 0.75
"""What a word counts whose meaning the passage shows without it."""
_NEAR_FROM, _NEAR_TO = 0.35, 0.75
NEAR_MOST = 0.75
"""A word close in meaning counts up to this."""

WordVectors = Callable[[Sequence[str]], Vectors]
Features = dict[str, float]
LIFT = 0.7
"""How close a word is that the passage has, in whatever context."""
_ALONE = 4.0
"""How far ahead a passage is that no other comes near."""
_CLOSE = 1.5
"""Passages of one page that are so near each other in rank are quoted together."""
_EVEN = 0.8
"""And passages of two pages."""
ALIKE = 0.8
"""Cosine from which two passages say much the same."""
_ADDED = 0.5
"""From which closeness on a passage has a word in other words."""
_SOLD = 0.25
"""What a word that names something of the catalog counts."""


class Corpus:
    """In how many passages each word is, itself or by another of its group.

    Args:
        texts: Of all passages, their headings with them.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._counts: Counter[str | int] = Counter()
        self._size = 0
        for text in texts:
            words = words_of(text)
            own = {key for word in words for key in (word.stem, word.group) if key}
            self._counts.update(own | shown_in(text))
            self._size += 1

    def knows(self, word: Word) -> bool:
        """Return whether any passage has a word."""
        return any(self._counts[key] for key in (word.stem, word.group, *word.within) if key)

    def weight(self, word: Word) -> float:
        """Return how much a word tells passages apart, 0 to 1."""
        count = max(self._counts[word.stem], self._counts[word.group] if word.group else 0)
        most = math.log(1 + (self._size + 0.5) / 0.5)
        return math.log(1 + (self._size - count + 0.5) / (count + 0.5)) / most


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, ready to be compared.

    Args:
        text: With typing errors corrected.
        sold: Words of it that name what the shop sells; passages on service need not have them.
        tokens: Of the text, where the encoder gives them.
        added: Stems of the words that it adds to the question it leans on.
    """

    text: str
    vector: Vectors
    words: tuple[Word, ...]
    sold: frozenset[str] = frozenset()
    kind: str | None = None
    tokens: Tokens | None = None
    added: frozenset[str] = frozenset()

    @classmethod
    def of(cls, text: str, vector: Vectors, sold: frozenset[str] = frozenset()) -> Asked:
        """Return a question with its words and the kind of thing it asks for."""
        return cls(text, vector, words_of(text), sold, asked_kind(text))

    def discount(self, word: Word) -> float:
        """Return what a word counts, 1 where it names nothing of the catalog."""
        return _SOLD if word.stem in self.sold else 1.0


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage with its vector."""

    text: str
    vector: Vectors


@dataclass(frozen=True, slots=True)
class Seen:
    """A passage as a candidate.

    Args:
        under: The heading right above it, often a question; with its vector where it has one.
        lexical: Its BM25 score as a share of the best one.
        page: The source and the outermost heading, which passages of one subject share.
        tokens: Of heading and text, where the encoder gives them.
    """

    id: str
    title: str
    text: str
    vector: Vectors
    sentences: tuple[Sentence, ...]
    under: str = ""
    title_vector: Vectors | None = None
    lexical: float = 0.0
    page: str = ""
    tokens: Tokens | None = None

    @property
    def whole(self) -> str:
        """Its headings and its text, which its tokens are of."""
        return f"{self.title}. {self.text}"

    def tokens_of(self, start: int, end: int) -> Tokens:
        """Return the tokens of a part of its text."""
        assert self.tokens is not None
        head = len(self.title) + 2
        own = [n for n, (at, _) in enumerate(self.tokens.spans) if start <= at - head < end]
        return Tokens(tuple(self.tokens.spans[n] for n in own), self.tokens.vectors[own])


def matches(
    words: Sequence[Word], text_words: Sequence[Word], shown: frozenset[int] = frozenset()
) -> dict[str, float]:
    """Return for each word how well a text has it: 1 itself, less in other words, 0 not at all.

    Args:
        shown: Groups of words that the text need not say, since it shows what they mean.
    """
    stems = {word.stem for word in text_words}
    groups = {word.group for word in text_words} - {None}

    def match(word: Word) -> float:
        if word.stem in stems:
            return 1.0
        if word.group in groups or not groups.isdisjoint(word.within):
            return SAME_GROUP
        return SHOWN if word.group in shown else 0.0

    return {word.stem: match(word) for word in words}


def nearest(
    missing: Sequence[Word], text_words: Sequence[Word], of: WordVectors
) -> dict[str, float]:
    """Return for words that a text lacks how near its nearest word is in meaning."""
    if not missing or not text_words:
        return {}
    ours = of([word.text for word in missing])
    theirs = of([word.text for word in text_words])
    best = (ours @ theirs.T).max(axis=1)
    scaled = np.clip((best - _NEAR_FROM) / (_NEAR_TO - _NEAR_FROM), 0.0, 1.0) * NEAR_MOST
    return {word.stem: float(value) for word, value in zip(missing, scaled, strict=True)}


def features(asked: Asked, seen: Seen, corpus: Corpus, vectors_of: WordVectors | None) -> Features:
    """Return the features of a question and a passage.

    Args:
        vectors_of: Gives the vectors of single words; without it only their letters count.
    """
    all_words = words_of(f"{seen.title}\n{seen.text}")
    exact = matches(asked.words, all_words, shown_in(seen.text))
    missing = [word for word in asked.words if not exact[word.stem]]
    near = nearest(missing, all_words, vectors_of) if vectors_of else {}
    soft = {stem: max(value, near.get(stem, 0.0)) for stem, value in exact.items()}
    return {
        **_by_vectors(asked, seen),
        **_by_words(asked, seen, corpus, exact, soft),
        **_by_tokens(asked, seen, corpus, exact),
        "lexical": seen.lexical,
        **_by_kind(asked, f"{seen.under}\n{seen.text}"),
        "words": min(1.0, len(asked.words) / 6),
        "none": 0.0 if asked.words else 1.0,
    }


def _by_vectors(asked: Asked, seen: Seen) -> Features:
    dense = float(asked.vector @ seen.vector)
    by_sentence = [float(asked.vector @ one.vector) for one in seen.sentences]
    titled = float(asked.vector @ seen.title_vector) if seen.title_vector is not None else 0.0
    return {
        "dense": dense,
        "sentence": max(by_sentence, default=dense),
        "title": titled,
        "best": max([dense, titled, *by_sentence]),
    }


def _by_words(
    asked: Asked, seen: Seen, corpus: Corpus, exact: Features, soft: Features
) -> Features:
    rare = {word.stem: asked.discount(word) * rarity(word.text) for word in asked.words}
    own = {word.stem: asked.discount(word) * corpus.weight(word) for word in asked.words}
    lacking = {word.stem: asked.discount(word) * (1.0 - soft[word.stem]) for word in asked.words}
    unknown = [lacking[word.stem] for word in asked.words if not corpus.knows(word)]
    under = words_of(seen.under)
    by_sentence = [
        share(matches(asked.words, (*under, *words_of(one.text)), shown_in(one.text)), own)
        for one in seen.sentences
    ]
    return {
        "exact": share(exact, own),
        "soft": share(soft, rare),
        "covered": share(soft, own),
        "together": max(by_sentence, default=0.0),
        "missing": max((rare[stem] * value for stem, value in lacking.items()), default=0.0),
        "lacking": max(lacking.values(), default=0.0),
        "unknown": max(unknown, default=0.0),
        "object": max((lacking.get(stem, 0.0) for stem in objects_of(asked.text)), default=0.0),
        "unknown_sum": min(1.0, sum(unknown) / 2),
        "heading": share(matches(asked.words, under), own),
        "heading_back": share(
            matches(under, asked.words), {word.stem: corpus.weight(word) for word in under}
        ),
    }


def _by_tokens(asked: Asked, seen: Seen, corpus: Corpus, exact: Features) -> Features:
    """Return how well the question's words are met in their context, or in words that are known."""
    if asked.tokens is None or seen.tokens is None:
        return {}
    closeness = met(asked.tokens, seen.tokens)
    if not closeness:
        return {}
    mean, least = sum(closeness) / len(closeness), min(closeness)
    close = by_word(asked.text, asked.tokens, closeness, asked.words)
    found = {stem: max(value, LIFT * exact[stem]) for stem, value in close.items()}
    own = {word.stem: asked.discount(word) * corpus.weight(word) for word in asked.words}
    missed = [asked.discount(word) * (1.0 - found.get(word.stem, 1.0)) for word in asked.words]
    alien = [
        asked.discount(word) * (1.0 - found.get(word.stem, 1.0))
        for word in asked.words
        if not corpus.knows(word)
    ]
    by_object = [found[stem] for stem in objects_of(asked.text) if stem in found]
    return {
        "token_all": mean,
        "token_least": least,
        "token_covered": share(found, {stem: own[stem] for stem in found}) if found else mean,
        "token_word": min(found.values(), default=least),
        "token_lacking": max(missed) if found else 1.0 - least,
        "token_alien": max(alien, default=0.0),
        "token_object": min(by_object or found.values(), default=least),
    }


def _by_kind(asked: Asked, text: str) -> Features:
    shows = asked.kind is not None and shows_kind(text, asked.kind)
    return {
        "kind_given": float(shows),
        "kind_lacking": float(asked.kind is not None and not shows),
    }


def adds(asked: Asked, seen: Seen) -> bool:
    """Return whether a passage has something of what a question adds to the one it leans on.

    "And what about a wedding?" is not answered by what answers the question before.
    """
    words = [word for word in asked.words if word.stem in asked.added]
    if not words:
        return True
    found = matches(words, words_of(f"{seen.title}\n{seen.text}"))
    if any(found.values()):
        return True
    if asked.tokens is None or seen.tokens is None:
        return False
    close = by_word(asked.text, asked.tokens, met(asked.tokens, seen.tokens), words)
    return max(close.values(), default=0.0) >= _ADDED


def share(match: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Return how much of the weight of words is matched."""
    total = sum(weights.values())
    return sum(weights[stem] * value for stem, value in match.items()) / total if total else 0.0


def chosen(ranks: Sequence[float], pages: Sequence[str]) -> int:
    """Return how many passages are quoted, best first: two where the second is close.

    Two of one page may be further apart.
    """
    if len(ranks) < 2:
        return len(ranks)
    return 2 if ranks[0] - ranks[1] < (_CLOSE if pages[0] == pages[1] else _EVEN) else 1


def standing(
    ranks: Sequence[float], found: Sequence[Features], vectors: Sequence[Vectors], quoted: int
) -> Features:
    """Return the features of the best passage beside those that would not be quoted.

    One that says much the same is no rival: pages repeat each other.

    Args:
        ranks: How each passage ranks, best first.
        vectors: Of each passage.
        quoted: How many would be.
    """
    best = found[0]
    alike = [float(vectors[0] @ one) for one in vectors]
    rivals = [n for n in range(quoted, len(ranks)) if alike[n] < ALIKE]
    others = [found[n]["best"] for n in rivals] or [0.0]
    gap = ranks[0] - ranks[rivals[0]] if rivals else _ALONE
    return best | {
        "gap": min(gap, _ALONE) / _ALONE,
        "stand": best["best"] - sum(others) / len(others),
    }
