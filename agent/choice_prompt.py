"""The prompt behind choices: what somebody wants, then an item as one line of plain words.

    choose
    need: category+ price( soft . want: jacket warm below 120
    →  wool coat . category coat . colour navy . price low . rating high

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

_FACETS = 12
_VALUES = 3
_TITLE = 80
_VALUE = 40
_LEVELS = ("lowest", "low", "lower", "higher", "high", "highest")
"""Names of the spans between the 10, 25, 50, 75 and 90 % points."""


def choice_messages(need: Need, facets: tuple[Facet, ...]) -> tuple[Message, ...]:
    """Return the messages before an item's line."""
    return load(PROMPT).messages(need=_need(need, facets))


def choice_text(fields: Mapping[str, Any], facets: tuple[Facet, ...], title: str = "") -> str:
    """Return an item as one line: its title and its facets, most widespread first.

    Args:
        fields: Facet name to value, as in `Item.fields` or `Shown.fields`.
        title: By default `fields["title"]`.
    """
    known = [facet for facet in facets if fields.get(facet.name) not in (None, "", ())]
    known.sort(key=lambda facet: (-facet.coverage, facet.name))
    parts = [plain(title or str(fields.get("title") or ""))[:_TITLE].strip()]
    for facet in known[:_FACETS]:
        value = _value(fields[facet.name], facet)
        if value:
            parts.append(f"{_name(facet)} {value}")
    return " . ".join(part for part in parts if part)


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
