"""Queries made from a catalog itself, each with the items it should find.

They stand in for people's queries where nobody has judged any: a few words of a title, the same
with a typing error, a piece of a description, and two facet values ("blue shoes"). They are made
of the catalog's own words, so they flatter a search by words; whoever uses them must allow for it.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from retrieval.catalog import Facet, Item
from retrieval.filters import And, Compare
from retrieval.lexical import STOP
from retrieval.query import Index

Kind = Literal["title", "misspelt", "description", "values"]

TITLE_WORDS = (2, 4)
PASSAGE = (5, 8)
MISSPELT = 5
"""Letters of a word, at least, before it is misspelt."""
ALIKE = 0.05
"""Share of the catalog that two facet values may select, at most, to say anything."""
TRIES = 8
"""So many items are looked at, per probe wanted, before fewer are made do with."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Probe:
    """A made query and the ids of the items it should find."""

    kind: Kind
    text: str
    relevant: frozenset[str]


def make_probes(index: Index, facets: Sequence[Facet], each: int, seed: int) -> list[Probe]:
    """Return up to `each` probes of every kind that the catalog allows, always the same."""
    chance = random.Random(seed)
    ids = index.ids()
    drawn = chance.sample(ids, min(len(ids), TRIES * each))
    told = [facet.name for facet in facets if facet.kind in ("categorical", "list")]
    found: dict[Kind, dict[str, Probe]] = {kind: {} for kind in get_args(Kind)}
    for item in index.get(drawn):
        for kind, known in found.items():
            made = _make(kind, item, told, index, chance) if len(known) < each else None
            if made is not None:
                known.setdefault(made.text, made)
    return [probe for known in found.values() for probe in known.values()]


def _make(
    kind: Kind, item: Item, told: Sequence[str], index: Index, chance: random.Random
) -> Probe | None:
    if kind == "values":
        return _of_values(item, told, index, chance)
    text = _of_description(item, chance) if kind == "description" else _of_title(item, chance)
    if kind == "misspelt":
        text = _misspelt(text, chance)
    return Probe(kind, text, frozenset([item.id])) if text else None


def _content(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word.casefold() not in STOP]


def _of_title(item: Item, chance: random.Random) -> str:
    """Return a few words of a title in their order; nothing of a title too short to lose any."""
    own = _content(item.title)
    low, high = TITLE_WORDS
    if len(own) <= low:
        return ""
    count = chance.randint(low, min(high, len(own) - 1))
    return " ".join(own[place] for place in sorted(chance.sample(range(len(own)), count)))


def _misspelt(text: str, chance: random.Random) -> str:
    """Return a text with one letter of a long word dropped, doubled, changed or swapped."""
    long = [m for m in _WORD.finditer(text) if len(m[0]) >= MISSPELT and m[0].isalpha()]
    if not long:
        return ""
    match = chance.choice(long)
    word, place = match[0], chance.randrange(1, len(match[0]) - 1)
    letter = word[place]
    changed = chance.choice(
        [
            word[:place] + word[place + 1 :],
            word[:place] + letter + word[place:],
            word[:place] + chance.choice(string.ascii_lowercase) + word[place + 1 :],
            word[:place] + word[place + 1] + letter + word[place + 2 :],
        ]
    )
    return text[: match.start()] + changed + text[match.end() :]


def _of_description(item: Item, chance: random.Random) -> str:
    """Return a few words on end of a description that has more than the title does."""
    own = item.description.split()
    low, high = PASSAGE
    if len(own) < 2 * high or item.description.startswith(item.title):
        return ""
    start = chance.randrange(len(own) - high)
    return " ".join(own[start : start + chance.randint(low, high)])


def _of_values(
    item: Item, told: Sequence[str], index: Index, chance: random.Random
) -> Probe | None:
    """Return two facet values of an item as a query for all items that have both."""
    own = [(name, value) for name in told for value in item.values(name)
           if isinstance(value, str) and len(_content(value)) in (1, 2)]  # fmt: skip
    if len({name for name, _ in own}) < 2:
        return None
    first = chance.choice(own)
    second = chance.choice([pair for pair in own if pair[0] != first[0]])
    both = And(tuple(Compare(name, "eq", value) for name, value in (first, second)))
    if not 1 <= index.count(both) <= max(1, ALIKE * index.count()):
        return None
    return Probe("values", f"{first[1]} {second[1]}", frozenset(index.ids(both)))
