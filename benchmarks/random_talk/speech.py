"""A random speaker: utterances put together from a catalog's own words, and from noise.

It knows nothing of how utterances are understood. The same seed says the same things.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.random_talk.junk import junk
from retrieval.catalog import Facet, Item

JUNK = 0.05
MIXED = 0.10
NOISY = 0.25
_SLOT = re.compile(r"\{(\w+)\}")
_KEYBOARD = "qwertyuiopasdfghjklzxcvbnm"


@cache
def phrases() -> Mapping[str, Mapping[str, Any]]:
    """Return what is said, by kind."""
    return tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))


@cache
def _kinds() -> tuple[tuple[str, ...], tuple[int, ...]]:
    weights = {kind: one["weight"] for kind, one in phrases().items() if "weight" in one}
    return tuple(weights), tuple(weights.values())


@dataclass(frozen=True, slots=True)
class Words:
    """What a shop gives to talk about."""

    values: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]
    numbers: tuple[float, ...]
    texts: tuple[str, ...]
    titles: tuple[str, ...]

    @classmethod
    def of(cls, facets: Sequence[Facet], items: Iterable[Item]) -> Words:
        """Return the words of a catalog."""
        some = list(items)
        texts = [f"{item.title} {item.description[:300]}" for item in some[:200]]
        found = [tuple(value for value, _ in facet.values[:80]) for facet in facets]
        bounds = [(facet.low, facet.high, *facet.quantiles) for facet in facets]
        return cls(
            values=tuple(values for values in found if values),
            labels=tuple(facet.label for facet in facets) or ("price",),
            numbers=tuple(n for one in bounds for n in one if n is not None) or (10.0, 100.0),
            texts=tuple(text for text in texts if text.split()) or ("thing",),
            titles=tuple(item.title for item in some) or ("nothing",),
        )


class Speaker:
    """Says one thing after another; what is shown matters for titles only."""

    def __init__(self, chance: Random, words: Words) -> None:
        self._chance = chance
        self._words = words

    def say(self, shown: Sequence[str] = ()) -> str:
        """Return the next utterance.

        Args:
            shown: Titles of the items shown last.
        """
        chance = self._chance
        if chance.random() < JUNK:
            return junk(chance)
        text = self._phrase(shown)
        if chance.random() < MIXED:
            text += chance.choice(self._table("joint")) + self._phrase(shown)
        return self._noisy(text) if chance.random() < NOISY else text

    def _phrase(self, shown: Sequence[str]) -> str:
        kinds, weights = _kinds()
        kind = self._chance.choices(kinds, weights)[0]
        return self._fill(self._chance.choice(phrases()[kind]["say"]), shown)

    def _table(self, name: str) -> Sequence[str]:
        found: Sequence[str] = phrases()["slots"][name]
        return found

    def _fill(self, text: str, shown: Sequence[str]) -> str:
        return _SLOT.sub(lambda slot: self._slot(slot[1], shown), text)

    def _slot(self, name: str, shown: Sequence[str]) -> str:
        chance, words = self._chance, self._words
        match name:
            case "v":
                return self._value()
            case "n":
                return self._number()
            case "f":
                return chance.choice(words.labels)
            case "i":
                return str(chance.randint(0, 7))
            case "w":
                return self._text()
            case "t":
                return chance.choice(shown if shown and chance.random() < 0.7 else words.titles)
        table = {"b": "bound", "r": "reference", "d": "relative", "o": "order"}[name]
        return self._fill(chance.choice(self._table(table)), shown)

    def _value(self) -> str:
        chance = self._chance
        if not self._words.values or chance.random() < 0.05:
            return chance.choice(("blue", "shoes", "leather", "nonsuch", "red", "women"))
        value = chance.choice(chance.choice(self._words.values))
        return value.lower() if chance.random() < 0.7 else value

    def _number(self) -> str:
        chance = self._chance
        if chance.random() < 0.2:
            return chance.choice(self._table("number"))
        number = chance.choice(self._words.numbers) * chance.choice((0.5, 1, 1, 1.5))
        return f"{number:.2f}" if chance.random() < 0.2 else f"{number:.0f}"

    def _text(self) -> str:
        own = self._chance.choice(self._words.texts).split()
        start = self._chance.randrange(len(own))
        return " ".join(own[start : start + self._chance.choice((1, 1, 2, 3))])

    def _noisy(self, text: str) -> str:
        """Return a text with a typo or two, shouted, or with something around it."""
        chance, kind = self._chance, self._chance.random()
        if kind < 0.5:
            return _typo(chance, _typo(chance, text) if kind < 0.15 else text)
        if kind < 0.6:
            return text.upper()
        if kind < 0.7:
            return text.replace(" ", chance.choice(("  ", "\t", " - ", "")))
        if kind < 0.85:
            return chance.choice(self._table("opening")) + text
        return text + chance.choice(
            ("!", "!!1", " 🙏", "…", " ?", " pls", "\x07", " \u200d", " lol")
        )


def _typo(chance: Random, text: str) -> str:
    """Return a text with one letter lost, doubled, swapped or wrong."""
    if len(text) < 2:
        return text
    at = chance.randrange(len(text) - 1)
    left, here, following, right = text[:at], text[at], text[at + 1], text[at + 2 :]
    wrong = chance.choice(_KEYBOARD)
    middle = chance.choice((following, here * 2 + following, following + here, wrong + following))
    return left + middle + right
