"""Facets that no column holds: read out of a row's texts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from retrieval.catalog import FieldValue
from retrieval.loading import values
from retrieval.loading.colours import colours_in
from retrieval.loading.mapping import Derived

_WORD = re.compile(r"[^\W_]+(?:[.&'’+-]+[^\W_]+)*\.?")


@lru_cache(maxsize=4096)
def fold(word: str) -> str:
    """Return a word as it is compared."""
    return word.casefold().replace("’", "'").rstrip(".")


def tokenize(text: str) -> list[str]:
    """Return the words of a title as they stand there."""
    return _WORD.findall(text)


class Deriver:
    """Reads one derived facet out of rows."""

    def __init__(self, derived: Derived) -> None:
        self.derived = derived
        self._values = {
            tuple(fold(word) for word in tokenize(value)): value for value in derived.values
        }
        self._longest = max(map(len, self._values), default=0)

    def into(
        self, fields: dict[str, FieldValue], row: dict[str, Any], title: str, description: str
    ) -> None:
        """Put the facet into the fields of a row, unless the row brings its own value."""
        facet = self.derived.facet
        given = fields.pop(facet, None)
        if given is not None:
            single = isinstance(given, str) and self.derived.method == "colours"
            fields[facet] = (given,) if single else given  # type: ignore[assignment]
            return
        texts = [values.as_text(row.get(name)) for name in self.derived.sources]
        text = " \n ".join(filter(None, texts)) or f"{title} \n {description}"
        found = self.find(text)
        if found:
            fields[facet] = found

    def find(self, text: str) -> FieldValue | None:
        """Return what a text says about the facet, or None."""
        if self.derived.method == "colours":
            return colours_in(text) or None
        words = [fold(word) for word in tokenize(text)]
        if self.derived.method == "prefix":
            return self._at(words, 0)
        return self._phrase(words)

    def _at(self, words: list[str], start: int) -> str | None:
        """Return the longest value that stands at a place of a text."""
        for length in range(min(self._longest, len(words) - start), 0, -1):
            if value := self._values.get(tuple(words[start : start + length])):
                return value
        return None

    def _phrase(self, words: list[str]) -> str | None:
        """Return the longest value in a text; of equals, the last."""
        best: str | None = None
        size = 0
        for start in range(len(words)):
            value = self._at(words, start)
            if value and len(tokenize(value)) >= size:
                best, size = value, len(tokenize(value))
        return best
