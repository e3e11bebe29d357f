"""The linker: one utterance in, mentions out, in a few milliseconds and without a language model.

It knows the catalog (facets, titles, words) and the slate; it does not know what the user wants
done, which is the planner's part. Where a span has two meanings, both are kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from agent.linking import lexicon as lexicons
from agent.linking.absent import AbsentLinker
from agent.linking.amounts import AmountLinker
from agent.linking.describing import describes
from agent.linking.facets import FacetNames, Relative
from agent.linking.found import Findings, Found, Span, located, numbered
from agent.linking.leftovers import WordLinker
from agent.linking.references import references
from agent.linking.screen import Screen
from agent.linking.spelling import Speller
from agent.linking.text import Token, key, tokenize, word_at
from agent.linking.titles import TitleLinker
from agent.linking.values import ValueLinker
from agent.linking.vocabulary import general
from agent.plan import Mention, MentionKind
from agent.state import Constraint, State
from retrieval.catalog import Facet, Item
from retrieval.filters import TEXT, Compare, Filter, words

MAX_TOKENS = 400
"""Tokens of an utterance that are linked; what follows is left to free text."""

_NAME = 3
"""Words of a value's name looked at before and behind a reference."""

_MOST_KNOWN = 50_000
"""Words whose presence in the catalog is remembered at most."""


class Searchable(Protocol):
    """What the linker needs of an index: whether a word occurs."""

    def count(self, filter: Filter | None = None) -> int:
        """Return how many items match."""
        ...


class CatalogView(Protocol):
    """What the linker needs of a retriever."""

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The catalog's facets."""
        ...

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        ...

    @property
    def index(self) -> Any:
        """A `Searchable`."""
        ...

    def items(self) -> Iterator[Item]:
        """Every item."""
        ...


class Linker:
    """Marks what a catalog explains in an utterance. Safe to share between threads.

    Args:
        catalog: The retriever, or anything with its facets, items and index.
    """

    def __init__(self, catalog: CatalogView) -> None:
        self._catalog = catalog
        self._facets: tuple[Facet, ...] | None = None
        self._titles = TitleLinker(catalog)
        self._known: dict[str, bool] = {}
        self._version = -1
        self._refresh()

    @classmethod
    def build(cls, catalog: CatalogView) -> Linker:
        """Return a linker for a catalog."""
        return cls(catalog)

    def _refresh(self) -> None:
        """Follow the catalog: new values are linked at once."""
        if self._version == self._catalog.version:
            return
        self._version = self._catalog.version
        self._known = {}
        if self._catalog.facets != self._facets:
            self._read_facets(self._catalog.facets)
        self._values = ValueLinker(self.lexicon, self._names, self._catalog.index)
        self._words = WordLinker(self.lexicon, self._catalog.index, self.knows)

    def _read_facets(self, facets: tuple[Facet, ...]) -> None:
        self._facets = facets
        self.lexicon = lexicons.build(facets, self._occurs)
        self._names = FacetNames(facets)
        self._amounts = AmountLinker(facets, self._names)
        self._absent = AbsentLinker(facets)
        vocabulary = dict(self.lexicon.tokens)
        for entry_key in self.lexicon.entries:
            vocabulary.setdefault(entry_key, 1)
        self._speller = Speller(vocabulary, self.knows)

    def knows(self, word: str) -> bool:
        """Return whether the catalog's texts contain a word."""
        if word not in self._known:
            if len(self._known) > _MOST_KNOWN:
                self._known = {}
            self._known[word] = bool(words(word) and self._occurs(word))
        return self._known[word]

    def _occurs(self, word: str) -> int:
        return int(self._catalog.index.count(Compare(TEXT, "contains", word)))

    def link(self, utterance: str, state: State, slate: Sequence[Item]) -> tuple[Mention, ...]:
        """Return the mentions of an utterance, left to right, with ids.

        Args:
            utterance: What the user typed.
            state: The state before the turn: its slate and focus are what references point at.
            slate: The items of the slate, in rank order.
        """
        self._refresh()
        tokens = [self._speller.correct(token) for token in tokenize(utterance)[:MAX_TOKENS]]
        relatives = self._names.relatives(tokens)
        findings = Findings([False] * len(tokens))
        findings.take(Found(*row) for row in self._titles.find(tokens, slate, self._is_value))
        findings.take(self._references(tokens, state, slate, relatives))
        findings.take(located(m, tokens) for m in self._amounts.link(tokens, _recent(state)))
        findings.take(self._names.sortings(tokens))
        findings.take(_directions(tokens, relatives))
        findings.take(self._values.find(tokens, findings.taken, slate))
        findings.take(self._names.mentions(tokens))
        findings.take(self._absent.find(tokens, findings.taken))
        left = self._words.find(tokens, findings.taken)
        findings.take(left)
        return numbered(utterance, [*findings.found, *self._typical(tokens, findings, left)])

    def _is_value(self, norms: Sequence[str]) -> bool:
        return bool(self.lexicon.lookup(key(norms)))

    def _references(
        self,
        tokens: Sequence[Token],
        state: State,
        slate: Sequence[Item],
        relatives: Sequence[tuple[Relative, int, int]],
    ) -> list[Found]:
        extremes = {
            first: (relative.facet, relative.direction == "up", last)
            for relative, first, last in relatives
            if relative.superlative or word_at(tokens, last) == "one"
        }

        def describe(first: int, last: int, item: Item) -> bool:
            return describes(self.lexicon, tokens[first:last], item)

        ids = state.slate or tuple(item.id for item in slate)
        screen = Screen(tokens, ids, slate, state.focus, describe, extremes.get)
        spans = references(screen)
        return [span.found(tokens) for span in spans if not self._in_a_name(tokens, span)]

    def _in_a_name(self, tokens: Sequence[Token], span: Span) -> bool:
        """Return whether a reference is but a value's own name, "The Spice Club", or a part of
        one: "1st" of "Health 1st", "the face" of "The Face Shop".
        """
        own = range(span.first, span.last)
        telling = len(own) > 1 and any(tokens[i].norm not in general().stop for i in own)
        least = len(own) if telling else len(own) + 1
        firsts = range(max(0, span.first - _NAME), span.first + 1)
        lasts = range(span.last, min(len(tokens), span.last + _NAME) + 1)
        return span.last - span.first <= _NAME and any(
            entry.score >= lexicons.WHOLE
            for first, last in itertools.product(firsts, lasts)
            if last - first >= least
            if tokens[first].is_word and tokens[last - 1].norm.isalnum()
            for entry in self.lexicon.lookup(key(t.norm for t in tokens[first:last]))
        )

    def _typical(
        self, tokens: Sequence[Token], findings: Findings, left: Sequence[Found]
    ) -> list[Found]:
        """Return what left-over words typically name, where no category is named."""
        facets = [one.mention.facet or "" for one in findings.found]
        if any(self.lexicon.has_role(facet, "category") for facet in facets):
            return []
        guesses = (self._words.typical(tokens, one) for one in left)
        return [guess for guess in guesses if guess is not None]


def _directions(
    tokens: Sequence[Token], relatives: Sequence[tuple[Relative, int, int]]
) -> list[Found]:
    found = []
    for relative, first, last in relatives:
        kind: MentionKind = "order" if relative.superlative else "relative"
        mention = Mention(
            id="", kind=kind, start=tokens[first].start, end=tokens[last - 1].end, text="",
            facet=relative.facet, direction=relative.direction,
        )  # fmt: skip
        found.append(Found(mention, first, last))
    return found


def _recent(state: State) -> Constraint | None:
    """Return the bound that was made last."""
    bounds = [c for c in state.need.constraints if c.low is not None or c.high is not None]
    return max(bounds, key=lambda c: c.turn) if bounds else None
