"""Edits in words: what a person might type to get them. The phrases are in `phrases.toml`.

Knows facets and values; not which items satisfy anything, and nothing of how text is understood.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from finetune.critiques.format import Direction, Edits
from retrieval.catalog import Facet
from retrieval.filters import fold, singular, words

_SPEAKABLE = re.compile(r"[A-Za-z][A-Za-z0-9 '&.+-]{1,23}")
_MOST_WORDS = 3
_CODE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?")
"""A language as catalogs write it and nobody says it: "eng", "en-US"."""

_SIGNS = re.compile(r"[\W_]+")
_NO_VALUE = frozenset(
    ("na", "none", "no", "not", "yes", "true", "false", "other", "others", "unknown", "various",
     "default", "supported", "unsupported", "misc", "any", "all", "new", "unspecified", "generic")
)  # fmt: skip
"""Words of values that nobody asks for: they stand where there is no value."""

_FUNCTION_WORDS = frozenset(
    ("a", "an", "the", "and", "or", "but", "be", "is", "it", "me", "my", "we", "us", "you", "one",
     "on", "in", "by", "for", "from", "to", "of", "up", "only", "just", "so", "now", "next", "here",
     "mr", "ms", "hm", "hmm", "oh", "um", "ok")
)  # fmt: skip
"""Values that are nothing but these cannot be told from the sentence around them."""


@cache
def _phrases() -> dict[str, Any]:
    text = (files("finetune.critiques") / "phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def speakable(value: str) -> bool:
    """Return whether a value is one that people say: a short name made of letters."""
    own = words(value)
    return (
        bool(_SPEAKABLE.fullmatch(value))
        and 0 < len(own) <= _MOST_WORDS
        and not _NO_VALUE & set(own)
        and not set(own) <= _FUNCTION_WORDS
    )


def is_code(value: str) -> bool:
    """Return whether a language is written as a code."""
    return bool(_CODE.fullmatch(value))


def spelling(value: str) -> str:
    """Return a value without case, blanks, signs and plurals: one brand spelled as two is one."""
    return "".join(singular(_SIGNS.sub("", word)) for word in value.casefold().split())


def directions(facet: Facet) -> tuple[Direction, ...]:
    """Return the directions that people have words for on a facet."""
    sides: tuple[Direction, ...] = ("up", "down")
    return tuple(side for side in sides if comparatives(facet, side))


def comparatives(facet: Facet, direction: Direction) -> list[str]:
    """Return what people say for more or less of a facet; nothing where they have no word."""
    table: dict[str, dict[str, list[str]]] = _phrases()[direction]
    if facet.role is not None:
        return table["roles"].get(facet.role, [])
    label = words(facet.label)
    named = [name for name in table["names"] if words(name)[0] in label]
    return table["names"][named[0]] if named and len(label) <= _MOST_WORDS else []


class Speaker:
    """Says edits of one catalog.

    Args:
        facets: Every facet of the catalog: a value that stands on two of them is said with the
            facet's name.
    """

    def __init__(self, facets: Sequence[Facet]) -> None:
        self._facets = {facet.name: facet for facet in facets}
        self._seen = Counter(
            key for facet in facets for key in {_key(value) for value, _ in facet.values}
        )

    def say(self, edits: Edits, random: Random) -> str:
        """Return a critique that asks for some edits."""
        said = [self._change(facet, values, random) for facet, values in edits.change.items()]
        for facet, values in edits.negate.items():
            form = random.choice(self._forms("negate", facet, values[0]))
            said.append(form.format(v=self._value(values[0], random), label=self._label(facet)))
        for facet, direction in edits.relative.items():
            said.append(random.choice(comparatives(self._facets[facet], direction)))
        random.shuffle(said)
        frame: str = random.choice(_phrases()["frames"])
        return frame.format(edits=_together(said, random))

    def _change(self, facet: str, values: Sequence[str], random: Random) -> str:
        form = random.choice(self._forms("change", facet, values[0]))
        spoken = [self._value(value, random) for value in values]
        value = spoken[0]
        if len(spoken) > 1:
            value = random.choice(_phrases()["either"]).format(a=spoken[0], b=spoken[1])
        return form.format(v=value, label=self._label(facet))

    def _forms(self, section: str, facet: str, value: str) -> list[str]:
        table: dict[str, list[str]] = _phrases()[section]
        known = self._facets[facet]
        if known.role in table:
            return table[known.role]
        if self._seen[_key(value)] > 1:
            return table["named"]
        return next((table[name] for name in words(known.label) if name in table), table["plain"])

    def _value(self, value: str, random: Random) -> str:
        return value.casefold() if random.random() < 0.7 else value

    def _label(self, facet: str) -> str:
        return self._facets[facet].label.replace("_", " ").casefold()


def _key(value: str) -> str:
    return " ".join(words(fold(value)))


def _together(said: Sequence[str], random: Random) -> str:
    if len(said) == 1:
        return said[0]
    if len(said) == 2:
        return str(random.choice(_phrases()["together"])).format(a=said[0], b=said[1])
    return str(random.choice(_phrases()["three"])).format(a=said[0], b=said[1], c=said[2])
