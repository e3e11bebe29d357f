"""Bounds: what the words around a number make of it: at most, at least, around, a range.

"between 20 and 40", "under fifty", "4 or more", "the 80s". Which facet a bound is about is not
decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.linking.numbers import MODEL_YEARS, Amount, amounts
from agent.linking.text import Token, phrase_at, word_at
from agent.linking.vocabulary import general, numbers

_FLIPPED = {"high": "low", "low": "high"}


@dataclass(frozen=True, slots=True)
class Bounded:
    """An amount, or two, with the bound they make and the tokens they take.

    Args:
        cue: The words before the number that bound it.
        explicit: Whether anything bounds it; else the number stands bare.
    """

    first: int
    last: int
    low: float | None
    high: float | None
    amount: Amount
    cue: str = ""
    explicit: bool = True


@dataclass(frozen=True, slots=True)
class _Cue:
    """A bound phrase: high, low, around or exact; where it starts (before) or ends (after)."""

    bound: str
    at: int
    words: str = ""


def bounded(tokens: Sequence[Token]) -> list[Bounded]:
    """Return the numbers of an utterance as bounds and ranges: decades, then left to right."""
    decades = [d for d in (_decade(tokens, i) for i in range(len(tokens))) if d is not None]
    rest = [a for a in amounts(tokens) if not any(d.first <= a.first <= d.last for d in decades)]
    found = decades
    while rest:
        pair = _range(tokens, rest[0], rest[1]) if len(rest) > 1 else None
        found.append(pair or _single(tokens, rest[0]))
        rest = rest[2 if pair else 1 :]
    return found


def _decade(tokens: Sequence[Token], i: int) -> Bounded | None:
    """Read "the 80s", "1990s", "80's" as ten years."""
    token = tokens[i]
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    if not (token.is_number and after and after.word in ("s", "'s") and after.glued):
        return None
    value = float(token.text) if token.text.isdecimal() else 0.0
    if value % 10 or not (0 <= value < 100 or value in MODEL_YEARS):
        return None
    start = value if value > 100 else (1900 if value >= 20 else 2000) + value
    first = i - (word_at(tokens, i - 1) == "the")
    return Bounded(first, i + 1, start, start + 9, Amount(start, i, i + 1, year=True), "in")


def _range(tokens: Sequence[Token], a: Amount, b: Amount) -> Bounded | None:
    """Read "between A and B", "from A to B", "A-B", "A to B"."""
    gap = tuple(token.word for token in tokens[a.last + 1 : b.first])
    opened = word_at(tokens, a.first - 1) in numbers().openers
    if gap not in numbers().joints and not (opened and gap in (("and",), ("&",))):
        return None
    low, high = a.value, b.value
    if a.currency is None and b.currency is None and low > high:
        low, high = high, low
    scale = 1000 if b.value >= 1000 else 100
    short = tokens[a.last].is_word or (gap == ("-",) and low * scale < high)
    if a.value < 10 and b.value % scale == 0 and b.value >= 100 and short:
        low *= scale
    merged = replace(
        b, currency=a.currency or b.currency, unit=a.unit or b.unit, year=a.year and b.year
    )
    start = a.first - opened
    return Bounded(start, b.last, min(low, high), max(low, high), merged, "between")


def _single(tokens: Sequence[Token], amount: Amount) -> Bounded:
    after = _cue_after(tokens, amount.last + 1) or _cue_after_noun(tokens, amount.last + 1)
    before = _cue_before(tokens, amount.first)
    first = before.at if before else amount.first
    last = after.at if after else amount.last
    if before and (before.bound != "exact" or not after):
        turned = after and after.bound != before.bound and before.words == "from"
        bound = after.bound if after and turned else before.bound
        return _bound(bound, first, last, before.words, amount)
    return _bound(after.bound if after else "exact", first, last, "", amount)


def _bound(bound: str, first: int, last: int, cue: str, amount: Amount) -> Bounded:
    value = amount.value
    if bound == "high":
        return Bounded(first, last, None, value, amount, cue)
    if bound == "low":
        return Bounded(first, last, value, None, amount, cue)
    if bound == "around":
        return Bounded(first, last, value * 0.8, value * 1.2, amount, cue)
    return Bounded(first, last, value, value, amount, cue, explicit=False)


def _cue_before(tokens: Sequence[Token], i: int) -> _Cue | None:
    """Return the bound phrase that ends just before token i, turned round where it is denied."""
    for skip in (0, 1):
        if skip and word_at(tokens, i - 1) not in numbers().beside.fillers:
            break
        for phrase, bound in numbers().before:
            start = i - skip - len(phrase)
            if phrase_at(tokens, start, phrase):
                if bound in _FLIPPED and _denied(tokens, start):
                    return _Cue(_FLIPPED[bound], start)
                return _Cue(bound, start, " ".join(phrase))
    return None


def _denied(tokens: Sequence[Token], i: int) -> bool:
    """Return whether a bound is negated from before: "can't cost more than"."""
    beside = numbers().beside
    j = i - 1
    while j >= 0 and tokens[j].word in beside.between:
        j -= 1
    word = word_at(tokens, j)
    return j < i - 1 and (word.endswith("n't") or word in beside.denials)


def _cue_after(tokens: Sequence[Token], i: int) -> _Cue | None:
    for phrase, bound in numbers().after:
        if phrase_at(tokens, i, phrase):
            return _Cue(bound, i + len(phrase) - 1)
    return None


def _cue_after_noun(tokens: Sequence[Token], i: int) -> _Cue | None:
    """Read "300 pieces max", "120 wide at least"."""
    if i < len(tokens) and tokens[i].is_word and tokens[i].word not in general().stop:
        return _cue_after(tokens, i + 1)
    return None
