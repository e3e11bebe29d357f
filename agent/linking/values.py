"""Values: the facet values that are named in an utterance, the longest name at each place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.linking.facets import FacetNames
from agent.linking.found import Found
from agent.linking.lexicon import LONGEST, WHOLE, Entry, Lexicon
from agent.linking.plausibility import Plausibility
from agent.linking.text import BREAKS, IGNORABLE, Token, key, key_of, tokenize
from agent.linking.vocabulary import colours, general
from agent.plan import Mention
from retrieval.catalog import Item
from retrieval.filters import TEXT, And, Compare

_PART = 0.9
"""Score from which a name is a part of the value's name between signs, not just a word of it."""

_MOSTLY = 0.35
"""Share of the items with a word that must have the value that the word is a part of."""

_SHORT = 2
"""Letters of what a point stands behind within a name."""

_CONNECTING = frozenset(
    {"a", "an", "the", "and", "or", "nor", "but", "by", "from", "for", "in", "of", "with", "to",
     "as", "at", "on", "no", "not"}
)  # fmt: skip
"""Words that connect names in a sentence."""

_NEARLY_AS_SURE = 0.12
_CORRECTED = 0.9


class ValueLinker:
    """Finds names of facet values.

    Args:
        index: Counts the items that a name is in; a `linker.Searchable`.
    """

    def __init__(self, lexicon: Lexicon, names: FacetNames, index: Any) -> None:
        self._lexicon = lexicon
        self._index = index
        self._plausibility = Plausibility(lexicon, names)
        self._kept: dict[tuple[str, str], tuple[str, ...]] = {}

    def find(
        self, tokens: Sequence[Token], taken: Sequence[bool], slate: Sequence[Item] = ()
    ) -> list[Found]:
        """Return value mentions on free tokens, one for each meaning of a name.

        Args:
            slate: The items of the slate: what they have may be refused by an everyday word.
        """
        found: list[Found] = []
        i = 0
        while i < len(tokens):
            hit = None if taken[i] else self._longest(tokens, i, taken, slate)
            if hit is None or self._gives_way(hit[0], tokens, i, taken, slate):
                i += 1
                continue
            last, entries = hit
            found += [Found(_mention(entry, tokens, i, last), i, last) for entry in entries]
            i = last
        return found

    def _gives_way(
        self,
        last: int,
        tokens: Sequence[Token],
        i: int,
        taken: Sequence[bool],
        slate: Sequence[Item],
    ) -> bool:
        """Return whether a name reaches further without the word that the one at i begins with:
        "by Natures Plus" is not by By Nature.
        """
        if last < i + 2 or tokens[i].word not in _CONNECTING:
            return False
        inner = self._longest(tokens, i + 1, taken, slate)
        return inner is not None and inner[0] > last

    def _longest(
        self, tokens: Sequence[Token], i: int, taken: Sequence[bool], slate: Sequence[Item]
    ) -> tuple[int, tuple[Entry, ...]] | None:
        """Return the longest name that starts at token i, with its meanings."""
        if tokens[i].norm in IGNORABLE or not (tokens[i].is_word or tokens[i].is_number):
            return None
        limit = min(i + LONGEST, len(tokens))
        limit = next((j for j in range(i, limit) if taken[j] or _ends_a_name(tokens, j)), limit)
        for last in range(limit, i, -1):
            sign = not (tokens[last - 1].is_word or tokens[last - 1].is_number)
            entries = () if sign else self._at(tokens, i, last, slate)
            if entries:
                return last, entries
        return None

    def _at(
        self, tokens: Sequence[Token], i: int, last: int, slate: Sequence[Item]
    ) -> tuple[Entry, ...]:
        """Return what tokens [i, last) may mean here: a name, or a colour with a modifier."""
        norms = [token.norm for token in tokens[i:last]]
        meanings = [e for e in self._meanings(norms) if not _runs_over(e, tokens, i, last)]
        refused = [e for e in meanings if self._plausibility.refused(e, tokens, i, last, slate)]
        if refused:
            return tuple(refused)
        named = [e for e in meanings if self._plausibility.beside_its_facet(e, tokens, i, last)]
        if named and len(meanings) > 1:
            return tuple(named)
        entries = tuple(
            entry
            for entry in meanings
            if not self._plausibility.out_of_place(entry, tokens, i, last)
        )
        if entries and not self._plausibility.everyday(tokens, i, last):
            return _surest(entries)
        if len(norms) != 2 or norms[0] not in colours().modifiers:
            return ()
        shades = self._lexicon.lookup(norms[1])
        return tuple(e for e in shades if self._lexicon.has_role(e.facet, "colour"))

    def _meanings(self, norms: Sequence[str]) -> tuple[Entry, ...]:
        """Return what a name may mean, abbreviations written out, without far-fetched parts."""
        joined, short = key(norms), general().abbreviations
        if joined in general().greetings:
            return ()
        entries = self._lexicon.lookup(joined)
        if not entries and any(norm in short for norm in norms):
            entries = self._lexicon.lookup(key(short.get(norm, norm) for norm in norms))
        if all(entry.score >= WHOLE for entry in entries):
            return entries
        narrowed = (self._narrowed(entry, " ".join(norms)) for entry in entries)
        return tuple(entry for entry in narrowed if entry is not None)

    def _narrowed(self, entry: Entry, name: str) -> Entry | None:
        """Keep a category called by a part of its name only if the part means it in this catalog.

        "noodles" is mostly Pasta, Soup & Noodles; "lemon" is seldom Lemon, Ginger & Garlic.
        """
        if entry.score >= WHOLE or not self._lexicon.has_role(entry.facet, "category"):
            return entry
        memo = (entry.facet, name)
        if memo not in self._kept:
            self._kept[memo] = self._kept_values(entry, name)
        values = self._kept[memo]
        return replace(entry, values=values) if values else None

    def _kept_values(self, entry: Entry, name: str) -> tuple[str, ...]:
        word = Compare(TEXT, "contains", name)
        total = self._index.count(word)
        if not total:
            return entry.values
        counts = {
            value: self._index.count(And((word, Compare(entry.facet, "eq", value))))
            for value in entry.values
        }
        if sum(counts.values()) < _MOSTLY * total:
            return ()
        if entry.score < _PART:
            return entry.values
        best = max(counts.values())
        return tuple(value for value in entry.values if counts[value] * 2 >= best)


def _runs_over(entry: Entry, tokens: Sequence[Token], i: int, last: int) -> bool:
    """Return whether tokens [i, last) are a name only with a word of the sentence around it that
    the value does not have: "lux or" is not Luxor.
    """
    edges = {tokens[i].word, tokens[last - 1].word} & _CONNECTING
    if last == i + 1 or not edges:
        return False
    name = key(token.norm for token in tokens[i:last])
    written = [value for value in entry.values if key_of(value) == name]
    return bool(written) and not any(
        edges <= {token.word for token in tokenize(value)} for value in written
    )


def _ends_a_name(tokens: Sequence[Token], i: int) -> bool:
    """Return whether a sign at i ends a clause; inside a name it touches both its neighbours.

    The point behind an initial or a short title need not: "N.K. Jemisin", "Dr. Oetker".
    """
    if tokens[i].word not in BREAKS and tokens[i].word != ",":
        return False
    follows = i + 1 < len(tokens)
    initial = tokens[i].word == "." and i > 0 and len(tokens[i - 1].word) <= _SHORT
    return not (tokens[i].glued and follows and (tokens[i + 1].glued or initial))


def _surest(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Drop meanings that are much less sure than the best one."""
    best = entries[0].score
    return tuple(entry for entry in entries if entry.score >= best - _NEARLY_AS_SURE)


def _mention(entry: Entry, tokens: Sequence[Token], first: int, last: int) -> Mention:
    corrected = any(token.corrected for token in tokens[first:last])
    return Mention(
        id="", kind="value", start=tokens[first].start, end=tokens[last - 1].end, text="",
        facet=entry.facet, values=entry.values, family=entry.family,
        score=round(entry.score * (_CORRECTED if corrected else 1.0), 3), note=entry.note,
    )  # fmt: skip
