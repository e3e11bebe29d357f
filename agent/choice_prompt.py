"""The prompt behind choices: what somebody wants, then an item as one line of plain words.

    choose
    need: category coat . price below higher . warm
    →  category coat . colour navy . material wool . price low . rating high

A model is never asked to write this line; it is asked how likely it finds it (`agent.choosing`).
Amounts are told by where they stand in the catalog, so that what is learned about "price low"
holds in every currency. Pure; knows no model.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from agent.state import Need
from agent.tagged_prompt import plain
from prompts import Message, load
from retrieval.catalog import Facet

PROMPT = "choose@1"

_FACETS = 8
_SAYING = 4
"""Facets that say enough of an item without its title, whose words (names of models and makers)
hardly come twice: what they would teach is noise, and scoring them takes time."""
_VALUES = 3
_TITLE = 80
_VALUE = 40
_NO_TASTE = ("availability", "date", "size")
"""Roles of facets that people need or check rather than like."""
_LEVELS = ("lowest", "low", "lower", "higher", "high", "highest")
"""Names of the spans between the 10, 25, 50, 75 and 90 % points."""


def choice_messages(need: Need, facets: tuple[Facet, ...]) -> tuple[Message, ...]:
    """Return the messages before an item's line."""
    return load(PROMPT).messages(need=_need(need, facets))


def choice_text(fields: Mapping[str, Any], facets: tuple[Facet, ...], title: str = "") -> str:
    """Return an item as one line: its facets, most widespread first, one of each role.

    Args:
        fields: Facet name to value, as in `Item.fields` or `Shown.fields`.
        title: Told as well where there are few facets; by default `fields["title"]`.
    """
    parts = [_facet(fields, facet) for facet in telling(facets)]
    parts = [part for part in parts if part][:_FACETS]
    if len(parts) < _SAYING:
        told = plain(title or str(fields.get("title") or ""))[:_TITLE].strip()
        parts = [told, *parts]
    return " . ".join(part for part in parts if part)


def telling(facets: tuple[Facet, ...]) -> list[Facet]:
    """Return the facets that an item is told by, most widespread first."""
    found: dict[str, Facet] = {}
    for facet in sorted(
        facets, key=lambda facet: (-facet.coverage, -len(facet.values), facet.name)
    ):
        if facet.role not in _NO_TASTE:
            found.setdefault(facet.role or f"={facet.name}", facet)
    return list(found.values())


def _facet(fields: Mapping[str, Any], facet: Facet) -> str:
    value = fields.get(facet.name)
    told = "" if value is None else _value(value, facet)
    return f"{_name(facet)} {told}" if told else ""


def _need(need: Need, facets: tuple[Facet, ...]) -> str:
    names = {facet.name: _name(facet) for facet in facets}
    by_name = {facet.name: facet for facet in facets}
    parts = []
    for wish in need.constraints[-8:]:
        name = names.get(wish.facet, "text")
        facet = by_name.get(wish.facet)
        parts += [f"{name} {value}" for value in map(_short, wish.values[:_VALUES])]
        parts += [f"{name} not {value}" for value in map(_short, wish.excluded[:_VALUES])]
        for side, bound in (("above", wish.low), ("below", wish.high)):
            if bound is not None:
                parts.append(f"{name} {side} {_level(bound, facet)}".rstrip())
    parts += [_short(wish.text) for wish in need.preferences[-6:] if wish.text.strip()]
    parts += ["like another"] if need.like else []
    return " . ".join(parts) or "anything"


def _name(facet: Facet) -> str:
    return facet.role or plain(re.sub(r"[_-]+", " ", facet.label or facet.name))[:24].strip()


def _short(text: str) -> str:
    return plain(text)[:_VALUE].strip()


def _value(value: Any, facet: Facet) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _level(value, facet)
    if isinstance(value, tuple | list):
        return " , ".join(_short(str(one)) for one in value[:_VALUES])
    return _short(str(value)[:4] if facet.kind == "date" else str(value))


def _level(value: Any, facet: Facet | None) -> str:
    """Return where an amount stands in the catalog; dates by their year."""
    if isinstance(value, str):
        return _short(value[:4])
    if facet is None or len(facet.quantiles) != len(_LEVELS) - 1:
        return ""
    return _LEVELS[bisect_right(facet.quantiles, float(value))]
