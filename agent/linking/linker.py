"""The linker: one utterance in, mentions out, in a few milliseconds and without a language model.

It knows the catalog (facets, titles, words) and the slate; it does not know what the user wants
done, which is the planner's part. Where a span has two meanings, both are kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from agent.linking import lexicon as lexicons
from agent.linking.absent import AbsentLinker
from agent.linking.amounts import AmountLinker
from agent.linking.degrees import DegreeLinker
from agent.linking.describing import describes
from agent.linking.earlier import on_earlier
from agent.linking.facets import FacetNames, Relative
from agent.linking.found import Findings, Found, Span, located, numbered
from agent.linking.hidden import brings_back, hidden_last, on_hidden
from agent.linking.leftovers import WordLinker
from agent.linking.references import reference_at, references
from agent.linking.screen import Screen
from agent.linking.spelling import Speller
from agent.linking.text import Token, key, plain, tokenize, word_at
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


_KINDS = frozenset({"category", "colour", "material", "audience"})
"""Roles of facets that say what an item is."""


_POINTING = ("reference", "item")


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

    def get_many(self, ids: Sequence[str]) -> list[Item]:
        """Return the items with these ids, in this order; unknown ids are left out."""
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
        self._known: dict[str, int] = {}
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
        self._degrees = DegreeLinker(self.lexicon, self.knows)

    def _read_facets(self, facets: tuple[Facet, ...]) -> None:
        self._facets = facets
        self.lexicon = lexicons.build(facets, self._occurs)
        self._names = FacetNames(facets)
        self._amounts = AmountLinker(facets, self._names)
        self._absent = AbsentLinker(facets)
        vocabulary = dict(self.lexicon.tokens)
        for entry_key in self.lexicon.entries:
            vocabulary.setdefault(entry_key, 1)
        names = (value for f in facets if f.role in _KINDS for value, _ in f.values)
        tokens = [token for name in names for token in tokenize(name) if token.is_word]
        kinds = {word for token in tokens for word in (token.norm, token.word)}
        self._speller = Speller(vocabulary, self._occurrences, kinds)

    def knows(self, word: str) -> bool:
        """Return whether the catalog's texts contain a word."""
        return self._occurrences(word) > 0

    def _occurrences(self, word: str) -> int:
        if word not in self._known:
            if len(self._known) > _MOST_KNOWN:
                self._known = {}
            self._known[word] = self._occurs(word) if words(word) else 0
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
        typed = tokenize(utterance)[:MAX_TOKENS]
        tokens = [self._speller.correct(token) for token in self._speller.parted(typed)]
        relatives = self._names.relatives(tokens)
        findings = Findings([False] * len(tokens))
        findings.take(Found(*row) for row in self._titles.find(tokens, slate, self._is_value))
        screened = self._screened(tokens, relatives)
        findings.take(self._spoken_of_before(utterance, tokens, state, screened))
        ids = state.slate or tuple(item.id for item in slate)
        own = references(screened(ids, slate, state.focus))
        findings.take(span.found(tokens) for span in own if not self._in_a_name(tokens, span))
        findings.take(located(m, tokens) for m in self._amounts.link(tokens, _recent(state)))
        findings.take(self._names.sortings(tokens))
        findings.take(_directions(tokens, relatives))
        spoken_of = partial(self._spoken_of, findings, state, slate)
        findings.take(self._degrees.find(tokens, findings.taken, spoken_of))
        findings.take(self._values.find(tokens, findings.taken, slate))
        findings.take(self._names.mentions(tokens))
        findings.take(self._absent.find(tokens, findings.taken))
        left = self._words.find(tokens, findings.taken)
        findings.take(left)
        return numbered(utterance, [*findings.found, *self._typical(tokens, findings, left)])

    def _is_value(self, norms: Sequence[str]) -> bool:
        return bool(self.lexicon.lookup(key(norms)))

    def _screened(
        self, tokens: Sequence[Token], relatives: Sequence[tuple[Relative, int, int]]
    ) -> Callable[[Sequence[str], Sequence[Item], tuple[str, ...]], Screen]:
        """Return how to put the utterance over a slate: its ids, items and focus."""
        extremes = {
            first: (relative.facet, relative.direction == "up", last)
            for relative, first, last in relatives
            if relative.superlative or word_at(tokens, last) == "one"
        }

        def describe(first: int, last: int, item: Item) -> bool:
            return describes(self.lexicon, tokens[first:last], item)

        def screened(ids: Sequence[str], items: Sequence[Item], focus: tuple[str, ...]) -> Screen:
            return Screen(tokens, tuple(ids), items, focus, describe, extremes.get)

        return screened

    def _spoken_of_before(
        self,
        utterance: str,
        tokens: Sequence[Token],
        state: State,
        screened: Callable[[Sequence[str], Sequence[Item], tuple[str, ...]], Screen],
    ) -> list[Found]:
        """Return references to slates before the present one, and to what was hidden."""

        def earlier(i: int, ids: Sequence[str]) -> Span | None:
            return reference_at(screened(ids, self._catalog.get_many(ids), ()), i)

        def hidden(ids: Sequence[str]) -> list[Span]:
            items = self._catalog.get_many(state.need.rejected)
            return references(screened(ids, items, hidden_last(state)))

        spans = on_earlier(tokens, [one.items for one in state.lists], earlier)
        if brings_back(plain(utterance), state):
            spans += on_hidden(tokens, state, hidden)
        return [span.found(tokens) for span in spans]

    def _spoken_of(self, findings: Findings, state: State, slate: Sequence[Item]) -> list[Item]:
        """Return what "easier" compares with: the items named, those in focus, or the slate."""
        pointing = (one.mention for one in findings.found if one.mention.kind in _POINTING)
        named = [id for mention in pointing for id in mention.items]
        return self._catalog.get_many(named or state.focus) or list(slate)

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
