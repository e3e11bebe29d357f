"""Spelling: unknown words are corrected towards the catalog's words and our own cue words.

A word is left alone when it is English and common, when it is a stop word, when the catalog knows
it, or when nothing is near enough. The search is SymSpell's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files

from symspellpy import SymSpell, Verbosity

from agent.linking.text import Token
from agent.linking.vocabulary import general, numbers, read

_COMMON = 2_000_000
"""Corpus count from which an English word is taken to be meant as typed."""


@cache
def english() -> frozenset[str]:
    """Return the English words that are never corrected."""
    path = files("symspellpy") / "frequency_dictionary_en_82_765.txt"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    pairs = (line.split() for line in lines)
    return frozenset(pair[0] for pair in pairs if len(pair) == 2 and int(pair[1]) >= _COMMON)


@cache
def _phrase_words() -> frozenset[str]:
    """Return the words of comparison and bound phrases, which are meant as typed."""
    rows = read("relatives.toml")["relative"]
    phrases = "|".join(row.get(k, "") for row in rows for k in ("more", "most")).split("|")
    bounds = [word for words, _ in (*numbers().before, *numbers().after) for word in words]
    return frozenset(word for phrase in phrases for word in phrase.split()) | frozenset(bounds)


class Speller:
    """Corrects tokens towards one catalog's vocabulary.

    Args:
        vocabulary: Norms of the catalog's facet values with their item counts.
        knows: Whether the catalog's texts contain a word.
    """

    def __init__(self, vocabulary: Mapping[str, int], knows: Callable[[str], bool]) -> None:
        self._knows = knows
        self._vocabulary = vocabulary
        self._index = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
        for word, count in vocabulary.items():
            if len(word) > 3:
                self._index.create_dictionary_entry(word, count + 1)
        for word in general().spelled:
            self._index.create_dictionary_entry(word, 1000)
        self._seen: dict[str, str] = {}

    def correct(self, token: Token) -> Token:
        """Return the token, its norm and word corrected where it is misspelt."""
        if len(token.norm) < 4 or not token.is_word or not token.norm.isalpha():
            return token
        better = self._seen.get(token.word)
        if better is None:
            better = self._best(token)
            if len(self._seen) < 50_000:
                self._seen[token.word] = better
        if better == token.norm:
            return token
        return replace(token, word=better, norm=better, corrected=True)

    def _best(self, token: Token) -> str:
        word = token.norm
        stop = general().stop
        if word in self._vocabulary or token.word in stop or word in stop:
            return word
        if token.word in _phrase_words():
            return word
        if token.word in english() or word in english() or self._knows(token.word):
            return word
        for candidate in (word, token.word):
            found = self._nearest(candidate)
            if found:
                return found
        return word

    def _nearest(self, word: str) -> str:
        distance = 2 if len(word) >= 8 else 1
        hits = self._index.lookup(word, Verbosity.CLOSEST, max_edit_distance=distance)
        same = [hit for hit in hits if hit.term[0] == word[0] or hit.term[:2] == word[1::-1]]
        return str(same[0].term) if same else ""
