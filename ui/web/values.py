"""Values of items as people of a language write them: numbers, units, dates, yes and no.

Knows facets as the API gives them, as JSON; nothing is looked up here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from math import isfinite
from typing import Any, TypeGuard

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, list_currencies

from ui.web.words import Words

Item = Mapping[str, Any]
Facet = Mapping[str, Any]

_OWN = ("brand", "category", "availability", "price")
"""Roles whose values an item has beside its attributes."""

_CENTS = re.compile(r"[.,]00(?=\D*$)")
MOST_LETTERS = 400
FEW = 5
"""Stock up to which it is said how many are left."""


def price_of(item: Item, words: Words) -> str:
    """Return a price as people of the language write it; words where there is none."""
    price = item.get("price")
    if not is_number(price):
        return words("card.no_price")
    return money(float(price), str(item.get("currency") or ""), words)


def money(amount: float, currency: str, words: Words) -> str:
    """Return an amount with its currency; whole ones without cents."""
    if currency not in list_currencies():
        return f"{number(amount, words)} {currency}".strip()
    text = str(format_currency(amount, currency, locale=words.language))
    if float(amount).is_integer():
        text = _CENTS.sub("", text)
    # Letters do not stand against figures: "SAR 10", but "€10".
    for place in range(1, len(text)):
        if text[place - 1].isalpha() and text[place].isdigit():
            return f"{text[:place]}\N{NO-BREAK SPACE}{text[place:]}"
    return text


def number(value: float, words: Words) -> str:
    """Return a number with as many decimals as it has, at most three."""
    return str(format_decimal(value, locale=words.language))


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a number, and neither yes or no nor beyond all numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def label_of(name: str, facets: Mapping[str, Facet]) -> str:
    """Return the words for the name of a field."""
    facet = facets.get(name)
    return str(facet["label"]) if facet else name.replace("_", " ")


def own_value(item: Item, facet: Facet) -> Any:
    """Return what an item has for a facet; None where it has nothing."""
    value = (item.get("attributes") or {}).get(facet["name"])
    if value is None and facet["role"] in _OWN:
        value = item.get(facet["role"])
    return None if value in ("", []) else value


def shown(value: object, words: Words, facet: Facet | None = None) -> str:
    """Return a value in words; "" where there is none."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(one for one in (shown(v, words, facet) for v in value) if one)
    if isinstance(value, bool) or (facet and facet["kind"] == "boolean"):
        return words("value.yes" if value in (True, "true", 1) else "value.no")
    if is_number(value):
        return _numeric(float(value), words, facet)
    text = str(value)
    if facet and facet["kind"] == "date":
        return dated(text, words)
    text = called(text, facet) if facet else text
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"


def called(value: str, facet: Facet) -> str:
    """Return what a value of a facet is called in the language that facets were asked for in."""
    listed = facet.get("values") or ()
    return next((str(one.get("label") or value) for one in listed if one["value"] == value), value)


def rated(value: float, words: Words) -> str:
    """Return a rating with one decimal."""
    return str(format_decimal(value, format="#,##0.0", locale=words.language))


def can_be_had(item: Item) -> bool | None:
    """Return whether an item can be had; None where the catalog does not say, or in words."""
    stock = item.get("availability")
    if is_number(stock):
        return stock > 0
    return stock if isinstance(stock, bool) else None


def stock_in_words(item: Item, words: Words, *, exact: bool = False) -> str:
    """Return whether an item can be had, in words; "" where the catalog does not say.

    Args:
        exact: Whether to say how many there are, however many; else only where they are few.
    """
    stock, there = item.get("availability"), can_be_had(item)
    if there is None:
        return shown(stock, words)[:40]
    if not there:
        return words("card.out_of_stock")
    if is_number(stock) and stock <= FEW:
        return words("card.few", n=number(stock, words))
    if exact and is_number(stock):
        return words("card.stock", n=number(stock, words))
    return words("card.in_stock")


def _numeric(value: float, words: Words, facet: Facet | None) -> str:
    role, unit = (facet["role"], str(facet["unit"] or "")) if facet else (None, "")
    if role == "date" and value.is_integer():
        return f"{value:.0f}"  # a year
    if role == "rating":
        return rated(value, words)
    if unit in list_currencies():
        return money(value, unit, words)
    return f"{number(value, words)} {unit}".strip()


def dated(text: str, words: Words) -> str:
    """Return a day as people of the language write it; whatever else it is, as it is."""
    try:
        return str(format_date(date.fromisoformat(text[:10]), "medium", locale=words.language))
    except ValueError:
        return text


def kind_of(item: Item) -> str:
    """Return the first of an item's kinds, else its brand; "" where it has neither."""
    for value in (item.get("category"), item.get("brand")):
        first = value[0] if isinstance(value, list | tuple) and value else value
        if first and isinstance(first, str):
            return first
    return ""


def maker_of(item: Item, facets: Iterable[Facet]) -> str:
    """Return whose an item is: its brand; in a catalog without brands, what it lists of names.

    Those are the values of the list that most items have, e.g. the authors of books.
    """
    listed = list(facets)
    if item.get("brand") or any(one["role"] == "brand" for one in listed):
        names = item.get("brand")
    else:
        lists = [one for one in listed if one["kind"] == "list" and one["role"] is None]
        most = max(lists, key=lambda one: one["coverage"], default=None)
        names = own_value(item, most) if most else None
    many = names if isinstance(names, list | tuple) else [names]
    return ", ".join(str(one) for one in many[:2] if one)


def name_of(catalog: str) -> str:
    """Return the name of a catalog as a heading: "catalog_garden_tools" is "Garden tools"."""
    words = catalog.replace("_", " ").replace("-", " ").split()
    if len(words) > 1 and words[0].lower() == "catalog":
        words = words[1:]
    text = " ".join(words)
    return text[:1].upper() + text[1:]
