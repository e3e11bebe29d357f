"""Needs taken apart into atoms, so that two of them can be compared and mixed. Pure.

An atom is one thing asked for: a value wanted or avoided, a bound, a soft word, an item to be
like, an order, an item not to be shown again. How it is worded and when it was said is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from agent.plan import Mention
from agent.state import Constraint, Need
from retrieval.filters import TEXT, And, Filter, contains

Way = Literal["want", "avoid", "low", "high", "soft", "like", "sort", "reject"]

HARD: tuple[Way, ...] = ("want", "avoid", "low", "high")
WORDS: tuple[Way, ...] = ("soft", "avoid")


class Atom(NamedTuple):
    """One thing asked for.

    Args:
        facet: Facet name, "text" for words, "" for items.
        value: A value, a bound, a word, a direction or an item's id.
        strict: Whether a bound is left out itself.
    """

    way: Way
    facet: str
    value: str | float
    strict: bool = False

    @property
    def group(self) -> tuple[str, ...]:
        """What it is about: atoms of one group are set, changed and lifted together."""
        if self.facet == TEXT:
            return ("word", str(self.value))
        if self.way == "sort":
            return ("order",)
        if self.way == "reject":
            return ("item", str(self.value))
        return ("like",) if self.way == "like" else ("facet", self.facet)


Atoms = frozenset[Atom]


def atoms(need: Need) -> Atoms:
    """Return what a need asks for; words that the catalog lacks ask for nothing."""
    found: list[Atom] = []
    for wish in need.constraints:
        found += _of_constraint(wish)
    for soft in need.preferences:
        if soft.facet and (soft.values or soft.low is not None or soft.high is not None):
            found += [Atom("soft", soft.facet, value) for value in soft.values]
            found += [Atom("soft", soft.facet, bound) for bound in (soft.low, soft.high)
                      if bound is not None]  # fmt: skip
        elif soft.known:
            found.append(Atom("soft", TEXT, soft.text.casefold()))
    if need.like:
        found.append(Atom("like", "", need.like.item_id))
    if need.sorting:
        found.append(Atom("sort", need.sorting.facet, need.sorting.direction))
    found += [Atom("reject", "", id) for id in need.rejected]
    return frozenset(found)


def _of_constraint(wish: Constraint) -> Iterator[Atom]:
    yield from (Atom("want", wish.facet, value) for value in wish.values)
    yield from (Atom("avoid", wish.facet, value) for value in wish.excluded)
    if wish.low is not None:
        yield Atom("low", wish.facet, wish.low, wish.low_strict)
    if wish.high is not None:
        yield Atom("high", wish.facet, wish.high, wish.high_strict)


def hard_filter(wanted: Iterable[Atom]) -> Filter:
    """Return the hard constraints among atoms in the filter language."""
    by_facet: dict[str, list[Atom]] = {}
    for atom in wanted:
        if atom.way in HARD:
            by_facet.setdefault(atom.facet, []).append(atom)
    return And(tuple(_constraint(name, by_facet[name]).filter() for name in sorted(by_facet)))


def _constraint(facet: str, own: Sequence[Atom]) -> Constraint:
    def values(way: Way) -> tuple[str, ...]:
        return tuple(sorted(str(atom.value) for atom in own if atom.way == way))

    low = next((atom for atom in own if atom.way == "low"), None)
    high = next((atom for atom in own if atom.way == "high"), None)
    return Constraint(
        facet=facet, values=values("want"), excluded=values("avoid"),
        low=low and low.value, high=high and high.value,
        low_strict=bool(low and low.strict), high_strict=bool(high and high.strict),
    )  # fmt: skip


def can_say(mention: Mention, atom: Atom) -> bool:
    """Return whether an atom can come of a mention, whatever its polarity."""
    if atom.way in ("like", "reject"):
        return atom.value in mention.items
    if atom.facet == TEXT:
        return mention.kind in ("keyword", "unknown", "value") and _has_word(mention, atom)
    if mention.facet != atom.facet:
        return False
    if atom.way == "sort":
        return mention.kind in ("order", "relative") and mention.direction == atom.value
    if mention.kind == "value":
        return atom.value in (*mention.values, *mention.family)
    if mention.kind == "number":
        return atom.value in (mention.low, mention.high)
    # "Cheaper" sets a bound by what is on show, "another colour" excludes what is there.
    return mention.kind in ("relative", "facet")


def _has_word(mention: Mention, atom: Atom) -> bool:
    word = str(atom.value)
    said = (mention.text.casefold(), *(value.casefold() for value in mention.values))
    return any(contains(word, one) or contains(one, word) for one in said)


def about(mention: Mention, group: tuple[str, ...]) -> bool:
    """Return whether a mention says anything of a group."""
    match group:
        case ("word", word):
            return mention.kind in ("keyword", "unknown", "value") and _has_word(
                mention, Atom("soft", TEXT, word)
            )
        case ("item", id):
            return id in mention.items
        case ("like",):
            return bool(mention.items)
        case ("order",):
            return mention.kind in ("order", "relative")
        case (_, facet):
            return mention.facet == facet
    return False


def of_group(found: Atoms, group: tuple[str, ...]) -> Atoms:
    """Return the atoms of a group."""
    return frozenset(atom for atom in found if atom.group == group)


def groups(*sets: Iterable[Atom]) -> list[tuple[str, ...]]:
    """Return the groups of atoms, sorted."""
    return sorted({atom.group for atoms_ in sets for atom in atoms_})
