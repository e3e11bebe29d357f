"""What is personal in a text, as spans with their kinds; and what tells a number's meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["mail", "phone", "card", "iban", "address", "name", "id", "ip"]


@dataclass(frozen=True, slots=True)
class Found:
    """A span of personal data."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Group:
    """Digits between separators, with where they stand."""

    start: int
    end: int
    digits: str


BEFORE, AFTER = 48, 16
"""Characters around a number that tell what it is."""

_DIGITS = re.compile(r"\d+")

_REFERENCE = re.compile(
    r"(?:\b(?:order|item|model|sku|ref|reference|isbn|ean|upc|gtin|asin|art|article|part|serial|"
    r"product|invoice|ticket|tracking|parcel|code|booking|customer|bestell|bestellung|artikel|"
    r"rechnung|commande|facture|pedido|factura|ordine)\b\.?(?:s?[ -]?(?:number|no|nr|num|id|"
    r"nummer|numéro|número))?\.?(?: (?:is|was|ist|est|es))?|#)\s*[:=#]?\s*(?:[A-Za-z]{0,4}-?)?$",
    re.IGNORECASE,
)
_MONEY_BEFORE = re.compile(r"[$€£¥₹]\s*$|\b(?:usd|eur|gbp|inr|rs|sar|chf)\.?\s*$", re.IGNORECASE)
_UNIT_AFTER = re.compile(
    r"\s?(?:[$€£¥₹%\"″]|(?:usd|eur|euros?|gbp|inr|dollars?|pounds?|bucks|rupees|gb|tb|mb|mah|wh|cm|"
    r"mm|m|km|kg|g|ml|l|w|kw|v|hz|khz|mhz|ghz|px|dpi|rpm|lm|pcs|pieces|inch|inches|ft|feet|years?|"
    r"items?|pages?)\b)",
    re.IGNORECASE,
)


def names_reference(text: str, start: int) -> bool:
    """Return whether what stands before says that a number is of an order, an item or the like."""
    return bool(_REFERENCE.search(text, max(0, start - BEFORE), start))


def is_amount(text: str, start: int, end: int) -> bool:
    """Return whether a number has a currency or a unit."""
    before = _MONEY_BEFORE.search(text, max(0, start - 8), start)
    return bool(before or _UNIT_AFTER.match(text, end, end + AFTER))


def groups_of(text: str, start: int, end: int) -> tuple[Group, ...]:
    """Return the groups of digits in a span."""
    return tuple(
        Group(one.start(), one.end(), ascii_digits(one[0]))
        for one in _DIGITS.finditer(text, start, end)
    )


def ascii_digits(text: str) -> str:
    """Return the digits of a text, in whatever script, as 0 to 9."""
    return "".join(str(int(char)) for char in text if char.isdecimal())


def windows(groups: tuple[Group, ...], low: int, high: int) -> Iterator[tuple[Group, ...]]:
    """Yield neighbouring groups that have so many digits together, the longest first."""
    found = [
        groups[i:j]
        for i in range(len(groups))
        for j in range(i + 1, min(len(groups), i + _MOST_GROUPS) + 1)
    ]
    sizes = [(sum(len(group.digits) for group in one), one) for one in found]
    for _, one in sorted(((n, one) for n, one in sizes if low <= n <= high), key=lambda p: -p[0]):
        yield one


_MOST_GROUPS = 8


def digits_of(groups: tuple[Group, ...]) -> str:
    """Return the digits of groups, joined."""
    return "".join(group.digits for group in groups)
