"""What is personal in a text, as spans with their kinds; and what tells a number's meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["mail", "phone", "card", "iban", "address", "name", "birth", "id", "ip"]


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
    r"rechnung|commande|facture|pedido|factura|ordine)s?\b\.?(?:[ -]?(?:number|no|nr|num|id|"
    r"nummer|numéro|número))?\.?(?: (?:is|was|ist|est|es))?|#|"
    r"(?:订单|单号|快递|运单|物流|货号|商品|型号|条码|发票|工单|会员)(?:号码|编号|号)?(?:是|为)?)"
    r"\s*[:=#]?\s*(?:[A-Za-z]{0,4}-?)?$",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"(?:(?=[^\W\d_]*+-?\d)[\w-]++(?: ?[,;&/] ?| and | or | und | et | y |[、和与或]))+$"
)
"""Numbers of a list before its last one: what is said of the first is said of all."""
_MONEY_BEFORE = re.compile(
    r"[$€£¥₹]\s*$|\b(?:usd|eur|gbp|inr|rs|sar|chf|cny|rmb)\.?\s*$|人民币\s*$", re.IGNORECASE
)
_UNIT_AFTER = re.compile(
    r"\s?(?:[$€£¥₹%\"″]|(?:usd|eur|euros?|gbp|inr|dollars?|pounds?|bucks|rupees|gb|tb|mb|mah|wh|cm|"
    r"mm|m|km|kg|g|ml|l|w|kw|v|hz|khz|mhz|ghz|px|dpi|rpm|lm|pcs|pieces|inch|inches|ft|feet|years?|"
    r"items?|pages?)\b|元|块|圆|円|人民币|厘米|毫米|米|公斤|千克|克|毫?升|英?寸|个|件|页|岁|年)",
    re.IGNORECASE,
)


def names_reference(text: str, start: int) -> bool:
    """Return whether what stands before says that a number is of an order, an item or the like."""
    before = text[max(0, start - BEFORE) : start]
    listed = _LISTED.search(before)
    return any(_REFERENCE.search(one) for one in (before, before[: listed and listed.start()]))


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
    # "4 1 1 1 1 …": of single digits there may be as many as there are digits.
    most = high if all(len(one.digits) == 1 for one in groups) else _MOST_GROUPS
    found = [
        groups[i:j]
        for i in range(len(groups))
        for j in range(i + 1, min(len(groups), i + most) + 1)
    ]
    sizes = [(sum(len(group.digits) for group in one), one) for one in found]
    for _, one in sorted(((n, one) for n, one in sizes if low <= n <= high), key=lambda p: -p[0]):
        yield one


_MOST_GROUPS = 8


def digits_of(groups: tuple[Group, ...]) -> str:
    """Return the digits of groups, joined."""
    return "".join(group.digits for group in groups)
