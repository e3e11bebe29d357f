"""Spelling of queries: words the catalog does not know, put as it would write them.

"5gal" becomes "5 gal", "nailgun" "nail gun" and "refrigerater" "refrigerator", for words and
encoder alike. A word the catalog has anywhere stays, as does a common English one. The search for
near words is SymSpell's. This module does not know engines; whether a word is in the catalog now
is asked of a function.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from retrieval.catalog import Item
from retrieval.filters import singular, text_of
from retrieval.lexical import QUERY_WORDS
from retrieval.project import replace_file

FILE = "words.json"
KEPT_WORDS = 50_000
"""The most frequent words of a catalog; rarer ones are asked for, and are no corrections."""
SHORTEST = 4
"""Shorter words have too many near ones."""
HALF = 3
"""Letters that either half of a compound has at least."""
FEWEST = 2
"""Items that have a word, at least, before another is corrected to it or cut into it."""
COMMON = 2_000_000
"""Corpus count from which an English word is taken to be meant as typed."""
KEPT = 20_000

_WORD = re.compile(r"[^\W_]+")
_PIECE = re.compile(r"\d+|[^\W\d_]+")
logger = logging.getLogger(__name__)


def count_words(items: Iterable[Item]) -> Counter[str]:
    """Return in how many items each word occurs, case-folded, endings kept."""
    counts: Counter[str] = Counter()
    for item in items:
        counts.update(set(_WORD.findall(text_of(item).casefold())))
    return counts


def write_words(folder: Path, items: Iterable[Item]) -> None:
    """Write the words of a catalog beside its index."""
    kept = dict(count_words(items).most_common(KEPT_WORDS))
    replace_file(folder / FILE, json.dumps(kept, ensure_ascii=False))


def read_words(folder: Path) -> dict[str, int]:
    """Return the words written beside an index; none where there is no such file."""
    try:
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {str(word): int(count) for word, count in data.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        logger.warning("%s is unusable, queries stay as spelt: %s", folder / FILE, error)
        return {}


@cache
def frequencies() -> Mapping[str, int]:
    """Return how often English words stand in a large corpus."""
    path = files("symspellpy") / "frequency_dictionary_en_82_765.txt"
    pairs = (line.split() for line in path.read_text(encoding="utf-8-sig").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}


@cache
def english() -> frozenset[str]:
    """Return the English words that are never corrected."""
    return frozenset(word for word, count in frequencies().items() if count >= COMMON)


class Spelling:
    """Puts queries as one catalog would write them.

    Args:
        counts: Words of the catalog with the number of items that have them.
        knows: Whether an item has a word now; asked for words that `counts` does not have.
    """

    def __init__(self, counts: Mapping[str, int], knows: Callable[[str], bool]) -> None:
        self._counts: Counter[str] = Counter()
        for word, count in counts.items():
            self._counts[singular(word)] += count
        self._words = {
            word: count
            for word, count in counts.items()
            if count >= FEWEST and len(word) >= SHORTEST and word.isalpha()
        }
        self._knows = knows
        self._near: Callable[[str], str | None] | None = None
        self._seen: dict[str, str] = {}

    def correct(self, text: str) -> str:
        """Return a query with its unknown words corrected; the rest of it stays as typed."""
        if not self._counts:
            return text
        found = list(_WORD.finditer(text))[:QUERY_WORDS]
        for match in reversed(found):
            word = match[0].casefold()
            better = self._better(word)
            if better != word:
                text = text[: match.start()] + better + text[match.end() :]
        return text

    def _better(self, word: str) -> str:
        # What is known is looked at each time: a word may have come into the catalog just now.
        if self._known(word):
            return word
        if word not in self._seen:
            if len(self._seen) >= KEPT:
                self._seen.clear()
            self._seen[word] = self._search(word)
        better = self._seen[word]
        return word if better == word or self._knows(word) else better

    def _known(self, word: str) -> bool:
        return self._counts[singular(word)] > 0

    def _search(self, word: str) -> str:
        if not word.isalpha():
            return " ".join(_PIECE.findall(word))
        if len(word) < SHORTEST:
            return word
        halves = self._halves(word)
        if halves or word in english():
            return halves or word
        return self._nearest(word) or word

    def _halves(self, word: str) -> str | None:
        """Return the two frequent words that a compound is made of, if there are."""
        cuts = [(word[:cut], word[cut:]) for cut in range(HALF, len(word) - HALF + 1)]
        best = max(cuts, key=self._frequency, default=None)
        return " ".join(best) if best and self._frequency(best) >= FEWEST else None

    def _frequency(self, words: tuple[str, str]) -> int:
        return min(self._counts[singular(word)] for word in words)

    def _nearest(self, word: str) -> str | None:
        if self._near is None:
            self._near = _symspell(self._words)
        return self._near(word)


def _symspell(counts: Mapping[str, int]) -> Callable[[str], str | None]:
    from symspellpy import SymSpell, Verbosity

    index = SymSpell(max_dictionary_edit_distance=1, prefix_length=7)
    for word, count in counts.items():
        index.create_dictionary_entry(word, count)

    def near(word: str) -> str | None:
        found = index.lookup(word, Verbosity.CLOSEST, max_edit_distance=1)
        return found[0].term if found else None

    return near
