"""BM25 of one item or query as weighted terms, for engines that score on a server.

The same definition as `retrieval.lexical`: its words, stems, stop words, repeats and constants. A
server adds up weights only, so the formula is cut in two (Lucene's BM25 as in Kamphuis et al., ECIR
2020): score = Σ over the query's stems of repeats × idf × tf part. This module knows no server, and
not how many items have a stem.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import Stemmer

from retrieval.catalog import Item
from retrieval.filters import text_of, words
from retrieval.lexical import K1, MAIN_REPEATS, QUERY_WORDS, STOP, B

_stemmer = Stemmer.Stemmer("english")


@dataclass(frozen=True, slots=True)
class Terms:
    """The stems of an item with their counts, those of title and description times `MAIN_REPEATS`.

    Args:
        length: All counts together: the length of the item's text as BM25 sees it, in tokens.
    """

    counts: dict[str, int]
    length: int


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))


def item_terms(item: Item) -> Terms:
    """Return the terms of an item's title, description and text fields."""
    counts: Counter[str] = Counter()
    main_words = len(words(item.title)) + len(words(item.description))
    for place, word in enumerate(words(text_of(item))):
        if word not in STOP:
            counts[_stem(word)] += MAIN_REPEATS if place < main_words else 1
    return Terms(dict(counts), counts.total())


def query_terms(text: str) -> dict[str, int]:
    """Return the stems of a query with how often each is asked; empty without a word to search."""
    kept = [word for word in words(text) if word not in STOP][:QUERY_WORDS]
    return dict(Counter(map(_stem, kept)))


def tf_part(count: int, length: int, mean: float) -> float:
    """Return what an item's words contribute: count / (k1 (1 - b + b length / mean) + count).

    Args:
        length: Of this item, in tokens.
        mean: Length of the items of the index on average, more than 0.
    """
    return count / (K1 * (1 - B + B * length / mean) + count)


def idf(frequency: int, items: int) -> float:
    """Return the weight of a stem: ln(1 + (N - n + .5) / (n + .5)).

    Args:
        frequency: n, how many items have the stem.
        items: N, how many items there are.
    """
    return math.log(1 + (items - frequency + 0.5) / (frequency + 0.5))


@lru_cache(maxsize=200_000)
def stem_id(stem: str) -> int:
    """Return a stem's number, 0 to 2**32 - 1, the same in every process and version.

    Two stems may share a number: with a million stems, a word of a query does with a chance of
    1 in 4,300, and then also finds the items of a stem that is most likely as rare.
    """
    return int.from_bytes(hashlib.blake2b(stem.encode("utf-8"), digest_size=4).digest(), "little")


def item_weights(terms: Terms, mean: float) -> dict[int, float]:
    """Return the tf part of each stem by its number."""
    weights: dict[int, float] = {}
    for stem, count in terms.counts.items():
        number = stem_id(stem)
        weights[number] = weights.get(number, 0.0) + tf_part(count, terms.length, mean)
    return weights


def query_weights(text: str) -> dict[int, int]:
    """Return how often each stem of a query is asked, by its number."""
    weights: Counter[int] = Counter()
    for stem, count in query_terms(text).items():
        weights[stem_id(stem)] += count
    return dict(weights)
