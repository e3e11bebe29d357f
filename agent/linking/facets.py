"""Facet names: how people call a catalog's columns, and the directions they ask for.

"the price", "any colour", "cheaper", "better rated", "more lectures", "the widest".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from agent.linking.found import Found
from agent.linking.text import Token, norm, phrase_at, tokenize
from agent.linking.vocabulary import adjectives, comparatives, general, read
from agent.plan import ORDER, Mention
from retrieval.catalog import Facet

Direction = Literal["up", "down"]


_GENERAL = frozenset(norm(w) for role in ("price", "rating") for w in general().roles[role])
"""Words that alone mean the rating or price of anything, not a few items' "surge rating"."""

_RARE = 0.3
"""Share of items below which a field is not meant by such a word alone."""


@dataclass(frozen=True, slots=True)
class Relative:
    """A comparative or superlative phrase: its words, facet and direction."""

    words: tuple[str, ...]
    facet: str
    direction: Direction
    superlative: bool


def _label_norms(facet: Facet) -> tuple[str, ...]:
    return _norms(facet.label)


@lru_cache(4_096)
def _norms(label: str) -> tuple[str, ...]:
    return tuple(token.norm for token in tokenize(label) if token.is_word)


_EVERYDAY = general().stop - {"price", "cost", "budget", "star"}
"""Words of facet names that say nothing alone ("output capacity for transparencies")."""


class FacetNames:
    """What each word may name: a facet, a direction on one, or an order.

    Args:
        facets: The catalog's facets.
    """

    def __init__(self, facets: Iterable[Facet]) -> None:
        self.facets = tuple(facets)
        self._by_word: dict[str, list[Facet]] = defaultdict(list)
        for facet in self.facets:
            for word in self._words(facet):
                if facet not in self._by_word[word]:
                    self._by_word[word].append(facet)
        self._relatives = sorted(self._build_relatives(), key=lambda r: -len(r.words))
        self._by_first: dict[str, list[Relative]] = {}
        for relative in self._relatives:
            self._by_first.setdefault(relative.words[0], []).append(relative)

    def _words(self, facet: Facet) -> list[str]:
        words = [w for w in _label_norms(facet) if len(w) > 2 and w not in _EVERYDAY]
        if facet.role is None and len(words) > 1 and facet.coverage < _RARE:
            words = [w for w in words if w not in _GENERAL]
        if facet.role:
            words += general().roles.get(facet.role, ())
        return words

    def named(self, word: str) -> tuple[Facet, ...]:
        """Return the facets a norm may name, those with a role first."""
        found = self._by_word.get(word, [])
        return tuple(sorted(found, key=lambda f: (f.role is None, -f.coverage)))

    def by_adjective(self, words: Iterable[str]) -> tuple[Facet, ...]:
        """Return the facets a comparative is about: "wider" is about width."""
        named = {name for word in words for name in comparatives().get(word, frozenset())}
        if not named:
            return ()
        return tuple(f for f in self.facets if f.kind == "numeric" and named & set(_label_norms(f)))

    def sortings(self, tokens: Sequence[Token]) -> list[Found]:
        """Return orders said as "sort by price", "order them by number of reviews"."""
        found = []
        for i, token in enumerate(tokens):
            if token.word not in _SORTS:
                continue
            near = range(i + 1, min(i + 4, len(tokens)))
            by = next((j for j in near if tokens[j].word == "by"), None)
            named = self.numeric_at(tokens, by + 1, by + 5) if by else None
            if named is not None:
                facet, _, last = named
                rest = " ".join(token.word for token in tokens[last + 1 : last + 6])
                order = _order(tokens, i, last, facet, _direction(rest, facet))
                found.append(Found(order, i, last + 1))
        return found

    def numeric_at(
        self,
        tokens: Sequence[Token],
        start: int,
        end: int,
        fits: Callable[[Facet], bool] = lambda facet: True,
    ) -> tuple[Facet, int, int] | None:
        """Return the first numeric facet named within tokens [start, end), with its span.

        Args:
            fits: Whether a facet may be meant, e.g. has the amount within its range.
        """
        for i in range(max(start, 0), min(end, len(tokens))):
            measured = adjectives().get(tokens[i].norm, frozenset())
            for facet in self.facets if measured else ():
                named = not measured.isdisjoint(_label_norms(facet))
                if named and facet.kind == "numeric" and fits(facet):
                    return facet, i, i
            for facet in self.named(tokens[i].norm):
                if facet.kind in ("numeric", "date") and fits(facet):
                    return facet, i, i
        return None

    def _build_relatives(self) -> list[Relative]:
        found = []
        for row in read("relatives.toml")["relative"]:
            for facet in self._targets(row):
                found += self._rows(row, facet)
        for facet in self.facets:
            if facet.kind == "numeric":
                found += _more_of(facet)
        return found

    def _targets(self, row: dict[str, str]) -> list[Facet]:
        roles, names = row.get("roles", "").split(), row.get("names", "").split()
        own = [f for f in self.facets if f.kind in ("numeric", "date")]
        by_role = [f for role in roles for f in own if f.role == role]
        by_name = [f for name in names for f in own if name in _label_norms(f)]
        found = list(dict.fromkeys(by_role + by_name))
        return by_role[:1] or sorted(found, key=lambda f: -f.coverage)[:4]

    def _rows(self, row: dict[str, str], facet: Facet) -> list[Relative]:
        direction: Direction = "up" if row["direction"] == "up" else "down"
        rows = []
        for column, superlative in (("more", False), ("most", True)):
            for phrase in filter(None, row.get(column, "").split("|")):
                words = tuple(phrase.split())
                rows.append(Relative(words, facet.name, direction, superlative))
        return rows

    def relatives(self, tokens: Sequence[Token]) -> list[tuple[Relative, int, int]]:
        """Return comparative and superlative phrases with their token spans (end excluded).

        One phrase may be about several facets ("longer": cable length, sheet length).
        """
        found: list[tuple[Relative, int, int]] = []
        i = 0
        while i < len(tokens):
            hits = self._relatives_at(tokens, i)
            found += [(hit, i, i + len(hit.words)) for hit in hits]
            i += len(hits[0].words) if hits else 1
        return found

    def _relatives_at(self, tokens: Sequence[Token], i: int) -> list[Relative]:
        begun = self._by_first.get(tokens[i].word, ())
        hits = [r for r in begun if phrase_at(tokens, i, r.words)]
        return [r for r in hits if len(r.words) == len(hits[0].words)]

    def mentions(self, tokens: Sequence[Token]) -> list[Found]:
        """Return facet mentions: "the price", "base colour"."""
        found = []
        for i, token in enumerate(tokens):
            named = [f.name for f in self.named(token.norm)[:2]] if token.is_word else []
            if token.norm in ("order", "sorting", "ordering"):
                named = [ORDER]
            for name in named:
                mention = Mention(
                    id="", kind="facet", start=token.start, end=token.end, text="", facet=name
                )
                found.append(Found(mention, i, i + 1))
        return found


_SORTS = frozenset({"sort", "sorted", "order", "ordered", "rank", "ranked", "arrange", "list"})


def _direction(rest: str, facet: Facet) -> Direction:
    if rest.startswith(("high to low", "descending", "desc", "highest", "largest", "most")):
        return "up"
    if rest.startswith(("low to high", "ascending", "asc", "lowest", "smallest", "fewest")):
        return "down"
    return "down" if facet.role == "price" else "up"


def _order(
    tokens: Sequence[Token], first: int, last: int, facet: Facet, direction: Direction
) -> Mention:
    return Mention(
        id="", kind="order", start=tokens[first].start, end=tokens[last].end, text="",
        facet=facet.name, direction=direction,
    )  # fmt: skip


def _more_of(facet: Facet) -> list[Relative]:
    """Return "more lectures", "fewer lectures", "most lectures" for a numeric facet."""
    rows: list[Relative] = []
    if facet.role in ("price", "rating", "date"):
        return rows
    for token in tokenize(facet.label):
        if not token.is_word or len(token.word) < 4:
            continue
        for word in dict.fromkeys((token.word, norm(token.word))):
            rows += [
                Relative(("more", word), facet.name, "up", False),
                Relative(("fewer", word), facet.name, "down", False),
                Relative(("less", word), facet.name, "down", False),
                Relative(("most", word), facet.name, "up", True),
                Relative(("fewest", word), facet.name, "down", True),
            ]
    return rows
