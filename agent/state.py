"""The state of a session: what the user wants, what was shown, what is in focus.

Values only; `agent.apply` changes them. Everything here is JSON-serialisable, so that a session
resumes after a crash exactly where it was.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.service.values import DeskState
from retrieval.filters import And, Compare, Filter, Or


class Constraint(BaseModel):
    """A hard wish on one facet: values it may have, values it may not, bounds.

    A facet has at most one constraint in a state.

    Args:
        values: The facet must have one of these (empty: no demand).
        excluded: The facet must have none of these.
        low, high: Bounds (ISO date text on date facets), inclusive unless `low_strict` /
            `high_strict`.
        relative: Whether the bound is an item's own value ("cheaper than the second").
        label: The user's words for it, e.g. "blue" or "under 60".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    facet: str
    role: str | None = None
    values: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    low: float | str | None = None
    high: float | str | None = None
    low_strict: bool = False
    high_strict: bool = False
    relative: bool = False
    label: str = ""
    turn: int = 0

    def filter(self) -> Filter:
        """Return the constraint in the filter language."""
        parts: list[Filter] = []
        if self.values and self.facet == "text":
            parts += [Or(tuple(Compare("text", "contains", v) for v in self.values))]
        elif self.values:
            parts.append(Compare(self.facet, "in", self.values))
        if self.excluded and self.facet == "text":
            parts += [Compare("text", "not_contains", v) for v in self.excluded]
        elif self.excluded:
            parts.append(Compare(self.facet, "not_in", self.excluded))
        if self.low is not None:
            parts.append(Compare(self.facet, "gt" if self.low_strict else "gte", self.low))
        if self.high is not None:
            parts.append(Compare(self.facet, "lt" if self.high_strict else "lte", self.high))
        return parts[0] if len(parts) == 1 else And(tuple(parts))


class Preference(BaseModel):
    """A soft wish: free words, or values / a bound of a facet that would be nice.

    Args:
        words: The user's own, where `text` was carried over from another language.
        known: False for words that the catalog lacks, said without anything it has; they are
            answered once and then forgotten.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    facet: str | None = None
    values: tuple[str, ...] = ()
    low: float | str | None = None
    high: float | str | None = None
    words: str = ""
    known: bool = True
    turn: int = 0


class Likeness(BaseModel):
    """A like-this-but-X wish: the reference item, and the facets that were asked to change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: str
    changed: tuple[str, ...] = ()


class Sorting(BaseModel):
    """The order asked for: "down" puts the smallest values of the facet first, "up" the largest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facet: str
    direction: Literal["up", "down"]
    label: str = ""


class Need(BaseModel):
    """What the user is looking for now; the part of the state that undo restores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    constraints: tuple[Constraint, ...] = ()
    preferences: tuple[Preference, ...] = ()
    like: Likeness | None = None
    sorting: Sorting | None = None
    rejected: tuple[str, ...] = ()

    def constraint(self, facet: str) -> Constraint | None:
        """Return the constraint on a facet, or None."""
        return next((c for c in self.constraints if c.facet == facet), None)

    def filter(self) -> Filter:
        """Return all hard constraints together (rejected items are excluded by the retriever)."""
        return And(tuple(constraint.filter() for constraint in self.constraints))


class Listing(BaseModel):
    """A slate as it was shown: its item ids in rank order, and the need that it was made for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[str, ...]
    need: Need


class State(BaseModel):
    """Everything a turn needs to know of the turns before it.

    Args:
        need: What is wanted now.
        slate: Item ids shown last, in rank order; references point here.
        lists: Slates that were shown, oldest first and the present one last (the first of all, and
            the newest; at most 8), for "back to the first list".
        focus: Item ids spoken of last ("it", "that one").
        shown: Item ids shown for the present need, so that "more" brings new ones.
        liked, selected: Verdicts, for the whole session.
        earlier: Needs before each change, newest last, for undo (at most 20).
        asked: Facets already asked about, so that a question is not repeated.
        turn: Number of turns taken.
        desk: What the service desk remembers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    need: Need = Need()
    slate: tuple[str, ...] = ()
    lists: tuple[Listing, ...] = ()
    focus: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()
    earlier: tuple[Need, ...] = ()
    asked: tuple[str, ...] = ()
    language: str = "en"
    turn: int = 0
    desk: DeskState = DeskState()
