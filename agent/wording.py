"""Words: the table of strings, and values, amounts and constraints as people read them.

Catalog text is data: it is cleaned of control characters and cut before it enters a sentence.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from babel.core import UnknownLocaleError
from babel.numbers import format_currency

from agent.state import Constraint
from retrieval.catalog import Facet, FieldValue, Item

TITLE_LENGTH = 70


@cache
def table(language: str = "en") -> Mapping[str, Mapping[str, Any]]:
    """Return the strings of a language; English where there is no table for it."""
    folder = resources.files("agent") / "strings"
    file = folder / f"{language}.toml" if re.fullmatch(r"[a-z]{2,3}", language) else folder
    if not file.is_file():
        file = folder / "en.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def say(key: str, seed: int = 0, language: str = "en", **values: object) -> str:
    """Return a sentence of the table; `seed` picks among its variants.

    Args:
        key: "section.name"; where `n` is given, "name.one" or "name.many" is taken if present.
    """
    section, _, name = key.partition(".")
    strings = table(language)[section]
    entry = strings[name]
    if isinstance(entry, Mapping):
        entry = entry["one" if values.get("n") == 1 else "many"]
    text = entry if isinstance(entry, str) else entry[seed % len(entry)]
    return str(text).format(**values)


def clean(text: str, limit: int = TITLE_LENGTH) -> str:
    """Return catalog or user text on one line, without control characters, cut at a word."""
    head = text[: 4 * limit]
    if not head.isprintable():
        head = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in head)
    line = " ".join(head.split())
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    return (head.rsplit(" ", 1)[0] if " " in head[limit // 2 :] else head).rstrip(" ,;:-") + "…"


_ADDRESS = re.compile(
    r"\S*(?:[a-z][a-z0-9+.-]*:/|www\.|(?:javascript|data|mailto):|\.[a-z]{2,}/)\S*", re.IGNORECASE
)


def repeated(text: str, limit: int = TITLE_LENGTH) -> str:
    """Return a user's words as they are repeated: on one line, cut, and without addresses.

    What an answer links to is the shop's, never what somebody else wrote into a question.
    """
    return clean(_ADDRESS.sub("…", text[: 4 * limit]), limit)


def title_of(item: Item) -> str:
    """Return an item's title as it stands in a sentence."""
    return clean(item.title) or item.id


def listing(parts: Sequence[str], last: str = "and") -> str:
    """Return "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def number(value: float) -> str:
    """Return a number without needless zeros, grouped from 10,000 on."""
    rounded = round(value, 2)
    text = f"{rounded:,.2f}" if abs(rounded) >= 10_000 else f"{rounded:.2f}"
    return text.rstrip("0").rstrip(".")


@lru_cache(maxsize=4096)
def money(amount: float, currency: str | None) -> str:
    """Return an amount with its currency, whole amounts without cents."""
    if not currency:
        return number(amount)
    pattern = "¤#,##0" if float(amount).is_integer() else None
    try:
        text = str(format_currency(amount, currency, pattern, "en", currency_digits=not pattern))
    except (UnknownLocaleError, ValueError, LookupError):
        return f"{currency} {number(amount)}"
    return re.sub(r"^(-?[A-Za-z.$]*[A-Za-z])\s*(?=\d)", r"\1 ", text)


def amount(facet: Facet | None, value: float, currency: str | None) -> str:
    """Return a number of a facet with its currency or unit."""
    unit = facet.unit if facet is not None else None
    if facet is not None and facet.role == "price":
        return money(value, currency or unit)
    if unit and re.fullmatch("[A-Z]{3}", unit):
        return money(value, unit)
    return f"{number(value)} {unit}" if unit else number(value)


def shown(facet: Facet | None, value: FieldValue, currency: str | None) -> str:
    """Return one field of an item as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return amount(facet, float(value), currency)
    if isinstance(value, tuple):
        return listing([clean(part, 40) for part in value[:6]])
    return clean(value, 60)


def label(facet: Facet | None, name: str) -> str:
    """Return the name of a facet as people read it."""
    return clean(facet.label if facet is not None and facet.label else name.replace("_", " "), 40)


def find(facets: Sequence[Facet], name: str | None) -> Facet | None:
    """Return the facet with a name, or None."""
    return next((facet for facet in facets if facet.name == name), None)


def _bounds(constraint: Constraint, facet: Facet | None, currency: str | None) -> list[str]:
    low, high = constraint.low, constraint.high
    dated = isinstance(low if low is not None else high, str)
    if low is not None and high is not None:
        least, most = shown(facet, low, currency), shown(facet, high, currency)
        if isinstance(low, str) == isinstance(high, str) and low > high:  # type: ignore[operator]
            return [f"at least {least} and at most {most}"]
        return [f"{least} to {most}"]
    if high is not None:
        strict, loose = ("before", "until") if dated else ("under", "at most")
        word = strict if constraint.high_strict else loose
        return [f"{word} {shown(facet, high, currency)}"]
    if low is not None:
        strict, loose = ("after", "from") if dated else ("over", "at least")
        word = strict if constraint.low_strict else loose
        return [f"{word} {shown(facet, low, currency)}"]
    return []


def _named(constraint: Constraint, facet: Facet | None, values: tuple[str, ...]) -> list[str]:
    if constraint.facet == "text":
        return [f"'{repeated(value, 40)}'" for value in values]
    if facet is not None and facet.kind == "boolean":
        name = label(facet, constraint.facet)
        return [name if value.casefold() == "true" else f"{name}: no" for value in values]
    named = [clean(value, 40) for value in values[:4]]
    return [*named, "others"] if len(values) > 4 else named


def describe(constraint: Constraint, facet: Facet | None, currency: str | None) -> str:
    """Return a constraint as people say it: "Blue or Navy", "not Leather", "under €60"."""
    parts = []
    if constraint.values:
        parts.append(listing(_named(constraint, facet, constraint.values), "or"))
    if constraint.excluded:
        word = "without" if constraint.facet == "text" else "not"
        parts.append(f"{word} {listing(_named(constraint, facet, constraint.excluded), 'or')}")
    bounds = _bounds(constraint, facet, currency)
    if bounds and facet is not None and facet.role != "price" and not facet.unit:
        bounds = [f"{label(facet, constraint.facet)} {bounds[0]}"]
    return " and ".join(parts + bounds)
