"""The linker: one utterance in, mentions out, in a few milliseconds and without a language model.

It knows the catalog (facets, titles, words) and the slate; it does not know what the user wants
done, which is the planner's part. Where a span has two meanings, both are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from agent.linking import lexicon as lexicons
from agent.linking.amounts import AmountLinker
from agent.linking.facets import FacetNames
from agent.linking.references import ReferenceLinker, to_mention
from agent.linking.spelling import Speller
from agent.linking.text import BREAKS, IGNORABLE, Token, key, tokenize
from agent.linking.titles import TitleLinker
from agent.linking.vocabulary import colours, general
from agent.plan import PREFIX, Mention, MentionKind
from agent.state import Constraint, State
from retrieval.catalog import Facet, Item, primary
from retrieval.filters import TEXT, And, Compare, Filter, words

MAX_TOKENS = 400
"""Tokens of an utterance that are linked; what follows is left to free text."""


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


@dataclass(frozen=True, slots=True)
class _Found:
    """A mention with the tokens it covers (end excluded)."""

    mention: Mention
    first: int
    last: int


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
        self._typically: dict[str, str] = {}
        self._parts: dict[tuple[str, str], tuple[str, ...]] = {}
        facets = self._catalog.facets
        if facets == self._facets:
            return
        self._facets = facets
        self.lexicon = lexicons.build(facets, self._occurs)
        self._names = FacetNames(facets)
        self._amounts = AmountLinker(facets, self._names)
        vocabulary = dict(self.lexicon.tokens)
        for entry_key in self.lexicon.entries:
            vocabulary.setdefault(entry_key, 1)
        self._speller = Speller(vocabulary, self.knows)

    def knows(self, word: str) -> bool:
        """Return whether the catalog's texts contain a word."""
        if word not in self._known:
            if len(self._known) > 50_000:
                self._known = {}
            self._known[word] = bool(
                words(word) and self._catalog.index.count(Compare(TEXT, "contains", word))
            )
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
        raw = tokenize(utterance)[:MAX_TOKENS]
        tokens = [self._speller.correct(token) for token in raw]
        taken = [False] * len(tokens)
        found: list[_Found] = []
        self._take(found, taken, self._title_mentions(tokens, slate))
        self._take(found, taken, self._reference_mentions(tokens, state, slate))
        self._take(found, taken, self._number_mentions(tokens, _recent(state)))
        self._take(found, taken, self._sorting_mentions(tokens))
        self._take(found, taken, self._relative_mentions(tokens))
        self._take(found, taken, self._value_mentions(tokens, taken))
        self._take(found, taken, self._facet_mentions(tokens))
        named = self._word_mentions(tokens, taken)
        self._take(found, taken, named)
        if not any(self._role(f.mention.facet or "", "category") for f in found):
            found += [one for one in map(partial(self._typical, tokens), named) if one is not None]
        return _numbered(utterance, found)

    def _take(self, found: list[_Found], taken: list[bool], new: list[_Found]) -> None:
        """Keep new mentions on free tokens; several on the very same span stay together."""
        fresh: set[tuple[int, int]] = set()
        for one in new:
            span = (one.first, one.last)
            if span in fresh or not any(taken[one.first : one.last]):
                fresh.add(span)
                found.append(one)
                taken[one.first : one.last] = [True] * (one.last - one.first)

    def _title_mentions(self, tokens: list[Token], slate: Sequence[Item]) -> list[_Found]:
        return [
            _Found(mention, first, last)
            for mention, first, last in self._titles.find(tokens, slate, self._is_value)
        ]

    def _is_value(self, norms: Sequence[str]) -> bool:
        return bool(self.lexicon.lookup(key(norms)))

    def _reference_mentions(
        self, tokens: list[Token], state: State, slate: Sequence[Item]
    ) -> list[_Found]:
        extremes = {
            first: (relative.facet, relative.direction == "up", last)
            for relative, first, last in self._names.relatives(tokens)
            if relative.superlative or (last < len(tokens) and tokens[last].word == "one")
        }
        finder = ReferenceLinker(tokens, state, slate, self._describer(tokens), extremes.get)
        return [_Found(to_mention(s, tokens), s.first, s.last) for s in finder.find()]

    def _describer(self, tokens: Sequence[Token]) -> Callable[[int, int, Item], bool]:
        def describes(first: int, last: int, item: Item) -> bool:
            if all(token.norm in _FACET_WORDS for token in tokens[first:last]):
                return False
            return last > first and _describes(self.lexicon, tokens[first:last], item)

        return describes

    def _number_mentions(self, tokens: list[Token], recent: Constraint | None) -> list[_Found]:
        return [_located(mention, tokens) for mention in self._amounts.link(tokens, recent)]

    def _relative_mentions(self, tokens: list[Token]) -> list[_Found]:
        found = []
        for relative, first, last in self._names.relatives(tokens):
            kind: MentionKind = "order" if relative.superlative else "relative"
            mention = Mention(
                id="", kind=kind, start=tokens[first].start, end=tokens[last - 1].end, text="",
                facet=relative.facet, direction=relative.direction,
            )  # fmt: skip
            found.append(_Found(mention, first, last))
        return found

    def _sorting_mentions(self, tokens: list[Token]) -> list[_Found]:
        return [_Found(*row) for row in self._names.sortings(tokens)]

    def _value_mentions(self, tokens: list[Token], taken: Sequence[bool]) -> list[_Found]:
        found: list[_Found] = []
        i = 0
        while i < len(tokens):
            hit = None if taken[i] else self._longest(tokens, i, taken)
            if hit is None:
                i += 1
                continue
            last, entries = hit
            found += [_Found(_value(entry, tokens, i, last), i, last) for entry in entries]
            i = last
        return found

    def _longest(
        self, tokens: Sequence[Token], i: int, taken: Sequence[bool]
    ) -> tuple[int, tuple[lexicons.Entry, ...]] | None:
        """Return the longest name that starts at token i, with its meanings."""
        if tokens[i].norm in IGNORABLE or not (tokens[i].is_word or tokens[i].is_number):
            return None
        limit = min(i + lexicons.LONGEST, len(tokens))
        limit = next((j for j in range(i, limit) if taken[j] or _ends_a_name(tokens, j)), limit)
        for last in range(limit, i, -1):
            if tokens[last - 1].norm in IGNORABLE:
                continue
            norms = [token.norm for token in tokens[i:last]]
            entries = self._meanings(norms)
            entries = tuple(e for e in entries if not self._out_of_place(e, tokens, i, last))
            if entries and not self._weak(tokens, i, last):
                return last, _surest(entries)
            if last == i + 2 and norms[0] in colours().modifiers:
                entries = self.lexicon.lookup(norms[1])
                if entries and any(self._role(entry.facet, "colour") for entry in entries):
                    return last, tuple(e for e in entries if self._role(e.facet, "colour"))
        return None

    def _meanings(self, norms: Sequence[str]) -> tuple[lexicons.Entry, ...]:
        """Return what a name may mean, abbreviations written out, without far-fetched parts."""
        joined = key(norms)
        if joined in _GREETINGS:
            return ()
        entries = self.lexicon.lookup(joined)
        if not entries and any(norm in _ABBREVIATIONS for norm in norms):
            entries = self.lexicon.lookup(key(_ABBREVIATIONS.get(norm, norm) for norm in norms))
        if all(entry.score >= _WHOLE for entry in entries):
            return entries
        narrowed = (self._narrowed(entry, " ".join(norms)) for entry in entries)
        return tuple(entry for entry in narrowed if entry is not None)

    def _narrowed(self, entry: lexicons.Entry, name: str) -> lexicons.Entry | None:
        """Keep a category called by a part of its name only if the part means it in this catalog.

        "noodles" is mostly Pasta, Soup & Noodles; "lemon" is seldom Lemon, Ginger & Garlic.
        """
        if entry.score >= _WHOLE or not self._role(entry.facet, "category"):
            return entry
        memo = (entry.facet, name)
        if memo not in self._parts:
            self._parts[memo] = self._kept_values(entry, name)
        values = self._parts[memo]
        return replace(entry, values=values) if values else None

    def _kept_values(self, entry: lexicons.Entry, name: str) -> tuple[str, ...]:
        word = Compare(TEXT, "contains", name)
        total = self._catalog.index.count(word)
        if not total:
            return entry.values
        counts = {
            value: self._catalog.index.count(And((word, Compare(entry.facet, "eq", value))))
            for value in entry.values
        }
        if sum(counts.values()) < _MOSTLY * total:
            return ()
        if entry.score < _PART:
            return entry.values
        best = max(counts.values())
        return tuple(value for value in entry.values if counts[value] * 2 >= best)

    def _out_of_place(
        self, entry: lexicons.Entry, tokens: Sequence[Token], i: int, last: int
    ) -> bool:
        """Return whether a name cannot be meant here: "sugar free", "my sister's wedding"."""
        before = tokens[i - 1] if i else None
        after = tokens[last].word if last < len(tokens) else ""
        if entry.score == lexicons.UNLIKELY and not self._named_as_such(
            entry, tokens, i, last
        ):  # fmt: skip
            return True
        if last == i + 1 and after in _OBJECTS and self._role(entry.facet, "category"):
            return True
        nearby = {tokens[j].word for j in range(max(0, i - 3), i)}
        if tokens[i].norm in ("bag", "basket", "cart", "trolley") and nearby & {"to", "in", "into"}:
            verbs = {tokens[j].word for j in range(max(0, i - 7), i)}
            return bool(
                verbs & {"add", "put", "stick", "adding", "putting", "pop", "throw", "place"}
            )
        if tokens[i].norm == "free" and last == i + 1 and before is not None:
            return before.norm == "-" or (before.is_word and before.word not in general().stop)
        if tokens[i].norm not in general().relations or not self._role(entry.facet, "audience"):
            return False
        owner = tokens[last - 1].text.endswith(("'s", "s'", "’s")) or (
            tokens[last - 1].word != tokens[last - 1].norm
            and last < len(tokens)
            and tokens[last].is_word
            and tokens[last].word not in general().stop
        )
        if owner and last < len(tokens) and tokens[last].word in _GIFT_DAYS:
            owner = False
        context = {tokens[j].word for j in range(max(0, i - 4), i)}
        return owner or not context & {"for", "4", "give", "gift"}

    def _named_as_such(
        self, entry: lexicons.Entry, tokens: Sequence[Token], i: int, last: int
    ) -> bool:
        """Return whether an everyday word is a name here: "by Next", "puma or police"."""
        before = tokens[i - 1].word if i else ""
        after = tokens[last].word if last < len(tokens) else ""
        capital = tokens[i].text[0].isupper() and i > 0 and before not in (".", "!", "?")
        if capital or before in ("by", "from", "brand") or after == "brand":
            return True
        beyond = [j for j, word in ((i - 2, before), (last + 1, after)) if word in ("or", "and")]
        return any(
            other.facet == entry.facet and other.score >= _WHOLE
            for j in beyond
            if 0 <= j < len(tokens)
            for k in (j, j - 1)
            for other in self.lexicon.lookup(key(t.norm for t in tokens[max(k, 0) : j + 1]))
        )

    def _role(self, facet: str, role: str) -> bool:
        return any(f.name == facet and f.role == role for f in self.lexicon.facets)

    def _weak(self, tokens: Sequence[Token], i: int, last: int) -> bool:
        """Return whether a one-word name is an everyday word here ("one", "next", "all")."""
        token = tokens[i]
        if last - i > 1:
            return False
        if i and any(f.name == e.facet for e in self.lexicon.lookup(token.norm)
                     for f in self._names.named(tokens[i - 1].norm)):  # fmt: skip
            return False
        if token.is_number:
            return True
        stop = general().stop
        if token.word not in stop and token.norm not in stop:
            return False
        named = i > 0 and token.text[0].isupper() and len(token.text) > 2 and "'" not in token.word
        return not (named and tokens[i - 1].word not in (".", "!", "?"))

    def _facet_mentions(self, tokens: list[Token]) -> list[_Found]:
        return [_Found(*row) for row in self._names.mentions(tokens)]

    def _typical(self, tokens: Sequence[Token], one: _Found) -> _Found | None:
        """Link words to the category that nearly all items with them are in: "bar stools"."""
        facet = primary(self.lexicon.facets, "category")
        before = tokens[one.first - 1].word if one.first else ""
        if facet is None or one.mention.kind != "keyword" or before not in _NOUN_FOLLOWS:
            return None
        name = one.mention.values[0]
        if name not in self._typically:
            word = Compare(TEXT, "contains", name)
            total = self._catalog.index.count(word)
            top = self._catalog.index.facet(facet.name, word, 1) if total >= _FEW else []
            self._typically[name] = top[0][0] if top and top[0][1] >= _TYPICAL * total else ""
        value = self._typically[name]
        if not value:
            return None
        note = f"nearly everything called {name} here is in {value}"
        update = {"kind": "value", "facet": facet.name, "values": (value,), "score": 0.75,
                  "note": note}  # fmt: skip
        return _Found(one.mention.model_copy(update=update), one.first, one.last)

    def _word_mentions(self, tokens: list[Token], taken: Sequence[bool]) -> list[_Found]:
        """Return the content words left over: keywords the catalog knows, and unknown ones."""
        found: list[_Found] = []
        stop = general().stop
        for i, token in enumerate(tokens):
            if taken[i] or not token.is_word or token.word in stop or token.norm in stop:
                continue
            if len(token.norm) < 3 and not token.text.isupper():
                continue
            kind: MentionKind = "keyword" if self.knows(token.word) else "unknown"
            found.append(_Found(_word(kind, token), i, i + 1))
        return _joined(found, tokens)


def _ends_a_name(tokens: Sequence[Token], i: int) -> bool:
    """Return whether a sign at i ends a clause; inside a name it touches both its neighbours."""
    if tokens[i].word not in BREAKS and tokens[i].word != ",":
        return False
    return not (tokens[i].glued and i + 1 < len(tokens) and tokens[i + 1].glued)


def _recent(state: State) -> Constraint | None:
    """Return the bound that was made last."""
    bounds = [c for c in state.need.constraints if c.low is not None or c.high is not None]
    return max(bounds, key=lambda c: c.turn) if bounds else None


def _surest(entries: tuple[lexicons.Entry, ...]) -> tuple[lexicons.Entry, ...]:
    """Drop meanings that are much less sure than the best one."""
    best = entries[0].score
    return tuple(entry for entry in entries if entry.score >= best - 0.12)


def _value(entry: lexicons.Entry, tokens: Sequence[Token], first: int, last: int) -> Mention:
    corrected = any(token.corrected for token in tokens[first:last])
    return Mention(
        id="", kind="value", start=tokens[first].start, end=tokens[last - 1].end, text="",
        facet=entry.facet, values=entry.values, family=entry.family,
        score=round(entry.score * (0.9 if corrected else 1.0), 3), note=entry.note,
    )  # fmt: skip


def _word(kind: MentionKind, token: Token) -> Mention:
    return Mention(
        id="", kind=kind, start=token.start, end=token.end, text="", values=(token.word,)
    )


def _joined(found: list[_Found], tokens: Sequence[Token]) -> list[_Found]:
    """Join neighbouring words of one kind into a phrase."""
    phrases: list[_Found] = []
    for one in found:
        before = phrases[-1] if phrases else None
        gap = before is not None and all(
            t.norm in IGNORABLE for t in tokens[before.last : one.first]
        )
        if before is not None and gap and before.mention.kind == one.mention.kind:
            merged = before.mention.model_copy(
                update={
                    "end": one.mention.end,
                    "values": (f"{before.mention.values[0]} {one.mention.values[0]}",),
                }  # fmt: skip
            )
            phrases[-1] = _Found(merged, before.first, one.last)
        else:
            phrases.append(one)
    return phrases


def _located(mention: Mention, tokens: Sequence[Token]) -> _Found:
    inside = [i for i, t in enumerate(tokens) if mention.start <= t.start and t.end <= mention.end]
    return _Found(mention, inside[0], inside[-1] + 1)


def _describes(lexicon: lexicons.Lexicon, tokens: Sequence[Token], item: Item) -> bool:
    """Return whether every name and word of a phrase is true of an item."""
    text = set(words(" ".join([item.title, item.description, *_texts(item)])))
    i, seen = 0, False
    while i < len(tokens):
        if tokens[i].word in ("and", "with", "in") or not tokens[i].is_word:
            i += 1
            continue
        last, holds = _fits(lexicon, tokens, i, item, text)
        if not holds:
            return False
        seen, i = True, last
    return seen


def _fits(
    lexicon: lexicons.Lexicon, tokens: Sequence[Token], i: int, item: Item, text: set[str]
) -> tuple[int, bool]:
    for last in range(min(i + lexicons.LONGEST, len(tokens)), i, -1):
        entries = lexicon.lookup(key(token.norm for token in tokens[i:last]))
        if entries:
            return last, any(_has(entry, item) for entry in entries) or (
                last == i + 1 and tokens[i].norm in text
            )
    return i + 1, tokens[i].norm in text


def _has(entry: lexicons.Entry, item: Item) -> bool:
    own = {str(value).casefold() for value in item.values(entry.facet)}
    return any(value.casefold() in own for value in (*entry.values, *entry.family))


def _texts(item: Item) -> list[str]:
    texts = [str(v) for v in item.fields.values() if isinstance(v, str)]
    return texts + [part for v in item.fields.values() if isinstance(v, tuple) for part in v]


_WHOLE, _PART, _MOSTLY = 0.95, 0.9, 0.35
"""Scores from which a name is the value's own name, or a part of it; share of the items with that
word that must have the value."""

_OBJECTS = frozenset({"him", "her", "me", "us", "them", "it"})
_GREETINGS = frozenset({"goodmorning", "goodevening", "goodafternoon", "goodday", "thankyou"})
_ABBREVIATIONS = {
    "dev": "development", "tech": "technology", "app": "application", "biz": "business",
    "info": "information", "admin": "administration", "mgmt": "management", "prof": "professional",
    "bio": "biography", "accs": "accessory", "fmt": "format", "mktg": "marketing",
}  # fmt: skip
_FEW, _TYPICAL = 5, 0.8
"""Items that must have some words, and the share that one category must hold, to be typical."""

_NOUN_FOLLOWS = frozenset(
    ["", "a", "an", "some", "any", "for", "need", "want", "of", "me", "new", "good", "have", "sell",
     "buy", "get", "find", ",", ".", "the", "also", "recommend", "search", "nice"]
)  # fmt: skip
_FACET_WORDS = frozenset(word for words in general().roles.values() for word in words)
_GIFT_DAYS = frozenset("birthday present gift anniversary christmas xmas graduation bday".split())
_SPACES = re.compile(r"\s+")


def _numbered(utterance: str, found: list[_Found]) -> tuple[Mention, ...]:
    """Give mentions their ids, in order of place."""
    counts: dict[str, int] = {}
    mentions = []
    for one in sorted(found, key=lambda f: (f.mention.start, -f.mention.score)):
        letter = PREFIX[one.mention.kind]
        counts[letter] = counts.get(letter, 0) + 1
        text = _SPACES.sub(" ", utterance[one.mention.start : one.mention.end])
        mentions.append(
            one.mention.model_copy(update={"id": f"{letter}{counts[letter]}", "text": text})
        )
    return tuple(mentions)
