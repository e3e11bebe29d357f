"""Left-over words: content words that no facet explains, and the category they typically name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agent.linking.found import Found
from agent.linking.lexicon import Lexicon
from agent.linking.text import IGNORABLE, Token, tokenize, word_at
from agent.linking.vocabulary import general
from agent.plan import Mention, MentionKind
from retrieval.catalog import primary
from retrieval.filters import TEXT, Compare

_FEW = 5
"""Items that must have some words before the category they are in is typical."""

_TYPICAL = 0.8
"""Share of the items with some words that one category must hold to be typical."""


class WordLinker:
    """Finds words that the catalog's texts may explain, or that nothing explains.

    Args:
        index: Counts the items with some words; a `linker.Searchable`.
        knows: Whether the catalog's texts contain a word.
    """

    def __init__(self, lexicon: Lexicon, index: Any, knows: Callable[[str], bool]) -> None:
        self._lexicon = lexicon
        self._index = index
        self._knows = knows
        self._typically: dict[str, str] = {}
        labels = {t.norm for facet in lexicon.facets for t in tokenize(facet.label)}
        own = (words for word, words in general().called.items() if word in labels)
        self._called = frozenset(word for words in own for word in words)

    def find(self, tokens: Sequence[Token], taken: Sequence[bool]) -> list[Found]:
        """Return the content words left over: keywords the catalog knows, and unknown ones."""
        found: list[Found] = []
        for i, token in enumerate(tokens):
            if taken[i] or not token.is_word or _carries_nothing(tokens, i):
                continue
            if token.norm in self._called:
                continue
            if len(token.norm) < 3 and not token.text.isupper():
                continue
            kind: MentionKind = "keyword" if self._knows(token.word) else "unknown"
            if kind == "unknown" and token.norm in general().relations:
                continue  # whom it is for is no topic: "a gift for my dad"
            mention = Mention(
                id="", kind=kind, start=token.start, end=token.end, text="", values=(token.word,)
            )
            found.append(Found(mention, i, i + 1))
        return _joined(found, tokens)

    def typical(self, tokens: Sequence[Token], one: Found) -> Found | None:
        """Link words to the category that nearly all items with them are in: "bar stools"."""
        facet = primary(self._lexicon.facets, "category")
        if facet is None or one.mention.kind != "keyword" or not _named(tokens, one.first):
            return None
        name = one.mention.values[0]
        if name not in self._typically:
            self._typically[name] = self._category(facet.name, name)
        value = self._typically[name]
        if not value:
            return None
        update = {
            "kind": "value", "facet": facet.name, "values": (value,), "score": 0.75,
            "note": f"nearly everything called {name} here is in {value}",
        }  # fmt: skip
        return Found(one.mention.model_copy(update=update), one.first, one.last)

    def _category(self, facet: str, name: str) -> str:
        word = Compare(TEXT, "contains", name)
        total = self._index.count(word)
        top = self._index.facet(facet, word, 1) if total >= _FEW else []
        return str(top[0][0]) if top and top[0][1] >= _TYPICAL * total else ""


def _carries_nothing(tokens: Sequence[Token], i: int) -> bool:
    """Return whether a word is no topic: a stop word, or the day that a gift is for."""
    token, before = tokens[i], tokens[i - 1] if i else None
    said = before.word if before else ""
    if token.word in general().pastimes:
        return said not in general().fond
    if token.word in _PURPOSES and said == "to":
        return word_at(tokens, i - 2) not in _PLACES
    if token.word in general().stop or token.norm in general().stop or token.word in _MADE:
        return True
    if token.norm in general().relations and said in _POSSESSIVES:
        return word_at(tokens, i - 2) != "about"  # "a gift for my dad"
    if token.word == "saw":
        return said in ("i", "we")
    if token.word in ("new", "old"):  # "a new phone, my old one broke"
        return said in _OWNERS and i + 1 < len(tokens) and tokens[i + 1].is_word
    if before is None or token.norm not in general().gift_days:
        return False
    alone = i + 1 == len(tokens) or not tokens[i + 1].is_word
    return before.norm in general().relations or (alone and said in _OWNERS)


_PURPOSES = frozenset({"sleep", "eat", "cook", "drink", "work"})
_PLACES = frozenset({"somewhere", "place", "room", "corner", "space"})
_MADE = frozenset({"published", "released", "printed"})
"""What happened to every item once: "not too long ago published"."""

_POSSESSIVES = frozenset({"my", "our", "his", "her", "their"})
_OWNERS = frozenset({"my", "his", "her", "our", "their", "a", "the"})


def _named(tokens: Sequence[Token], i: int) -> bool:
    """Return whether words that start at i name a thing: "a …", "do you have …"."""
    before = word_at(tokens, i - 1)
    return not before or before in general().noun_leads


def _joined(found: Sequence[Found], tokens: Sequence[Token]) -> list[Found]:
    """Join neighbouring words of one kind into a phrase."""
    phrases: list[Found] = []
    for one in found:
        before = phrases[-1] if phrases else None
        if before is not None and _continues(before, one, tokens):
            values = (f"{before.mention.values[0]} {one.mention.values[0]}",)
            update = {"end": one.mention.end, "values": values}
            phrases[-1] = Found(before.mention.model_copy(update=update), before.first, one.last)
        else:
            phrases.append(one)
    return phrases


def _continues(before: Found, one: Found, tokens: Sequence[Token]) -> bool:
    gap = tokens[before.last : one.first]
    return before.mention.kind == one.mention.kind and all(t.norm in IGNORABLE for t in gap)
