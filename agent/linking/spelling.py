"""Spelling: unknown words are corrected towards the catalog's words and our own cue words.

A word is left alone when it is English and common, when it is a stop word, when the catalog knows
it, or when nothing is near enough. Short words have many neighbours, so only a letter left out or
two letters turned round are mended in them. Words written together are taken apart. The search is
SymSpell's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from symspellpy import SymSpell, Verbosity

from agent.linking.text import Token, norm
from agent.linking.vocabulary import general, numbers, pointing, read
from retrieval.spelling import english, frequencies

_RARER = 30
"""A common short word this many times rarer than the same with one more letter is misspelt."""

_SHORT = 4
"""Letters of words that have too many neighbours for a free search."""

_LEAST_PART = 3
"""Letters of a word that was written together with another, at least."""

_OFTENER = 200
"""A word that the catalog has is meant as typed, unless a near name is so many times oftener."""

_MEMORY = 50_000
_DOUBLED = re.compile(r"([b-df-hj-np-tv-z])\1")
_TINY = frozenset({"in", "me", "no", "to", "my"})
"""Words of two letters that are written together with others: "inbrown"."""
_WORD = re.compile(r"(?<![a-z'<])[a-z]{3,}(?![a-z'])")
_WITH_NUMBER = re.compile(r"([^\W\d_]{3,})(\d+)k?")


@cache
def _phrase_words() -> frozenset[str]:
    """Return the words of comparison and bound phrases, which are meant as typed."""
    rows = read("relatives.toml")["relative"]
    phrases = "|".join(row.get(k, "") for row in rows for k in ("more", "most")).split("|")
    bounds = [word for words, _ in (*numbers().before, *numbers().after) for word in words]
    return frozenset(word for phrase in phrases for word in phrase.split()) | frozenset(bounds)


@cache
def _only_stop() -> frozenset[str]:
    """Return the words of which two together are no sign of a missing blank: "someone"."""
    return general().stop - _phrase_words()


@cache
def _before_numbers() -> frozenset[str]:
    """Return the words that are written together with a number: "under50", "size42"."""
    bounds = {word for words, _ in numbers().before for word in words}
    return frozenset({*bounds, *pointing().numbering, "size", "page", "list"})


class Speller:
    """Corrects tokens towards one catalog's vocabulary.

    Args:
        vocabulary: Norms of the catalog's facet values with their item counts.
        occurs: How many of the catalog's texts contain a word.
        kinds: The words of it that short words are corrected towards: what things are called, not
            who made them, as people have all kinds of short names.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        occurs: Callable[[str], int],
        kinds: Collection[str] = (),
    ) -> None:
        self._occurs = occurs
        self._vocabulary = vocabulary
        self._index = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
        for word, count in vocabulary.items():
            if len(word) >= _SHORT:
                self._index.create_dictionary_entry(word, count + 1)
        for word in general().spelled:
            self._index.create_dictionary_entry(word, 1000)
        named = {word: vocabulary.get(word, 0) + 1 for word in kinds}
        self._short = _neighbours({**dict.fromkeys(general().spelled, 1000), **named})
        self._seen: dict[str, str] = {}
        self._parts: dict[str, int] = {}

    def parted(self, tokens: Iterable[Token]) -> Iterator[Token]:
        """Yield the tokens, words that were written together each by itself: "blackdress"."""
        for token in tokens:
            at = self._parts.get(token.word)
            if at is None:
                at = self._boundary(token)
                if len(self._parts) < _MEMORY:
                    self._parts[token.word] = at
            if not at or len(token.word) != len(token.text):
                yield token
                continue
            for first, last in ((0, at), (at, len(token.text))):
                text, word = token.text[first:last], token.word[first:last]
                start, own = token.start + first, norm(word) if word.isalpha() else word
                part = Token(text, start, start + len(text), word, own, token.glued and not first)
                yield from self.parted((part,))

    def _boundary(self, token: Token) -> int:
        """Return where the second of two words begins that a token is made of; 0 for one word."""
        word = token.word
        if not token.is_word or self._is_one(token):
            return 0
        numbered = _WITH_NUMBER.fullmatch(word)
        if numbered is not None:
            bounds = numbered[1] in _before_numbers() or self._between(numbered[1])
            return numbered.end(1) if bounds else 0
        return self._between(word) if word.isalpha() else 0

    def _between(self, word: str) -> int:
        """Return where the second of two known words begins; the more even cut of several."""
        places = range(2, len(word) - _LEAST_PART + 1)
        found = [at for at in places if self._are_parts(word[:at], word[at:])]
        meant = [at for at in found if not {word[:at], word[at:]} <= _only_stop()]
        return max(meant, key=lambda at: min(at, len(word) - at), default=0)

    def _are_parts(self, first: str, second: str) -> bool:
        """Return whether both are words: known ones, or behind a word of ours any that occurs."""
        if len(first) < _LEAST_PART and first not in _TINY:
            return False
        ours = first in _TINY or first in general().stop
        if not (ours or (self._is_part(first) and second not in general().stop)):
            return False  # "lockdown" is no lock
        if self._is_part(second) or (ours and self._between(second) > 0):
            return True
        return ours and len(second) > _SHORT and second in english() and self._occurs(second) > 0

    def _is_one(self, token: Token) -> bool:
        own = {token.word, token.norm}
        meant = own & _phrase_words() or own & general().stop
        return (
            bool(meant)
            or token.word in frequencies()
            or token.norm in self._vocabulary
            or self._occurs(token.word) > 0
        )

    def _is_part(self, word: str) -> bool:
        if word in general().spelled or word in _phrase_words() or word in numbers().words:
            return True
        return norm(word) in self._vocabulary or word in general().stop

    def correct(self, token: Token) -> Token:
        """Return the token, its norm and word corrected where it is misspelt."""
        if len(token.word) < _LEAST_PART or not token.is_word or not token.norm.isalpha():
            return token
        better = self._seen.get(token.word)
        if better is None:
            better = self._best(token)
            if len(self._seen) < _MEMORY:
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
        texts = self._occurs(token.word)
        common = token.word in english() or word in english()
        unmeant = "" if common or texts else _mistyped_stop().get(token.word, "")
        for candidate in dict.fromkeys((word, token.word)):
            found = self._near_short(candidate) if len(candidate) <= _SHORT else ""
            if common and found and not _much_rarer(candidate, found):
                found = ""
            if not found and not common and len(word) >= _SHORT:
                found = unmeant or self._undoubled(candidate) or self._nearest(candidate)
            if found and self._vocabulary.get(found, 0) >= _OFTENER * texts:
                return found
        return unmeant or word

    def _near_short(self, word: str) -> str:
        """Return the word that lacks one letter, or in which two are turned round, or ""."""
        found = self._short.get(word, "")
        return found if found in general().spelled else norm(found)

    def _undoubled(self, word: str) -> str:
        """Return a word with a letter too many left out, where that is known: "nutt"."""
        single = _DOUBLED.sub(r"\1", word)
        known = single in self._vocabulary or self._occurs(single) > 0
        return single if single != word and known else ""

    def _nearest(self, word: str) -> str:
        distance = 2 if len(word) >= 8 else 1
        hits = self._index.lookup(word, Verbosity.CLOSEST, max_edit_distance=distance)
        same = [hit for hit in hits if hit.term[0] == word[0] or hit.term[:2] == word[1::-1]]
        return str(same[0].term) if same else ""


def _neighbours(counts: Mapping[str, int]) -> dict[str, str]:
    """Return short misspellings, with the most frequent word that each may stand for."""
    best: dict[str, str] = {}
    for word, count in counts.items():
        if not word.isalpha() or not _LEAST_PART <= len(word) <= _SHORT + 1:
            continue
        lacking = _lacking_one(word) if len(word) > _LEAST_PART else set()
        for wrong in lacking | (_turned(word) if len(word) <= _SHORT else set()):
            if count > counts.get(best.get(wrong, ""), 0):
                best[wrong] = word
    return best


def _lacking_one(word: str) -> set[str]:
    """Return a word without one of its letters; the first one stays."""
    return {word[:i] + word[i + 1 :] for i in range(1, len(word))}


def _turned(word: str) -> set[str]:
    """Return a word with two neighbouring letters turned round."""
    pairs = range(len(word) - 1)
    return {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in pairs} - {word}


def mended(text: str) -> str:
    """Return a text in lower case with mistyped words of ours set right: "wihtout sugar"."""
    return _WORD.sub(_mended_word, text)


def _mended_word(match: re.Match[str]) -> str:
    word = match.group()
    meant = word in english() or word in general().stop
    return word if meant else _mistyped_stop().get(word, word)


@cache
def _mistyped_stop() -> dict[str, str]:
    """Return stop words as they are mistyped, with what was meant: "abot", "teh"."""
    found: dict[str, str] = {}
    for word in sorted(general().stop):
        if word.isalpha() and len(word) >= _LEAST_PART:
            lacking = _lacking_one(word) if len(word) >= _SHORT else set()
            found |= dict.fromkeys(lacking | _turned(word), word)
    return found


def _much_rarer(word: str, other: str) -> bool:
    """Return whether a word with a letter left out is hardly ever meant: "blu" beside "blue"."""
    longer = len(other) > len(word)
    known = frequencies()
    return longer and known.get(word, 0) * _RARER < known.get(other, 0)
