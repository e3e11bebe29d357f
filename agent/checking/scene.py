"""What a text is read against: one item, the wishes, and what the catalog knows. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.state import Constraint, State
from agent.wording import clean, label
from retrieval.catalog import Facet, FieldValue, Item
from retrieval.filters import singular

Part = Literal["own", "wish", "gap", "item", "false", "missing", "stock", "quoted", "strange"]

WORD = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*")
OF_WISH = re.compile(
    r"\b(?:not|no|instead of|rather than|without|clear of|in place of|ruled out|want(?:ed)?|avoids?"
    r"|avoid|wish(?:ed)? for|asked for|(?:were|are) after|unlike|named|trades|swaps|changes from"
    r"|moves from|n't)(?: (?:in|by|from|of|for|the|made|under|any|its|have|size)){0,3}$",
    re.IGNORECASE,
)
OF_WISH_AFTER = re.compile(
    r"^ (?:that |which )?(?:you (?:ruled|asked|wanted|named|need|were|are|wished|did not want)"
    r"|(?:is|was) (?:avoided|ruled))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """One thing named in a text.

    Args:
        facets: The facets it may belong to.
        value: What was named.
    """

    start: int
    end: int
    part: Part
    facets: tuple[str, ...] = ()
    value: FieldValue = ""


class Vocabulary:
    """Every value of a catalog's facets by its words, made once per catalog."""

    def __init__(self, facets: Sequence[Facet]) -> None:
        self.facets = tuple(facets)
        self.by_name = {facet.name: facet for facet in facets}
        self._known: dict[tuple[str, ...], set[str]] = {}
        for facet in facets:
            if facet.kind in ("categorical", "list"):
                for value, _ in facet.values:
                    self._known.setdefault(_key(value), set()).add(facet.name)
        self.labels = {label(facet, facet.name).casefold() for facet in facets}
        self.longest = max((len(key) for key in self._known), default=1)

    def facets_of(self, key: tuple[str, ...]) -> set[str]:
        """Return the facets that have a value of these words."""
        return self._known.get(key, set())


def _key(text: str) -> tuple[str, ...]:
    return tuple(singular(word.casefold()) for word in WORD.findall(text))


@dataclass
class Scene:
    """What a text is read against: one item, the wishes, and items it may be compared with."""

    item: Item
    state: State
    vocabulary: Vocabulary
    currency: str | None = None
    others: Mapping[str, Item] = field(default_factory=dict)
    _own: dict[tuple[str, ...], set[str]] = field(default_factory=dict)
    _wished: dict[tuple[str, ...], set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Collect the values that may be named, by their words."""
        for name, value in self.item.fields.items():
            for one in value if isinstance(value, tuple) else (value,):
                _add(self._own, one, name)
        for constraint in self.state.need.constraints:
            for one in (*constraint.values, *constraint.excluded):
                _add(self._wished, one, constraint.facet)
        for other in self.others.values():
            for name, value in other.fields.items():
                for one in value if isinstance(value, tuple) else (value,):
                    _add(self._wished, one, name)

    def constraint(self, name: str) -> Constraint | None:
        """Return the constraint on a facet."""
        return self.state.need.constraint(name)

    def part_of(self, key: tuple[str, ...], of_wish: bool) -> tuple[Part, set[str]] | None:
        """Return whose value some words are; None where they are none."""
        own, wished = self._own.get(key), self._wished.get(key)
        if wished and (of_wish or not own):
            return ("wish" if of_wish else "false"), wished
        if own:
            return "own", own
        known = self.vocabulary.facets_of(key)
        return ("false", known) if known else None

    def owns(self, key: tuple[str, ...]) -> bool:
        """Return whether some words are a value of the item."""
        return key in self._own

    def longest(self) -> int:
        """Return the most words of a value."""
        return max([self.vocabulary.longest, *map(len, self._own), *map(len, self._wished)])


def _add(known: dict[tuple[str, ...], set[str]], value: object, name: str) -> None:
    if isinstance(value, str):
        for form in (value, clean(value, 60).rstrip("…"), clean(value, 40).rstrip("…")):
            known.setdefault(_key(form), set()).add(name)


def label_spans(text: str, scene: Scene) -> list[tuple[int, int]]:
    """Return where names of several words stand ("connector 1"), whose words are no values."""
    folded = text.casefold()
    names = {label(facet, facet.name).casefold() for facet in scene.vocabulary.facets}
    return [at.span() for name in names if " " in name and name in folded
            for at in re.finditer(re.escape(name), folded)]  # fmt: skip
