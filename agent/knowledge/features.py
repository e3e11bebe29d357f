"""What a question and a passage have in common, as numbers. Pure but for the vectors it is given.

All are between 0 and 1 (cosines from -1), so that their weights can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.knowledge.kinds import asked_kind, shows_kind
from agent.knowledge.words import Word, rarity, words_of
from retrieval.query import Vectors

SAME_GROUP = 0.85
"""What a word counts that the passage has another word for."""
_NEAR_FROM, _NEAR_TO = 0.35, 0.75
NEAR_MOST = 0.75
"""A word close in meaning counts up to this."""

WordVectors = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, ready to be compared.

    Args:
        text: With typing errors corrected.
        sold: Words of it that name what the shop sells; passages on service need not have them.
    """

    text: str
    vector: Vectors
    words: tuple[Word, ...]
    sold: frozenset[str] = frozenset()
    kind: str | None = None

    @classmethod
    def of(cls, text: str, vector: Vectors, sold: frozenset[str] = frozenset()) -> Asked:
        """Return a question with its words and the kind of thing it asks for."""
        return cls(text, vector, words_of(text), sold, asked_kind(text))


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
    """

    id: str
    title: str
    text: str
    vector: Vectors
    sentences: tuple[Sentence, ...]
    under: str = ""
    title_vector: Vectors | None = None
    lexical: float = 0.0
    near: dict[str, float] = field(default_factory=dict, compare=False)


def weight_of(word: Word, asked: Asked) -> float:
    """Return how much depends on a word of a question."""
    weight = rarity(word.text)
    return 0.25 * weight if word.stem in asked.sold else weight


def matches(words: Sequence[Word], text_words: Sequence[Word]) -> dict[str, float]:
    """Return for each word how well a text has it: 1 itself, less another of its group, 0 not."""
    stems = {word.stem for word in text_words}
    groups = {word.group for word in text_words} - {None}
    return {
        word.stem: 1.0 if word.stem in stems else SAME_GROUP if word.group in groups else 0.0
        for word in words
    }


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


def features(asked: Asked, seen: Seen, vectors_of: WordVectors) -> dict[str, float]:
    """Return the features of a question and a passage."""
    all_words = words_of(f"{seen.title}\n{seen.text}")
    exact = matches(asked.words, all_words)
    missing = [word for word in asked.words if not exact[word.stem]]
    near = nearest(missing, all_words, vectors_of)
    soft = {stem: max(value, near.get(stem, 0.0)) for stem, value in exact.items()}
    dense = float(asked.vector @ seen.vector)
    by_sentence = [float(asked.vector @ one.vector) for one in seen.sentences]
    titled = float(asked.vector @ seen.title_vector) if seen.title_vector is not None else 0.0
    weights = {word.stem: weight_of(word, asked) for word in asked.words}
    lacking = {stem: weights[stem] * (1.0 - soft[stem]) for stem in soft}
    under = words_of(seen.under)
    text = f"{seen.under}\n{seen.text}"
    return {
        "dense": dense,
        "sentence": max(by_sentence, default=dense),
        "title": titled,
        "best": max([dense, titled, *by_sentence]),
        "exact": _share(exact, weights),
        "soft": _share(soft, weights),
        "missing": max(lacking.values(), default=0.0),
        "missing_sum": min(1.0, sum(lacking.values())),
        "heading": _share(matches(asked.words, under), weights),
        "heading_back": _back(under, asked.words),
        "lexical": seen.lexical,
        "kind": 0.0 if asked.kind is None else 1.0 if shows_kind(text, asked.kind) else -1.0,
        "words": min(1.0, len(asked.words) / 6),
        "none": 0.0 if asked.words else 1.0,
    }


def _share(match: dict[str, float], weights: dict[str, float]) -> float:
    total = sum(weights.values())
    return sum(weights[stem] * value for stem, value in match.items()) / total if total else 0.0


def _back(under: Sequence[Word], words: Sequence[Word]) -> float:
    """Return how much of a heading the question says."""
    weights = {word.stem: rarity(word.text) for word in under}
    return _share(matches(under, words), weights)
