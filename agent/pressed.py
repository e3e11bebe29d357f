"""A turn made by pressing rather than by talking: a wish removed, "like this, but blue" picked.

What is pressed is exact, so nothing is linked or guessed: it becomes the plan itself, in terms of
mentions, as a planner's would be. The words that come with it are what the transcript shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.errors import UserInputError
from agent.languages.tongue import ENGLISH, Tongue
from agent.plan import ORDER, PREFIX, Act, Mention, MentionKind, Plan
from agent.wording import label, listing, say
from retrieval.catalog import Facet
from retrieval.filters import TEXT

ITEM = "item"
"""Pseudo-facet of what is dropped when an item is let go."""

MOST = 20
"""Wishes or items in one press."""

MOST_VALUES = 200
"""Values in one wish."""

Name = Literal[
    "refine", "like", "more", "compare", "explain", "why_not", "detail", "select", "reject",
    "undo", "reset",
]  # fmt: skip


LARGEST = 1e15
"""Of bounds: larger numbers are told from each other by nobody, and written by nothing."""

Bound = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]


class PressedWish(BaseModel):
    """A wish on one facet, or a word.

    Args:
        facet: Name of a facet; "text" for a word, "order" for how items are sorted, "item" (to be
            dropped only) for items that were to be like, or are hidden.
        values: Values of a categorical facet, the word, or ids of items.
        low, high: Bounds of a numeric or date facet (ISO dates).
        direction: Towards smaller or larger values than the item that is pressed on has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    facet: str = Field(max_length=200)
    values: tuple[str, ...] = Field(default=(), max_length=MOST_VALUES)
    low: Bound | str | None = None
    high: Bound | str | None = None
    direction: Literal["up", "down"] | None = None


class Press(BaseModel):
    """What was pressed.

    Args:
        act: What to do, as plans name it; "why_not" asks why an item is not shown.
        items: Ids of the items it is about.
        want, avoid: Wishes to add.
        drop: Wishes to forget: whole facets, or some values or the bounds of one.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"act": "refine", "drop": [{"facet": "colour"}]},
                {"act": "like", "items": ["7"], "want": [{"facet": "colour", "values": ["Blue"]}]},
            ]
        },
    )

    act: Name
    items: tuple[str, ...] = Field(default=(), max_length=MOST)
    want: tuple[PressedWish, ...] = Field(default=(), max_length=MOST)
    avoid: tuple[PressedWish, ...] = Field(default=(), max_length=MOST)
    drop: tuple[PressedWish, ...] = Field(default=(), max_length=MOST)


def plan_of(press: Press, text: str, facets: Sequence[Facet], tongue: Tongue = ENGLISH) -> Plan:
    """Return the plan of a press.

    Args:
        text: The words that go with it.
        tongue: The language of what it is remembered as.

    Raises:
        UserInputError: If a facet is not the catalog's, or a wish does not fit its kind.
    """
    made = _Mentions({facet.name: facet for facet in facets}, text, tongue)
    refs = tuple(made.item(id) for id in press.items)
    act = Act(
        act="explain" if press.act == "why_not" else press.act,
        want=tuple(made.wish(one) for one in press.want if one.direction is None),
        change=tuple(made.wish(one) for one in press.want if one.direction is not None),
        avoid=tuple(made.wish(one) for one in press.avoid),
        drop=tuple(made.dropped(one) for one in press.drop),
        refs=refs,
        why_not=press.act == "why_not",
    )
    return Plan(acts=(act,), mentions=tuple(made.made), utterance=text)


class _Mentions:
    """The mentions of one press, numbered as a linker would."""

    def __init__(self, facets: Mapping[str, Facet], text: str, tongue: Tongue) -> None:
        self._facets = facets
        self._tongue = tongue
        self._end = len(text)
        self.made: list[Mention] = []

    def item(self, id: str) -> str:
        return self._add("reference", id, items=(id,))

    def wish(self, wish: PressedWish) -> str:
        """Return the id of a mention that adds a wish."""
        if wish.facet == TEXT:
            return self._word(wish)
        facet = self._facet(wish.facet)
        if wish.direction is not None:
            way = "more" if wish.direction == "up" else "less"
            words = self._say(way, facet=label(facet, facet.name, self._tongue))
            return self._add("relative", words, facet=facet.name, direction=wish.direction)
        bounded = wish.low is not None or wish.high is not None
        if facet.kind in ("numeric", "date"):
            if not bounded or wish.values:
                raise _unfit(wish, "low or high", facet)
            words = self._between(wish.low, wish.high)
            return self._add("number", words, facet=facet.name, low=wish.low, high=wish.high)
        if bounded or not wish.values:
            raise _unfit(wish, "values", facet)
        words = listing(
            [self._tongue.value(facet.name, v) for v in wish.values], "or", self._tongue
        )
        return self._add("value", words, facet=facet.name, values=wish.values)

    def dropped(self, wish: PressedWish) -> str:
        """Return the id of a mention whose facet, values or word are forgotten."""
        if wish.facet == ORDER:
            return self._add("order", ORDER, facet=ORDER)
        if wish.facet == ITEM:
            return self._add("reference", ITEM, items=wish.values)
        if wish.facet == TEXT:
            return self._word(wish)
        facet = self._facet(wish.facet)
        if wish.values:
            named = [self._tongue.value(facet.name, value) for value in wish.values]
            words = listing(named, tongue=self._tongue)
            return self._add("value", words, facet=facet.name, values=wish.values)
        if wish.low is not None or wish.high is not None:
            words = self._between(wish.low, wish.high)
            return self._add("number", words, facet=facet.name, low=wish.low, high=wish.high)
        return self._add("facet", label(facet, facet.name, self._tongue), facet=facet.name)

    def _say(self, key: str, **values: object) -> str:
        return say(f"press.{key}", 0, self._tongue.code, **values)

    def _between(self, low: float | str | None, high: float | str | None) -> str:
        if low is None:
            return self._say("up_to", high=_number(high))
        if high is None:
            return self._say("from", low=_number(low))
        return self._say("range", low=_number(low), high=_number(high))

    def _word(self, wish: PressedWish) -> str:
        if len(wish.values) != 1 or not wish.values[0].strip():
            raise UserInputError(f"a wish on the text takes one word or phrase as values, "
                                 f"got {list(wish.values)!r}")  # fmt: skip
        word = wish.values[0].strip().casefold()
        return self._add("keyword", word, values=(word,))

    def _facet(self, name: str) -> Facet:
        facet = self._facets.get(name)
        if facet is None:
            known = ", ".join(sorted(self._facets)[:30])
            raise UserInputError(f"no facet {name[:80]!r}; the catalog has {known}")
        return facet

    def _add(self, kind: MentionKind, text: str, **values: object) -> str:
        id = f"{PREFIX[kind]}{1 + sum(one.kind == kind for one in self.made)}"
        known = {"id": id, "kind": kind, "start": 0, "end": self._end, "text": text}
        self.made.append(Mention.model_validate({**known, **values}))
        return id


def _number(value: float | str | None) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unfit(wish: PressedWish, expected: str, facet: Facet) -> UserInputError:
    return UserInputError(
        f"a wish on {facet.name!r}, which is {facet.kind}, takes {expected}; "
        f"got {wish.model_dump(exclude_defaults=True)!r}"
    )
