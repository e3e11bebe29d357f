"""Facets that no column holds: read out of a row's texts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from retrieval.catalog import FieldValue
from retrieval.filters import singular
from retrieval.loading import values
from retrieval.loading.colours import colours_in
from retrieval.loading.mapping import Derived

_TAIL = re.compile(
    r"[,;(\[]|\s[-–|]\s|\s(?:for|with|w/|compatible|incl\.?|including|without|designed)\s", re.I
)
_WORD = re.compile(r"[^\W_]+(?:[.&'’+-]+[^\W_]+)*\.?")


@lru_cache(maxsize=4096)
def fold(word: str) -> str:
    """Return a word as it is compared."""
    return word.casefold().replace("’", "'").rstrip(".")


def tokenize(text: str) -> list[str]:
    """Return the words of a title as they stand there."""
    return _WORD.findall(text)


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return a word folded and in the singular."""
    return singular(fold(word))


def head_of(title: str) -> str:
    """Return the part of a title that says what it is, before "for", "with", a bracket, …"""
    head = _TAIL.split(title, maxsplit=1)[0]
    return head if len(head) > 3 else title


def _cell(row: dict[str, Any], name: str) -> Any:
    """Return a cell of a row, or of a free map in it ("attributes.product_type")."""
    within, dot, key = name.partition(".")
    if dot and name not in row and isinstance(row.get(within), dict):
        return row[within].get(key)
    return row.get(name)


class Deriver:
    """Reads one derived facet out of rows."""

    def __init__(self, derived: Derived) -> None:
        self.derived = derived
        self._fold = stem if derived.method == "phrase" else fold
        self._values = {
            tuple(self._fold(word) for word in tokenize(value)): value for value in derived.values
        }
        self._longest = max(map(len, self._values), default=0)

    def into(
        self, fields: dict[str, FieldValue], row: dict[str, Any], title: str, description: str
    ) -> None:
        """Put the facet into the fields of a row, unless the row brings its own value."""
        facet = self.derived.facet
        given = fields.pop(facet, None)
        if given is not None:
            single = isinstance(given, str) and self.derived.method != "prefix"
            fields[facet] = (given,) if single else given  # type: ignore[assignment]
            return
        texts = [values.as_text(_cell(row, name)) for name in self.derived.sources]
        texts = [text for text in texts if text] or [title, description]
        if self.derived.method == "colours":
            texts = [" \n ".join(texts)]
        for text in texts:
            found = self.find(text)
            if found is not None:
                fields[facet] = found
                return

    def find(self, text: str) -> FieldValue | None:
        """Return what a text says about the facet, or None."""
        if self.derived.method == "colours":
            return colours_in(text) or None
        if self.derived.method == "prefix":
            return self._at([fold(word) for word in tokenize(text)], 0)
        return self._phrases(head_of(text)) or self._phrases(text)

    def _at(self, words: list[str], start: int) -> str | None:
        """Return the longest value that stands at a place of a text."""
        for length in range(min(self._longest, len(words) - start), 0, -1):
            if value := self._values.get(tuple(words[start : start + length])):
                return value
        return None

    def _phrases(self, text: str) -> tuple[str, ...] | None:
        """Return the longest value in a text (of equals, the last), and the values it ends with.

        A "patch cable" is a "cable" too.
        """
        words = [stem(word) for word in tokenize(text)]
        best: tuple[int, int] = (0, 0)
        for start in range(len(words)):
            for size in range(min(self._longest, len(words) - start), max(best[1], 1) - 1, -1):
                if tuple(words[start : start + size]) in self._values:
                    best = (start, size)
                    break
        start, size = best
        suffixes = (tuple(words[at : start + size]) for at in range(start, start + size))
        return tuple(self._values[part] for part in suffixes if part in self._values) or None
