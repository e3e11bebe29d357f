"""Hand-labelled dialogues: what an utterance means, as people wrote it down, and how to read it.

The file format is described in finetune/data/README.md. This module does not know how utterances
are understood (`agent`) or how answers are scored (`finetune.understanding`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.errors import LabelError
from retrieval.catalog import Facet, Role, primary
from retrieval.filters import TEXT, And, Compare, Filter, Or

Bound = float | str
"""A number, or a date as ISO 8601 text."""

ROLES: dict[str, Role] = {
    "category": "category", "brand": "brand", "colour": "colour", "color": "colour",
    "price": "price", "rating": "rating", "popularity": "popularity", "gender": "audience",
    "availability": "availability", "date": "date", "material": "material", "size": "size",
    "language": "language",
}  # fmt: skip
"""Facet names that a label may use for whatever a catalog calls that property."""


class Label(BaseModel):
    """Base of everything in a label file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Wish(Label):
    """The hard wish on one facet after a turn; `*_ok` lists values that may count, or not."""

    facet: str
    wanted: tuple[str, ...] = Field(default=(), alias="in")
    wanted_ok: tuple[str, ...] = Field(default=(), alias="in_ok")
    excluded: tuple[str, ...] = Field(default=(), alias="not_in")
    excluded_ok: tuple[str, ...] = Field(default=(), alias="not_in_ok")
    low: Bound | None = Field(default=None, alias="min")
    high: Bound | None = Field(default=None, alias="max")
    strict: bool = False


class Ordering(Label):
    """A sorting wish; "down" is towards small values (cheapest first), "up" towards large ones."""

    facet: str
    direction: Literal["up", "down"]


class Expect(Label):
    """One right reading of a turn: the acts, and the whole state after it."""

    acts: tuple[str | tuple[str, ...], ...]
    constraints: tuple[Wish, ...] = ()
    refs: tuple[str, ...] = ()
    like: str | None = None
    order: Ordering | None = None
    rejected: tuple[str, ...] | None = None
    soft: tuple[str, ...] = ()


class LabelledTurn(Label):
    """What the user said in front of which slate, and what it means."""

    text: str
    slate: tuple[str, ...] | None = None
    focus: tuple[str, ...] | None = None
    expect: Expect
    alternatives: tuple[Expect, ...] = Field(default=(), alias="or")

    @property
    def readings(self) -> tuple[Expect, ...]:
        """Return every right reading, the labeller's first choice first."""
        return (self.expect, *self.alternatives)


class Dialogue(Label):
    """A labelled conversation over one catalog."""

    id: str
    catalog: str
    turns: tuple[LabelledTurn, ...]


def parse_dialogue(data: dict[str, Any], where: str) -> Dialogue:
    """Return a dialogue from its JSON object; LabelError says where and what is wrong."""
    try:
        return Dialogue.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        raise LabelError(f"{where}: {first['msg']} at {at}, got {first['input']!r}") from error


def read_dialogues(path: Path) -> list[Dialogue]:
    """Return the dialogues of a JSONL file.

    Raises:
        LabelError: If a line is not a dialogue: names file, line and field.
    """
    dialogues = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        try:
            data = json.loads(line)
        except json.JSONDecodeError as error:
            raise LabelError(f"{where}: expected one JSON object a line: {error}") from error
        dialogues.append(parse_dialogue(data, where))
    if not dialogues:
        raise LabelError(f"{path.name}: expected at least one dialogue, the file has none")
    return dialogues


def facet_named(name: str, facets: tuple[Facet, ...]) -> str | None:
    """Return the catalog's name for a label's facet: the same name, else the one with that role.

    None when the label names a role that the catalog has no facet for; a label on it can't be
    scored.

    Raises:
        LabelError: If the name is neither a facet of the catalog nor a role.
    """
    if name == TEXT or any(facet.name == name for facet in facets):
        return name
    if name not in ROLES:
        known = ", ".join(facet.name for facet in facets[:20])
        raise LabelError(f"the catalog has no facet {name!r}; it has: {known}")
    facet = primary(facets, ROLES[name])
    return facet.name if facet else None


def _wanted(facet: str, values: tuple[str, ...]) -> list[Filter]:
    if not values:
        return []
    if facet == TEXT:
        return [Or(tuple(Compare(TEXT, "contains", value) for value in values))]
    return [Compare(facet, "in", values)]


def _excluded(facet: str, values: tuple[str, ...]) -> list[Filter]:
    if facet == TEXT:
        return [Compare(TEXT, "not_contains", value) for value in values]
    return [Compare(facet, "not_in", values)] if values else []


def _narrow(wish: Wish, facet: str) -> list[Filter]:
    parts = _wanted(facet, wish.wanted) + _excluded(facet, wish.excluded + wish.excluded_ok)
    single = wish.low == wish.high
    if wish.low is not None:
        parts.append(Compare(facet, "gte" if single else "gt", wish.low))
    if wish.high is not None:
        parts.append(Compare(facet, "lte" if single else "lt", wish.high))
    return parts


def _wide(wish: Wish, facet: str) -> list[Filter]:
    parts = _wanted(facet, (*wish.wanted, *wish.wanted_ok) if wish.wanted else ())
    parts += _excluded(facet, wish.excluded)
    if wish.low is not None:
        parts.append(Compare(facet, "gte", wish.low))
    if wish.high is not None:
        parts.append(Compare(facet, "lte", wish.high))
    return parts


def gold_filters(wishes: Iterable[Wish], facets: tuple[Facet, ...]) -> tuple[Filter, Filter]:
    """Return the narrowest and the widest filter that a labeller would accept.

    They differ by the values listed as `in_ok` and `not_in_ok`, and by whether a bound itself is
    inside. A wish on a role that the catalog lacks is left out.
    """
    narrow: list[Filter] = []
    wide: list[Filter] = []
    for wish in wishes:
        facet = facet_named(wish.facet, facets)
        if facet is not None:
            narrow += _narrow(wish, facet)
            wide += _wide(wish, facet)
    return And(tuple(narrow)), And(tuple(wide))
