"""Words: sentences of the tables, and values, amounts and constraints as people read them.

Catalog text is data: it is cleaned of control characters and cut before it enters a sentence. What
depends on the language is in its table, lists and plurals too; here is no word of any language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_currency

from agent.languages.tongue import ENGLISH, Tongue, table
from agent.state import Constraint
from retrieval.catalog import Facet, FieldValue, Item

TITLE_LENGTH = 70


def say(key: str, seed: int = 0, language: str = "en", **values: object) -> str:
    """Return a sentence of the table; `seed` picks among its variants.

    Args:
        key: "section.name"; a table of plural forms goes by the number `n`.
    """
    section, _, name = key.partition(".")
    entry = table(language)[section][name]
    if isinstance(entry, Mapping):
        entry = _plural(entry, values.get("n"), language)
    text = entry if isinstance(entry, str) else entry[seed % len(entry)]
    return str(text).format(**values)


def _plural(forms: Mapping[str, Any], n: object, language: str) -> Any:
    """Return the form for a number by the plural rules of Unicode; "many" stands for the rest."""
    kind = _plural_kind(int(n) if isinstance(n, int | float) else 0, language)
    return forms.get(kind, forms["many"])


@lru_cache(maxsize=4096)
def _plural_kind(n: int, language: str) -> str:
    try:
        return str(Locale.parse(language).plural_form(n))
    except (UnknownLocaleError, ValueError):
        return "one" if n == 1 else "many"


def ordinal(n: int, tongue: Tongue = ENGLISH) -> str:
    """Return 1st, 2nd, 3rd, 11th, or as the table of the language has it."""
    forms = table(tongue.code)["grammar"]["ordinal"]
    if isinstance(forms, Mapping):
        kind = Locale.parse(tongue.code).ordinal_form(n)
        forms = forms.get(kind, forms["many"])
    return str(forms).format(n=n)


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


def listing(
    parts: Sequence[str],
    last: Literal["and", "or", "wishes", "claims", "clauses"] = "and",
    tongue: Tongue = ENGLISH,
) -> str:
    """Return "a, b and c" as a language has it; `last` says what is listed."""
    if len(parts) < 2:
        return "".join(parts)
    grammar = table(tongue.code)["grammar"]
    comma = {"claims": "claims_comma", "clauses": "clauses"}.get(last, "comma")
    return f"{grammar[comma].join(parts[:-1])}{grammar[last]}{parts[-1]}"


def quoted(texts: Sequence[str], tongue: Tongue = ENGLISH) -> str:
    """Return texts as a list of quotations; they are cleaned and cut already."""
    return listing([say("grammar.quote", 0, tongue.code, text=text) for text in texts],
                   tongue=tongue)  # fmt: skip


def number(value: float) -> str:
    """Return a number without needless zeros, grouped from 10,000 on."""
    rounded = round(value, 2)
    text = f"{rounded:,.2f}" if abs(rounded) >= 10_000 else f"{rounded:.2f}"
    return text.rstrip("0").rstrip(".")


@lru_cache(maxsize=4096)
def money(amount: float, currency: str | None, language: str = "en") -> str:
    """Return an amount with its currency, whole amounts without cents."""
    if not currency:
        return number(amount)
    pattern = "¤#,##0" if float(amount).is_integer() else None
    try:
        text = str(
            format_currency(amount, currency, pattern, language, currency_digits=not pattern)
        )
    except (UnknownLocaleError, ValueError, LookupError, ArithmeticError):
        return f"{currency} {number(amount)}"
    return re.sub(r"^(-?[A-Za-z.$]*[A-Za-z])\s*(?=\d)", r"\1 ", text)


def amount(
    facet: Facet | None, value: float, currency: str | None, tongue: Tongue = ENGLISH
) -> str:
    """Return a number of a facet with its currency or unit."""
    unit = facet.unit if facet is not None else None
    if facet is not None and facet.role == "price":
        return money(value, currency or unit, tongue.code)
    if unit and re.fullmatch("[A-Z]{3}", unit):
        return money(value, unit, tongue.code)
    return f"{number(value)} {unit}" if unit else number(value)


def shown(
    facet: Facet | None, value: FieldValue, currency: str | None, tongue: Tongue = ENGLISH
) -> str:
    """Return one field of an item as people read it."""
    if isinstance(value, bool):
        return say("grammar.yes" if value else "grammar.no", 0, tongue.code)
    if isinstance(value, int | float):
        return amount(facet, float(value), currency, tongue)
    if isinstance(value, tuple):
        parts = [clean(_word(facet, part, tongue), 40) for part in value[:6]]
        return listing(parts, tongue=tongue)
    return clean(_word(facet, value, tongue), 60)


def _word(facet: Facet | None, value: str, tongue: Tongue) -> str:
    return value if facet is None else tongue.value(facet.name, value)


def worded(facet: Facet | None, value: str, limit: int = 40, tongue: Tongue = ENGLISH) -> str:
    """Return one value of a facet as people call it, cut to a length."""
    return clean(_word(facet, value, tongue), limit)


def label(facet: Facet | None, name: str, tongue: Tongue = ENGLISH) -> str:
    """Return the name of a facet as people read it."""
    known = facet.label if facet is not None and facet.label else name.replace("_", " ")
    return clean(tongue.label(name, known), 40)


def find(facets: Sequence[Facet], name: str | None) -> Facet | None:
    """Return the facet with a name, or None."""
    return next((facet for facet in facets if facet.name == name), None)


def _bounds(
    constraint: Constraint, facet: Facet | None, currency: str | None, tongue: Tongue
) -> list[str]:
    low, high = constraint.low, constraint.high
    dated = isinstance(low if low is not None else high, str)
    ends = {
        name: shown(facet, bound, currency, tongue)
        for name, bound in (("low", low), ("high", high))
        if bound is not None
    }
    key = ""
    if low is not None and high is not None:
        turned = isinstance(low, str) == isinstance(high, str) and low > high  # type: ignore[operator]
        key = "turned" if turned else "exactly" if low == high else "between"
    elif high is not None:
        strict, loose = ("before", "until") if dated else ("under", "at_most")
        key = strict if constraint.high_strict else loose
    elif low is not None:
        strict, loose = ("after", "since") if dated else ("over", "at_least")
        key = strict if constraint.low_strict else loose
    return [say(f"wishes.{key}", 0, tongue.code, **ends)] if key else []


def _named(
    constraint: Constraint, facet: Facet | None, values: tuple[str, ...], tongue: Tongue
) -> list[str]:
    if constraint.facet == "text":
        own = [repeated(tongue.value("text", value), 40) for value in values]
        return [say("grammar.quote", 0, tongue.code, text=text) for text in own]
    if facet is not None and facet.kind == "boolean":
        name = label(facet, constraint.facet, tongue)
        lacking = say("wishes.flag_no", 0, tongue.code, facet=name)
        return [name if value.casefold() == "true" else lacking for value in values]
    first = [worded(facet, value, tongue=tongue) for value in values[:4]]
    return [*first, say("wishes.others", 0, tongue.code)] if len(values) > 4 else first


def describe(
    constraint: Constraint,
    facet: Facet | None,
    currency: str | None,
    tongue: Tongue = ENGLISH,
) -> str:
    """Return a constraint as people say it: "Blue or Navy", "not Leather", "under €60"."""
    parts = []
    if constraint.values:
        parts.append(listing(_named(constraint, facet, constraint.values, tongue), "or", tongue))
    if constraint.excluded:
        key = "wishes.without" if constraint.facet == "text" else "wishes.not"
        gone = listing(_named(constraint, facet, constraint.excluded, tongue), "or", tongue)
        parts.append(say(key, 0, tongue.code, values=gone))
    bounds = _bounds(constraint, facet, currency, tongue)
    if bounds and facet is not None and facet.role != "price" and not facet.unit:
        name = label(facet, constraint.facet, tongue)
        bounds = [say("wishes.bounded", 0, tongue.code, facet=name, bound=bounds[0])]
    return str(table(tongue.code)["wishes"]["join"]).join(parts + bounds)
