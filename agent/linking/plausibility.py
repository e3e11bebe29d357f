"""Plausibility: whether a name that was found can be meant where it stands.

"sugar free" has no price, "put it in my bag" wants no bag, "my sister's wedding" is for nobody's
sister, and "next" is a brand only where something says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.linking.facets import FacetNames
from agent.linking.lexicon import UNLIKELY, WHOLE, Entry, Lexicon
from agent.linking.text import Token, key, word_at
from agent.linking.vocabulary import general
from retrieval.catalog import Item

_OBJECTS = frozenset({"him", "her", "me", "us", "them", "it"})
_INTO = frozenset({"to", "in", "into"})
_GIVING = frozenset({"for", "4", "give", "gift"})
_STOPS = (".", "!", "?")
_AS = frozenset({"as", "a", "an", "the", "either", "than", "other"})
_BY = frozenset({"by", "from", "made"})
_REFUSES = frozenset({"no", "not", "without", "except", "than"})
_BUT = frozenset({"anything", "everything", "brand"})
_CLOSES = frozenset({"and", "or", "but", "please", "pls", "instead", "though", "thanks"})


class Plausibility:
    """Judges names by the words around them.

    Args:
        lexicon: What names mean in the catalog.
        names: How people name its facets.
    """

    def __init__(self, lexicon: Lexicon, names: FacetNames) -> None:
        self._lexicon = lexicon
        self._names = names

    def refused(
        self, entry: Entry, tokens: Sequence[Token], i: int, last: int, slate: Sequence[Item]
    ) -> bool:
        """Return whether an everyday word refuses what the one item on the screen has: "like this
        but no go" beside something by Go. Whatever else follows, it is no name: "no go area".
        """
        if len(slate) != 1 or entry.score < UNLIKELY or not self._is_everyday(entry, tokens, i):
            return False
        j, after = i - 1, word_at(tokens, last)
        while word_at(tokens, j) in _BY:
            j -= 1
        but = word_at(tokens, j) == "but" and word_at(tokens, j - 1) in _BUT
        closed = not after[:1].isalnum() or after in _CLOSES
        own = set(slate[0].values(entry.facet))
        said = but or word_at(tokens, j) in _REFUSES
        return closed and said and not own.isdisjoint(entry.values)

    def _is_everyday(self, entry: Entry, tokens: Sequence[Token], i: int) -> bool:
        stop = general().stop
        return entry.score == UNLIKELY or not stop.isdisjoint((tokens[i].word, tokens[i].norm))

    def out_of_place(self, entry: Entry, tokens: Sequence[Token], i: int, last: int) -> bool:
        """Return whether a name, tokens [i, last), cannot have one of its meanings here."""
        if entry.score == UNLIKELY and not self._named_as_such(entry, tokens, i, last):
            return True
        alone = last == i + 1
        if alone and word_at(tokens, last) in _OBJECTS and self._is(entry, "category"):
            return True
        if _into_the_basket(tokens, i) or (alone and _free_of_something(tokens, i)):
            return True
        return self._is(entry, "audience") and _somebody_else(tokens, i, last)

    def beside_its_facet(self, entry: Entry, tokens: Sequence[Token], i: int, last: int) -> bool:
        """Return whether its facet is named beside a value: "style retro", "kids as the style"."""
        start, end = i - 1, last
        while word_at(tokens, start) in _AS:
            start -= 1
        while word_at(tokens, end) in _AS:
            end += 1
        beside = [tokens[j].norm for j in (start, end) if 0 <= j < len(tokens)]
        return any(
            facet.name == entry.facet for norm in beside for facet in self._names.named(norm)
        )

    def everyday(self, tokens: Sequence[Token], i: int, last: int) -> bool:
        """Return whether a one-word name is an everyday word here ("one", "next", "all")."""
        token = tokens[i]
        if last - i > 1 or (i and self._after_its_facet(tokens, i)):
            return False
        if token.is_number:
            return True
        stop = general().stop
        if token.word not in stop and token.norm not in stop:
            return False
        if self._by_a_maker(tokens, i):
            return False
        named = i > 0 and token.text[0].isupper() and len(token.text) > 2 and "'" not in token.word
        return not (named and tokens[i - 1].word not in _STOPS)

    def _by_a_maker(self, tokens: Sequence[Token], i: int) -> bool:
        """Return whether an everyday word stands where a maker is named: "made by friends".

        Pronouns and adverbs do not ("by now"), nor who recommends something ("liked by friends").
        """
        if word_at(tokens, i - 1) not in ("by", "from") or tokens[i].word in general().no_makers:
            return False
        brands = any(self._is(entry, "brand") for entry in self._lexicon.lookup(tokens[i].norm))
        return brands and word_at(tokens, i - 2) not in general().opinions

    def _is(self, entry: Entry, role: str) -> bool:
        return self._lexicon.has_role(entry.facet, role)

    def _after_its_facet(self, tokens: Sequence[Token], i: int) -> bool:
        """Return whether the facet is named right before its value: "size 43"."""
        named = {facet.name for facet in self._names.named(tokens[i - 1].norm)}
        return any(entry.facet in named for entry in self._lexicon.lookup(tokens[i].norm))

    def _named_as_such(self, entry: Entry, tokens: Sequence[Token], i: int, last: int) -> bool:
        """Return whether an everyday word is a name here: "by Next", "puma or police"."""
        before, after = word_at(tokens, i - 1), word_at(tokens, last)
        capital = tokens[i].text[0].isupper() and i > 0 and before not in _STOPS
        if capital or before in ("by", "from", "brand") or after == "brand":
            return True
        if before in ("in", "of") and self._is(entry, "material"):
            return True
        beyond = [j for j, word in ((i - 2, before), (last + 1, after)) if word in ("or", "and")]
        return any(
            other.facet == entry.facet and other.score >= WHOLE
            for j in beyond
            if 0 <= j < len(tokens)
            for k in (j, j - 1)
            for other in self._lexicon.lookup(key(t.norm for t in tokens[max(k, 0) : j + 1]))
        )


def _into_the_basket(tokens: Sequence[Token], i: int) -> bool:
    """Return whether something is put into the shop's basket: "add it to my bag"."""
    if tokens[i].norm not in general().baskets:
        return False
    into = any(token.word in _INTO for token in tokens[max(0, i - 3) : i])
    return into and any(t.word in general().basket_verbs for t in tokens[max(0, i - 7) : i])


def _free_of_something(tokens: Sequence[Token], i: int) -> bool:
    """Return whether "free" stands after what is absent: "sugar free"."""
    if tokens[i].norm != "free" or not i:
        return False
    before = tokens[i - 1]
    return before.norm == "-" or (before.is_word and before.word not in general().stop)


def _somebody_else(tokens: Sequence[Token], i: int, last: int) -> bool:
    """Return whether things are not for the person named: "my sister's wedding", "my son said"."""
    if tokens[i].norm not in general().relations:
        return False
    given = any(token.word in _GIVING for token in tokens[max(0, i - 4) : i])
    return not given or _owns(tokens, last)


def _owns(tokens: Sequence[Token], last: int) -> bool:
    """Return whether the person before token `last` owns what follows, unless it is a gift day."""
    person, thing = tokens[last - 1], tokens[last] if last < len(tokens) else None
    if thing is not None and thing.word in general().gift_days:
        return False
    if person.text.endswith(("'s", "s'", "’s")):
        return True
    noun = thing is not None and thing.is_word and thing.word not in general().stop
    return noun and person.word != person.norm
