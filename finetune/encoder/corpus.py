"""The items an encoder is tuned on, and which of them answer a query that was made from one.

Relevance is by what a query was made of: an item answers it when it has all the wanted facet
values and all the wanted words, whichever item the query came from. That keeps an item that is as
good an answer as the positive from being pushed away as a negative. This module makes no queries.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import Stemmer

from retrieval.catalog import Facet, Item
from retrieval.filters import words
from retrieval.texts import item_text

Value = tuple[str, str]
"""Name of a facet, and one of its values in lower case."""

_STEMMER = Stemmer.Stemmer("english")


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    return str(_STEMMER.stemWord(word))


def stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text's words, in order."""
    return tuple(map(_stem, words(text)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an item must have to answer a query: all of these values, all of these stems."""

    values: frozenset[Value] = frozenset()
    stems: frozenset[str] = frozenset()


class Corpus:
    """Items with their encoder texts, and what is in them."""

    def __init__(
        self, items: Sequence[Item], facets: Sequence[Facet], leading: Sequence[str]
    ) -> None:
        self.items = list(items)
        self.facets = tuple(facets)
        self.texts = [item_text(item, leading) for item in items]
        self.rows = {item.id: row for row, item in enumerate(items)}
        self.stems = [frozenset(stems(text)) for text in self.texts]
        self.values = [values_of(item) for item in items]
        self.groups = [group_of(item.title) for item in items]

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def title_frequency(self) -> Counter[tuple[str, ...]]:
        """How many titles have a stem, or two stems one after the other."""
        counts: Counter[tuple[str, ...]] = Counter()
        for item in self.items:
            found = stems(item.title)
            counts.update({(stem,) for stem in found} | set(pairwise(found)))
        return counts

    @cached_property
    def _postings(self) -> dict[str | Value, set[int]]:
        postings: dict[str | Value, set[int]] = defaultdict(set)
        for row in range(len(self)):
            for stem in self.stems[row]:
                postings[stem].add(row)
            for value in self.values[row]:
                postings[value].add(row)
        return dict(postings)

    def answers(self, row: int, wanted: Wanted) -> bool:
        """Return whether an item answers what was wanted."""
        return wanted.values <= self.values[row] and wanted.stems <= self.stems[row]

    def answering(self, wanted: Wanted) -> set[int]:
        """Return the rows of all items that answer what was wanted; nothing wanted: none do."""
        if not (wanted.values or wanted.stems):
            return set()
        known = self._postings
        found = [known.get(value, set()) for value in wanted.values]
        found += [known.get(stem, set()) for stem in wanted.stems]
        found.sort(key=len)
        return set.intersection(*found)


def values_of(item: Item) -> frozenset[Value]:
    """Return the facet values of an item that are words."""
    return frozenset(
        (name, value.lower())
        for name in item.fields
        for value in item.values(name)
        if isinstance(value, str)
    )


def group_of(title: str) -> str:
    """Return what near-duplicate titles share: their words in any order, without numbers."""
    return " ".join(sorted({stem for stem in stems(title) if not any(map(str.isdigit, stem))}))


def share_of(key: str, seed: int) -> float:
    """Return a number from 0 to 1 that depends on nothing but a key and the seed."""
    digest = hashlib.blake2b(f"{seed} {key}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def held_out(corpus: Corpus, share: float, seed: int) -> list[bool]:
    """Return for each item whether it is kept from training; near-duplicates stay together."""
    return [share_of(group or item.id, seed) < share for group, item in _grouped(corpus)]


def _grouped(corpus: Corpus) -> Iterable[tuple[str, Item]]:
    return zip(corpus.groups, corpus.items, strict=True)
