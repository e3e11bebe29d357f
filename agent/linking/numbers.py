"""Numbers: digits and number words in an utterance, with the currency or unit beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.linking.text import Token, word_at
from agent.linking.vocabulary import numbers

MODEL_YEARS = range(1450, 2101)
"""Four-digit numbers that may be years."""

_SCALES = frozenset({"hundred", "thousand", "grand"})
_CODE_LETTERS, _CODE_DIGITS = 4, 3
_SCALES_AFTER_DIGITS = _SCALES | {"lakh", "lakhs"}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as written: value, token span, currency or unit, whether it looks like a year."""

    value: float
    first: int
    last: int
    currency: str | None = None
    unit: str | None = None
    year: bool = False
    month: int = 0


def parse_number(text: str) -> float:
    """Return the value of digits with separators: "1,200" 1200, "12,5" 12.5, "1.299,00" 1299."""
    comma, dot = text.rfind(","), text.rfind(".")
    if comma > dot:
        decimals = len(text) - comma - 1
        thousands = decimals == 3 and dot < 0
        plain = text.replace(",", "") if thousands else text.replace(".", "").replace(",", ".")
    elif text.count(".") > 1:
        plain = text.replace(".", "")
    else:
        plain = text.replace(",", "")
    return float(plain) if plain.count(".") <= 1 else float(plain.replace(".", ""))


def amounts(tokens: Sequence[Token]) -> list[Amount]:
    """Return every number of an utterance, left to right, without overlaps."""
    found: list[Amount] = []
    i = 0
    while i < len(tokens):
        amount = _digits(tokens, i) or _words(tokens, i)
        if amount is None:
            i += 1
            continue
        amount = _with_unit(tokens, _with_sign(tokens, amount))
        found.append(amount)
        i = amount.last + 1
    return found


def _digits(tokens: Sequence[Token], i: int) -> Amount | None:
    token = tokens[i]
    if not token.is_number or (i and tokens[i - 1].is_word and token.glued):
        return None
    if _in_code(tokens, i):
        return None
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    if after and after.glued and after.word in ("st", "nd", "rd", "th"):
        return None
    value = parse_number(token.text)
    if after and after.glued and after.word == "k":
        return Amount(value * 1000, i, i + 1)
    if after and after.word in _SCALES_AFTER_DIGITS:
        return Amount(value * numbers().words[after.norm], i, i + 1)
    year = value in MODEL_YEARS and len(token.text) == 4
    month = numbers().months.get(word_at(tokens, i - 1)[:3], 0) if year else 0
    return Amount(value, i - 1 if month else i, i, year=year, month=month)


def _in_code(tokens: Sequence[Token], i: int) -> bool:
    """Return whether digits are part of a code, as an order's number: "A-1234", "INV-2024-55"."""
    first = i
    while first > 1 and tokens[first].glued and tokens[first - 1].text == "-":
        if not tokens[first - 1].glued:
            break
        first -= 2
    head = tokens[first]
    letters = len(head.text) == 1 or (head.text.isupper() and len(head.text) <= _CODE_LETTERS)
    return first < i and head.is_word and letters and len(tokens[first + 2].text) >= _CODE_DIGITS


def _words(tokens: Sequence[Token], i: int) -> Amount | None:
    """Read number words: "a hundred and fifty", "twenty five", "two thousand"."""
    one_of_a_scale = tokens[i].word == "a" and word_at(tokens, i + 1) in _SCALES
    if not one_of_a_scale and not _opens_number(tokens, i):
        return None
    total, current, j = (0, 1, i + 1) if one_of_a_scale else (0, 0, i)
    last = j - 1
    while j < len(tokens):
        if last == j - 1 and _joins(tokens, j, current):
            j += 1
            continue
        grown = _grown(total, current, tokens[j].word)
        if grown is None:
            break
        total, current = grown
        last, j = j, j + 1
    return Amount(float(total + current), i, last)


def _opens_number(tokens: Sequence[Token], i: int) -> bool:
    word = tokens[i].word
    if word not in numbers().words or word in _SCALES or word == "k":
        return False
    return word not in ("one", "two", "three") or _counts(tokens, i)


def _joins(tokens: Sequence[Token], i: int, current: int) -> bool:
    """Return whether "and" or "-" joins number words: "hundred and fifty", "twenty-five"."""
    word = tokens[i].word
    joins = word == "-" or (word == "and" and current >= 100)
    return joins and word_at(tokens, i + 1) in numbers().words


def _grown(total: int, current: int, word: str) -> tuple[int, int] | None:
    """Return the thousands so far and the rest with one more number word, if it can follow."""
    size = numbers().words.get(word)
    if size is None or (size < 10 and current % 10 > 0):
        return None
    if size == 100:
        return total, max(current, 1) * 100
    if size >= 1000:
        return total + max(current, 1) * size, 0
    if current % 100 and size >= 10:
        return None
    return total, current + size


def _counts(tokens: Sequence[Token], i: int) -> bool:
    """Return whether a small number word is an amount, not "this one" or "the first two"."""
    table = numbers()
    after = word_at(tokens, i + 1)
    if after in table.words or after in table.units or after in table.currencies:
        return True
    return after == "and" and word_at(tokens, i + 3) in ("hundred", "thousand")


def _with_sign(tokens: Sequence[Token], amount: Amount) -> Amount:
    """Take the currency before a number."""
    code = numbers().currencies.get(word_at(tokens, amount.first - 1))
    return replace(amount, first=amount.first - 1, currency=code) if code else amount


def _with_unit(tokens: Sequence[Token], amount: Amount) -> Amount:
    """Take the currency or unit word after a number."""
    table, after = numbers(), word_at(tokens, amount.last + 1)
    if after in table.currencies:
        code = amount.currency or table.currencies[after]
        return replace(amount, last=amount.last + 1, currency=code, year=False)
    if after in table.cents:
        return replace(amount, last=amount.last + 1, value=amount.value / 100, currency="cents")
    if amount.currency:
        return replace(amount, year=False)
    hyphen = after == "-" and word_at(tokens, amount.last + 2) in table.units
    at = amount.last + (2 if hyphen else 1)
    unit = table.units.get(word_at(tokens, at))
    if unit is None or _is_word_not_unit(tokens[at]):
        return amount
    return replace(amount, last=at, unit=unit, year=False)


def _is_word_not_unit(token: Token) -> bool:
    """Return whether "in" is an ordinary word here ("50 in blue")."""
    return token.word == "in" and not token.glued
