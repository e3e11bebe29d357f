"""Words of questions and passages: their stems, what they share, how rare they are in English."""

from __future__ import annotations

import math
import re
import shlex
import threading
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import Stemmer

from retrieval.spelling import frequencies

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_COMMON = 3.0e9
"""Frequency of a word that says nothing."""
_UNSEEN = 2.0e4
"""Frequency of a word that is not in the list."""
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text.

    Args:
        stem: Its stem, case-folded.
        group: Number (from 1) of the group of words that mean the same; None for most words.
        within: Groups of wider words, of which it is a case.
    """

    text: str
    stem: str
    group: int | None = None
    within: tuple[int, ...] = ()

    @property
    def stems(self) -> tuple[str, ...]:
        """The stems of its words: two for a phrase."""
        return tuple(map(stem, self.text.split()))


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the stem of a word."""
    with _lock:  # a stemmer is not made for threads
        return str(_stemmer().stemWord(word.casefold().replace("’", "'").removesuffix("'s")))


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads((files("agent.knowledge") / "words.toml").read_text(encoding="utf-8"))


@cache
def _tables() -> tuple[dict[str, int], dict[tuple[str, str], int], frozenset[str]]:
    """Return the groups of single words and of pairs of words, and the empty words."""
    data = _data()
    single: dict[str, int] = {}
    pairs: dict[tuple[str, str], int] = {}
    for number, line in enumerate(data["same"], start=1):
        for entry in shlex.split(line):
            words = entry.replace("-", " ").split()
            if len(words) == 1:
                single.setdefault(stem(words[0]), number)
            else:
                pairs.setdefault((words[0], words[-1]), number)
    return single, pairs, frozenset(stem(word) for word in data["empty"].split())


@cache
def _wider() -> Mapping[str, tuple[int, ...]]:
    """Return the groups of wider words, by the stem of a case of them."""
    single, _, _ = _tables()
    found: dict[str, tuple[int, ...]] = {}
    for line in _data()["within"]:
        wide, _, cases = line.partition(":")
        for word in cases.split():
            found[stem(word)] = (*found.get(stem(word), ()), single[stem(wide)])
    return found


@cache
def _shown() -> tuple[tuple[int, re.Pattern[str]], ...]:
    """Return what stands for the words of a group."""
    single, _, _ = _tables()
    return tuple((single[stem(word)], re.compile(one)) for word, one in _data()["shows"].items())


@lru_cache(maxsize=4096)
def shown_in(text: str) -> frozenset[int]:
    """Return the groups whose words a text need not say: an amount is a price."""
    lower = text.casefold()
    return frozenset(group for group, pattern in _shown() if pattern.search(lower))


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[Word, ...]:
    """Return the words of a text that say what it is about, in order, each stem once."""
    single, pairs, empty = _tables()
    plain = [found[0].casefold() for found in _WORD.finditer(text)]
    result: dict[str, Word] = {}
    for first, gap in ((0, 1), (0, 2)):
        for one, two in zip(plain[first:], plain[gap:], strict=False):
            group = pairs.get((one, two))
            if group is not None:
                result.setdefault(f"{one} {two}", Word(f"{one} {two}", f"{one} {two}", group))
    taken = {word for pair in result for word in pair.split()}
    for word in plain:
        own = stem(word)
        if own not in empty and word not in taken and (len(own) > 1 or own.isdigit()):
            result.setdefault(own, Word(word, own, single.get(own), _wider().get(own, ())))
    return tuple(result.values())


def stems_at(text: str) -> list[tuple[int, int, str]]:
    """Return where each word of a text stands, and its stem."""
    return [(found.start(), found.end(), stem(found[0])) for found in _WORD.finditer(text)]


_LEADS_A_NOUN = frozenset(
    {
        "a", "an", "the", "to", "at", "in", "from", "for", "with", "by", "of", "my", "your", "our",
        "any", "on", "some", "this", "that", "these", "those", "his", "her", "their", "no", "into",
        "onto", "as",
    }
)  # fmt: skip


def objects_of(text: str) -> frozenset[str]:
    """Return the stems of words that end a noun phrase: "car" of "can I return a rental car"."""
    plain = [found[0].casefold() for found in _WORD.finditer(text)]
    stems = {word.stem for word in words_of(text)}
    found: set[str] = set()
    inside = False
    for place, word in enumerate(plain):
        if word in _LEADS_A_NOUN:
            inside = True
        elif stem(word) not in stems:
            inside = False
        elif place + 1 == len(plain) or stem(plain[place + 1]) not in stems:
            if inside or place + 1 == len(plain):
                found.add(stem(word))
            inside = False
    return frozenset(found)


@cache
def _members() -> tuple[tuple[str, ...], ...]:
    single, _, _ = _tables()
    lines = _data()["same"]
    return tuple(
        tuple(entry for entry in shlex.split(line) if single.get(stem(entry)) == number)
        for number, line in enumerate(lines, start=1)
    )


def vocabulary() -> tuple[str, ...]:
    """Return the single words that service desks and their customers use, in lower case."""
    return tuple(word for line in _members() for word in line if word.isalpha() and word.islower())


def others_of(words: Iterable[Word]) -> tuple[str, ...]:
    """Return the other words of the groups of words, one of each stem."""
    words = tuple(words)
    found: dict[str, str] = {}
    for word in words:
        for group in (word.group, *word.within):
            for other in _members()[group - 1] if group else ():
                found.setdefault(stem(other), other)
    return tuple(other for own, other in found.items() if own not in {one.stem for one in words})


def groups_of(words: Iterable[Word]) -> frozenset[int]:
    """Return the groups that words belong to."""
    return frozenset(word.group for word in words if word.group is not None)


@lru_cache(maxsize=50_000)
def rarity(word: str) -> float:
    """Return how rare a word is in English: near 0 for "time", 1 for what no dictionary has."""
    if " " in word:
        return 0.5
    count = frequencies().get(word.casefold(), 0)
    most, least = math.log(_COMMON), math.log(_UNSEEN)
    return min(1.0, max(0.1, (most - math.log(count + _UNSEEN)) / (most - least)))
