"""One cell to one value: missing marks, numbers, money, dates, truth values and lists.

Every parser takes what a source delivers (text, or a JSON/Parquet/SQL value) and returns a value,
or raises ValueError with a reason fit for a person. Nothing here knows columns or roles.
"""

from __future__ import annotations

import ast
import html
import json
import math
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal


def vocabulary(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


MISSING = frozenset({
    "", "na", "n/a", "nan", "null", "none", "nil", "-", "--", "—", "?", "unknown", "undefined",
    "no old price", "not available", "not applicable", "#n/a", "not specified", "unspecified",
})  # fmt: skip

TRUE = frozenset({"true", "yes", "y", "t", "1", "on"})
FALSE = frozenset({"false", "no", "n", "f", "0", "off"})
IN_STOCK = frozenset({"in stock", "instock", "in_stock", "available", "in-stock", "lieferbar"})
OUT_OF_STOCK = frozenset({
    "out of stock", "outofstock", "out_of_stock", "unavailable", "sold out", "out-of-stock",
    "discontinued", "soldout",
})  # fmt: skip

SYMBOLS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "rs": "INR", "rs.": "INR", "inr": "INR", "¥": "JPY",
    "₩": "KRW", "₺": "TRY", "₽": "RUB", "₪": "ILS", "zł": "PLN", "r$": "BRL", "sr": "SAR",
    "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD", "us$": "USD", "$": "USD", "฿": "THB",
    "₫": "VND", "₴": "UAH", "₦": "NGN", "kr": "SEK", "kr.": "SEK", "dhs": "AED", "dhs.": "AED",
    "euro": "EUR", "euros": "EUR", "dollars": "USD", "pounds": "GBP", "rupees": "INR",
    "kč": "CZK", "ft": "HUF", "chf": "CHF", "fr.": "CHF", "hk$": "HKD", "s$": "SGD", "rm": "MYR",
}  # fmt: skip
CODES = vocabulary(
    "USD EUR GBP INR SAR AED JPY CNY KRW AUD CAD NZD CHF SEK NOK DKK PLN CZK HUF RON BGN TRY RUB "
    "UAH ILS EGP ZAR NGN KES BRL MXN ARS CLP COP PEN THB VND IDR MYR PHP SGD HKD TWD PKR BDT LKR "
    "KWD QAR BHD OMR JOD MAD ISK"
)

DATE_FORMATS = (
    "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d %B %Y", "%d %b %Y",
    "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y", "%d-%b-%Y", "%Y.%m.%d",
)  # fmt: skip
Decimals = Literal[".", ","]

_SPACE = re.compile(r"\s+")
_TAG = re.compile(r"<(?:/?[a-zA-Z][^<>]{0,300}|!--.{0,300}?--)>")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff\ud800-\udfff]")
_MONEY = re.compile(
    r"^(?P<pre>[^\d+\-.,]*?\.?)\s*(?P<number>[-+]?[.,]?\d[\d.,'’\s\u00a0\u202f]*)"
    r"\s*(?P<post>[^\d]*)$"
)
_PER = re.compile(r"\s*(?:/|per)\s*\d*\s*[a-zA-Z]{2,8}\.?$")
"""What a price is for: "/4 pack", "per piece"."""
_DATE = re.compile(r"^(?:\d{1,4}[-/. ]\s?\w{1,9}[-/., ]|[A-Za-z]{3,9}\.? \d)")
_UNIT = re.compile(r"^([-+]?\d[\d.,]*)\s*([a-zA-Zµ°%\"”]{1,12}|fl oz)\.?$")


def clean(text: str) -> str:
    """Return text on one line: no control characters, markup, entities or doubled blanks."""
    if text.isprintable() and "  " not in text and "<" not in text and "&" not in text:
        return text.strip()
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "&" in text and ";" in text:
        text = html.unescape(text)
    return _SPACE.sub(" ", _CONTROL.sub(" ", text)).strip()


def as_text(value: Any) -> str:
    """Return any cell as clean text; lists and objects become their values joined by commas."""
    if isinstance(value, str):
        return clean(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return number_text(float(value))
    if isinstance(value, dict | list | tuple | set):
        return ", ".join(part for part in map(as_text, _parts(value)) if part)
    if isinstance(value, bytes):
        return clean(value.decode("utf-8", "replace"))
    if isinstance(value, datetime):
        return value.isoformat()
    return clean(str(value))


def _parts(value: dict[Any, Any] | list[Any] | tuple[Any, ...] | set[Any]) -> Iterator[Any]:
    yield from value.values() if isinstance(value, dict) else value


def number_text(value: float) -> str:
    """Return a number without a trailing .0, so that 12.0 and 12 read the same."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def missing(value: Any) -> bool:
    """Return whether a cell says that there is no value."""
    if isinstance(value, str):
        return len(value) < 20 and value.strip().casefold() in MISSING
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, list | tuple | dict | set) and not value


def number(value: Any, decimal: Decimals = ".") -> float:
    """Return a number, read with the given decimal mark."""
    if isinstance(value, bool):
        raise ValueError("not a number")
    try:
        plain = isinstance(value, int | float | Decimal)
        result = float(value) if plain else _number(str(value).strip(), decimal)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise ValueError("not a finite number")
    return result


def _number(text: str, decimal: Decimals) -> float:
    try:
        if decimal == "." and "_" not in text and "," not in text:
            return float(text)
    except ValueError:
        pass
    digits = re.sub(r"[\s\u00a0\u202f'’]", "", text)
    if not re.fullmatch(r"[-+]?[\d.,]*\d(?:[eE][-+]?\d+)?", digits):
        raise ValueError("not a number")
    return float(_plain(digits, decimal))


def _plain(digits: str, decimal: Decimals) -> str:
    """Return digits with grouping marks removed and a dot before the decimals."""
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and dot >= 0:
        group, point = (".", ",") if comma > dot else (",", ".")
    elif comma >= 0:
        grouped = digits.count(",") > 1 or (decimal == "." and len(digits) - comma == 4)
        group, point = (",", ".") if grouped else (".", ",")
    elif dot >= 0:
        grouped = digits.count(".") > 1 or (decimal == "," and len(digits) - dot == 4)
        group, point = (".", ",") if grouped else (",", ".")
    else:
        return digits
    whole, _, fraction = digits.partition(point)
    first, *groups = whole.lstrip("+-").split(group)
    grouped = all(len(part) in (2, 3) for part in groups) and len(first) < 4
    if (groups and not (grouped and len(groups[-1]) == 3)) or (not fraction.isdigit() and fraction):
        raise ValueError("not a number")
    return f"{digits[0] if digits[0] in '+-' else ''}{first}{''.join(groups)}.{fraction or 0}"


@lru_cache(maxsize=50_000)
def _money(text: str, decimal: Decimals) -> tuple[float, str | None]:
    if text.casefold() in ("free", "gratis", "kostenlos", "for free"):
        return 0.0, None
    found = _MONEY.match(_PER.sub("", text))
    if found is None:
        raise ValueError("not a price")
    marks = [found["pre"].strip(), found["post"].strip().rstrip("/-").strip()]
    currencies = [currency(mark) for mark in marks if mark]
    if any(one is None for one in currencies):
        raise ValueError("not a price")
    return number(found["number"].strip(), decimal), currencies[0] if currencies else None


def money(value: Any, decimal: Decimals = ".") -> tuple[float, str | None]:
    """Return an amount and its currency, if the cell names one."""
    if isinstance(value, str):
        amount, unit = _money(value.strip(), decimal)
    else:
        amount, unit = number(value, decimal), None
    if amount < 0:
        raise ValueError("a price below zero")
    return amount, unit


def currency(mark: str) -> str | None:
    """Return the ISO code that a symbol, word or code stands for, or None."""
    plain = mark.strip().casefold()
    if plain in SYMBOLS:
        return SYMBOLS[plain]
    code = plain.upper()
    return code if code in CODES else None


def decimal_mark(texts: list[str]) -> Decimals:
    """Return the decimal mark that the numbers of a column use."""
    comma = sum(bool(re.search(r"(?:^|[^\d.])\d{1,3}(?:\.\d{3})*,\d{1,2}(?!\d)", t)) for t in texts)
    dot = sum(bool(re.search(r"\d\.\d{1,2}(?!\d)", t)) for t in texts)
    return "," if comma > dot else "."


def with_unit(text: str) -> tuple[str, str] | None:
    """Return number and unit of text such as "12 cm", or None."""
    found = _UNIT.match(text.strip())
    return (found[1], found[2]) if found else None


def truth(value: Any) -> bool:
    """Return a truth value; stock phrases count as one."""
    if isinstance(value, bool):
        return value
    plain = as_text(value).casefold()
    if plain in TRUE or plain in IN_STOCK:
        return True
    if plain in FALSE or plain in OUT_OF_STOCK:
        return False
    raise ValueError("neither yes nor no")


def iso_date(value: Any, format: str | None = None) -> str:
    """Return a date as YYYY-MM-DD."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    text = as_text(value)
    try:
        if format:
            return datetime.strptime(text, format).date().isoformat()
        if len(text) < 8 or text.isdigit():
            raise ValueError
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        raise ValueError(f"not a date{f' of the form {format}' if format else ''}") from None


def date_format(texts: list[str]) -> tuple[str | None, float]:
    """Return the format most dates of a column follow (None: ISO 8601), and their share."""
    if sum(_DATE.match(text) is not None for text in texts) <= 0.5 * len(texts):
        return (None, 0.0)
    best: tuple[str | None, float] = (None, _share(texts, None))
    for format in DATE_FORMATS:
        if best[1] < 1.0 and (share := _share(texts, format)) > best[1]:
            best = (format, share)
    return best


def _share(texts: list[str], format: str | None) -> float:
    good = 0
    for text in texts:
        try:
            iso_date(text, format)
        except ValueError:
            continue
        good += 1
    return good / len(texts) if texts else 0.0


def json_list(text: str) -> list[Any] | None:
    """Return the list that text such as '["a", "b"]' or "['a', 'b']" spells, or None."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, list) else None
    return None


def text_list(value: Any, separator: str | None = None) -> tuple[str, ...]:
    """Return the elements of a list cell: cleaned, each once, in order, missing marks left out."""
    if isinstance(value, str):
        parts: list[Any] = json_list(value.strip()) or (
            value.split(separator) if separator else [value]
        )
    elif isinstance(value, list | tuple | set):
        parts = list(value)
    else:
        parts = [value]
    texts = (as_text(part) for part in parts)
    return tuple(dict.fromkeys(text for text in texts if not missing(text)))
