"""Degrees: "warmer", "too heavy", "easier" where no number of an item says how warm it is.

Where a facet's values stand in an order (levels, sizes), more and less are those beyond the items
spoken of. Else the texts are the only evidence: the adjective becomes a word to look for, with a
note that says so, or, where no text has it, something the catalog cannot go by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from agent.linking.found import Found
from agent.linking.lexicon import WHOLE, Lexicon
from agent.linking.text import Token, key_of, phrase_at, word_at
from agent.linking.vocabulary import read
from agent.plan import Mention, MentionKind
from retrieval.catalog import Facet, Item

_LISTED = ("categorical", "list")
_GUESS = 0.75
_NAMING = ("brand", "category")
_LEAST = 2
"""Values of an order that a facet must have."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A facet's values in their order, lowest first, and the words for more and for less."""

    facet: str
    values: tuple[str, ...]
    phrases: tuple[tuple[tuple[str, ...], bool], ...]

    def beyond(self, items: Sequence[Item], up: bool) -> tuple[str, ...]:
        """Return the values beyond those of some items; the last one where none is beyond."""
        order = self.values if up else self.values[::-1]
        own = [order.index(v) for item in items for v in item.values(self.facet) if v in order]
        if not own:
            return ()
        return order[max(own) + 1 :] or order[-1:]


@cache
def _adjectives() -> dict[str, Any]:
    return dict(read("degrees.toml")["adjectives"])


@cache
def _comparatives() -> dict[str, str]:
    rows = _adjectives().items()
    return {more: name for name, row in rows for more in row["more"].split()}


@cache
def _less(name: str) -> frozenset[str]:
    return frozenset(read("degrees.toml")["less"][name].split())


def _lessened(tokens: Sequence[Token], i: int) -> int:
    """Return where the adjective is that "too", "less" or "not so" at a token speaks of, or 0."""
    if word_at(tokens, i) in _less("no") and word_at(tokens, i + 1) in _less("so"):
        return i + 2
    after_no = word_at(tokens, i - 1) in _less("no")
    return i + 1 if word_at(tokens, i) in _less("words") and not after_no else 0


def _scale(facet: Facet, row: dict[str, str]) -> Scale | None:
    order = row["values"].split()
    ranked = [(name, value) for value, _ in facet.values for name in (_plain(value),)]
    known = sorted((order.index(name), value) for name, value in ranked if name in order)
    if facet.kind not in _LISTED or len(known) < _LEAST:
        return None
    sides = [(row["up"], True), (row["down"], False)]
    phrases = tuple((tuple(p.split()), up) for said, up in sides for p in said.split("|"))
    return Scale(facet.name, tuple(value for _, value in known), phrases)


def _plain(value: str) -> str:
    """Return a value as orders have it: "beginner" of "Beginner Level"."""
    return key_of(value).removesuffix("level")


class DegreeLinker:
    """Finds what is wanted more or less of.

    Args:
        lexicon: What names mean in the catalog.
        knows: Whether the catalog's texts contain a word.
    """

    def __init__(self, lexicon: Lexicon, knows: Callable[[str], bool]) -> None:
        rows = read("degrees.toml")["scale"]
        self._lexicon = lexicon
        self._scales = [one for f in lexicon.facets for row in rows if (one := _scale(f, row))]
        self._knows = knows

    def find(
        self, tokens: Sequence[Token], taken: Sequence[bool], spoken_of: Callable[[], list[Item]]
    ) -> list[Found]:
        """Return what is wanted more or less of, on free tokens.

        Args:
            spoken_of: The items that it is compared with.
        """
        free = list(taken)
        found: list[Found] = []
        for reader in (self._on_scales(tokens, spoken_of), self._by_words(tokens)):
            own = [one for one in reader if not any(free[one.first : one.last])]
            found += own
            for one in own:
                free[one.first : one.last] = [True] * (one.last - one.first)
        return found

    def _on_scales(
        self, tokens: Sequence[Token], spoken_of: Callable[[], list[Item]]
    ) -> Iterator[Found]:
        for scale in self._scales:
            for words, up in scale.phrases:
                for i in range(len(tokens)):
                    if phrase_at(tokens, i, words):
                        values = scale.beyond(spoken_of(), up)
                        last = i + len(words)
                        if values:
                            yield _found(tokens, i, last, "value", values, facet=scale.facet)

    def _by_words(self, tokens: Sequence[Token]) -> Iterator[Found]:
        for i, token in enumerate(tokens):
            name, last = _comparatives().get(token.word, ""), i + 1
            lessened = _lessened(tokens, i)
            if lessened:
                adjective = _adjectives().get(word_at(tokens, lessened), {})
                name, last = adjective.get("less", ""), lessened + 1
            if not name or word_at(tokens, last) == "ago":
                continue
            words = _adjectives().get(name, {"words": name})["words"].split()
            known = next((word for word in words if self._knows(word)), "")
            if known:
                yield from self._valued(tokens, i, last, words)
                note = f"not measured here; read as {known}"
                yield _found(tokens, i, last, "keyword", (known,), note=note)
            else:
                yield _found(tokens, i, last, "absent", ("degree",))

    def _valued(
        self, tokens: Sequence[Token], first: int, last: int, words: Sequence[str]
    ) -> Iterator[Found]:
        """Yield the value that is evidence too, as a guess: winter for what is to be warm."""
        meant = [entry for word in words for entry in self._lexicon.lookup(word)]
        for entry in meant[:1]:
            named = any(self._lexicon.has_role(entry.facet, role) for role in _NAMING)
            if entry.score >= WHOLE and not named:
                note = f"not measured here; read as {entry.values[0]}"
                yield _found(
                    tokens, first, last, "value", entry.values, entry.facet, note, score=_GUESS
                )


def _found(
    tokens: Sequence[Token],
    first: int,
    last: int,
    kind: MentionKind,
    values: tuple[str, ...],
    facet: str | None = None,
    note: str = "",
    score: float = 1.0,
) -> Found:
    mention = Mention(
        id="", kind=kind, start=tokens[first].start, end=tokens[last - 1].end, text="",
        facet=facet, values=values, note=note, score=score,
    )  # fmt: skip
    return Found(mention, first, last)
