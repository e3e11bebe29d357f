"""Amounts: numbers in an utterance with their bound, currency, unit and facet.

"between 20 and 40 euros", "under fifty", "80 cm wide", "rated 4+", "2010 or newer" become N
mentions. Which facet a bare number belongs to is decided here, from the unit, the words beside it
and what the catalog has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from agent.linking.facets import FacetNames
from agent.linking.text import Token, phrase_at, word_at
from agent.linking.vocabulary import general, numbers
from agent.plan import Mention
from agent.state import Constraint
from retrieval.catalog import Facet

_MODEL_YEARS = range(1450, 2101)


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
        thousands = decimals == 3 and text.count(",") >= 1 and dot < 0
        plain = text.replace(",", "") if thousands else text.replace(".", "").replace(",", ".")
    elif text.count(".") > 1:
        plain = text.replace(".", "")
    else:
        plain = text.replace(",", "")
    return float(plain) if plain.count(".") <= 1 else float(plain.replace(".", ""))


_MONTHS = {
    name: n for n, name in enumerate(
        "jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)
}  # fmt: skip


def _digits(tokens: Sequence[Token], i: int) -> Amount | None:
    token = tokens[i]
    if not token.is_number or (i and tokens[i - 1].is_word and token.glued):
        return None
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    if after and after.glued and after.word in ("st", "nd", "rd", "th"):
        return None
    value = parse_number(token.text)
    if after and after.glued and after.word == "k":
        return Amount(value * 1000, i, i + 1)
    if word_at(tokens, i + 1) in ("hundred", "thousand", "grand", "lakh", "lakhs"):
        return Amount(value * numbers().words[tokens[i + 1].norm], i, i + 1)
    year = value in _MODEL_YEARS and len(token.text) == 4
    month = _MONTHS.get(word_at(tokens, i - 1)[:3], 0) if year else 0
    return Amount(value, i - 1 if month else i, i, year=year, month=month)


def _words(tokens: Sequence[Token], i: int) -> Amount | None:
    """Read number words: "a hundred and fifty", "twenty five", "two thousand"."""
    table, total, current, j = numbers().words, 0, 0, i
    if tokens[i].word == "a" and word_at(tokens, i + 1) in ("hundred", "thousand", "grand"):
        current, j = 1, i + 1
    elif tokens[i].word not in table or tokens[i].word in ("k", "hundred", "thousand", "grand"):
        return None
    if tokens[i].word in ("one", "two", "three") and not _counts(tokens, i):
        return None
    last = j - 1
    while j < len(tokens):
        word = tokens[j].word
        if word in ("and", "-") and last == j - 1 and word_at(tokens, j + 1) in table and (
            word == "-" or current >= 100
        ):  # fmt: skip
            j += 1
            continue
        if word not in table or (table[word] < 10 and 0 < current % 10):
            break
        size = table[word]
        if size == 100:
            current = max(current, 1) * 100
        elif size >= 1000:
            total, current = total + max(current, 1) * size, 0
        elif current % 100 and size >= 10:
            break
        else:
            current += size
        last, j = j, j + 1
    return Amount(float(total + current), i, last) if last >= i else None


def _counts(tokens: Sequence[Token], i: int) -> bool:
    """Return whether a small number word is an amount, not "this one" or "the first two"."""
    table = numbers()
    after = word_at(tokens, i + 1)
    if after in table.words or after in table.units or after in table.currencies:
        return True
    return word_at(tokens, i + 1) == "and" and word_at(tokens, i + 3) in ("hundred", "thousand")


def _with_unit(tokens: Sequence[Token], amount: Amount) -> Amount:
    """Take the currency sign before, or the currency or unit word after."""
    table = numbers()
    before, after = word_at(tokens, amount.first - 1), word_at(tokens, amount.last + 1)
    if before in table.currencies:
        amount = replace(amount, first=amount.first - 1, currency=table.currencies[before])
        if before == "rs" or after == ".":
            pass
    if after in table.currencies:
        code = table.currencies[after]
        return replace(amount, last=amount.last + 1, currency=amount.currency or code, year=False)
    if after in table.cents:
        return replace(amount, last=amount.last + 1, value=amount.value / 100, currency="cents")
    if amount.currency:
        return replace(amount, year=False)
    hyphen = 1 if after == "-" and word_at(tokens, amount.last + 2) in table.units else 0
    unit_word = word_at(tokens, amount.last + 1 + hyphen)
    if unit_word in table.units and not _is_word_not_unit(tokens, amount.last + 1 + hyphen):
        return replace(
            amount, last=amount.last + 1 + hyphen, unit=table.units[unit_word], year=False
        )
    return amount


def _is_word_not_unit(tokens: Sequence[Token], i: int) -> bool:
    """Return whether "in", "h", "m"… is an ordinary word here ("50 in blue")."""
    token = tokens[i]
    return token.word == "in" and not token.glued


def amounts(tokens: Sequence[Token]) -> list[Amount]:
    """Return every number of an utterance, left to right, without overlaps."""
    found: list[Amount] = []
    i = 0
    while i < len(tokens):
        amount = _digits(tokens, i) or _words(tokens, i)
        if amount is None:
            i += 1
            continue
        amount = _with_unit(tokens, amount)
        found.append(amount)
        i = amount.last + 1
    return found


@dataclass(frozen=True, slots=True)
class Bounded:
    """An amount, or two, with the bound they make and the tokens they take."""

    first: int
    last: int
    low: float | None
    high: float | None
    strict: bool
    amount: Amount
    cue: str = ""
    explicit: bool = True


def _decade(tokens: Sequence[Token], i: int) -> Bounded | None:
    """Read "the 80s", "1990s", "80's" as ten years."""
    token = tokens[i]
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    if not (token.is_number and after and after.word in ("s", "'s") and after.glued):
        return None
    value = float(token.text) if token.text.isdecimal() else 0.0
    if value % 10 or not (0 <= value < 100 or value in _MODEL_YEARS):
        return None
    start = value if value > 100 else (1900 if value >= 20 else 2000) + value
    amount = Amount(start, i, i + 1, year=True)
    first = i - (word_at(tokens, i - 1) == "the")
    return Bounded(first, i + 1, start, start + 9, False, amount, "in")


def _range(tokens: Sequence[Token], a: Amount, b: Amount) -> Bounded | None:
    """Read "between A and B", "from A to B", "A-B", "A to B"."""
    gap = [tokens[i].word for i in range(a.last + 1, b.first)]
    start = a.first
    opener = word_at(tokens, a.first - 1)
    joined = gap in (["to"], ["-"], ["–"], ["—"], ["till"], ["until"], ["up", "to"], ["~"])
    if gap in (["and"], ["&"]) and opener in ("between", "btw", "from", "in-between", "betwen"):
        joined = True
    if not joined:
        return None
    if opener in ("between", "from", "btw", "betwen"):
        start -= 1
    low, high = a.value, b.value
    if a.currency is None and b.currency is None and low > high:
        low, high = high, low
    scale = 1000 if b.value >= 1000 else 100
    if a.value < 10 and b.value % scale == 0 and b.value >= 100 and tokens[a.last].is_word:
        low *= scale
    merged = replace(
        b, currency=a.currency or b.currency, unit=a.unit or b.unit, year=a.year and b.year
    )
    return Bounded(start, b.last, min(low, high), max(low, high), False, merged, "between")


_FILLERS = frozenset({"the", "a", "an", "of", "like", "about", "is", "say", "just", "only"})


def _cue_before(tokens: Sequence[Token], i: int) -> tuple[str, int, str] | None:
    """Return the bound phrase that ends just before token i: bound, its first token, words."""
    for skip in (0, 1):
        if skip and word_at(tokens, i - 1) not in _FILLERS:
            break
        for phrase, bound in numbers().before:
            start = i - skip - len(phrase)
            if phrase_at(tokens, start, phrase):
                return bound, start, " ".join(phrase)
    return None


def _cue_after(tokens: Sequence[Token], i: int) -> tuple[str, int] | None:
    for phrase, bound in numbers().after:
        if phrase_at(tokens, i, phrase):
            return bound, i + len(phrase) - 1
    return None


def _cue_after_noun(tokens: Sequence[Token], i: int) -> tuple[str, int] | None:
    """Read "300 pieces max", "120 wide at least"."""
    if i < len(tokens) and tokens[i].is_word and tokens[i].word not in general().stop:
        return _cue_after(tokens, i + 1)
    return None


_FLIPPED = {"high": "low", "low": "high"}
_BETWEEN = frozenset(
    "rated scoring score items ones want to cost be spend pay go exceed have any anything costing priced it the price a much really"
    " that costs which is should".split()
)


def _denied(tokens: Sequence[Token], i: int) -> bool:
    """Return whether a bound is negated from before: "can't cost more than"."""
    j = i - 1
    while j >= 0 and tokens[j].word in _BETWEEN:
        j -= 1
    word = word_at(tokens, j)
    return j < i - 1 and (word.endswith("n't") or word in ("not", "never", "cannot", "cant", "dont",
                          "nothing", "wont", "shouldnt"))  # fmt: skip


def _single(tokens: Sequence[Token], amount: Amount) -> Bounded:
    value, first, last = amount.value, amount.first, amount.last
    after = _cue_after(tokens, last + 1) or _cue_after_noun(tokens, last + 1)
    if after and not (after[0] == "around" and tokens[last + 1].word == "-"):
        last = after[1]
    before = _cue_before(tokens, first)
    if before and before[0] in _FLIPPED and _denied(tokens, before[1]):
        before = (_FLIPPED[before[0]], before[1], "")
    cue = ""
    if before and before[0] != "exact":
        bound, first, cue = before
        if after and after[0] != bound and before[2] in ("from", "for", "at"):
            bound = after[0]
    elif after:
        bound = after[0]
        if before:
            first = before[1]
    elif before:
        bound, first, cue = before
    else:
        return Bounded(first, last, value, value, False, amount, explicit=False)
    return _bound(bound, value, first, last, cue, amount)


def _bound(bound: str, value: float, first: int, last: int, cue: str, amount: Amount) -> Bounded:
    if bound == "high":
        return Bounded(first, last, None, value, False, amount, cue)
    if bound == "low":
        return Bounded(first, last, value, None, False, amount, cue)
    if bound == "around":
        return Bounded(first, last, value * 0.8, value * 1.2, False, amount, cue)
    return Bounded(first, last, value, value, False, amount, cue, explicit=False)


def bounded(tokens: Sequence[Token]) -> list[Bounded]:
    """Return the numbers of an utterance as bounds and ranges, left to right."""
    decades = [d for d in (_decade(tokens, i) for i in range(len(tokens))) if d is not None]
    found: list[Bounded] = list(decades)
    rest = [a for a in amounts(tokens) if not any(d.first <= a.first <= d.last for d in decades)]
    while rest:
        if len(rest) > 1:
            pair = _range(tokens, rest[0], rest[1])
            if pair is not None:
                found.append(pair)
                rest = rest[2:]
                continue
        found.append(_single(tokens, rest[0]))
        rest = rest[1:]
    return found


_FACTORS = {
    ("m", "cm"): 100.0, ("mm", "cm"): 0.1, ("cm", "mm"): 10.0, ("cm", "m"): 0.01,
    ("inch", "cm"): 2.54, ("minutes", "hours"): 1 / 60, ("hours", "minutes"): 60.0,
    ("kg", "g"): 1000.0, ("g", "kg"): 0.001, ("tb", "gb"): 1000.0, ("l", "ml"): 1000.0,
}  # fmt: skip

_AROUND = frozenset(["around", "about", "approximately", "approx", "roughly", "near", "circa", "~"])

_CUE_WORDS = {
    "cheaper": "price", "expensive": "price", "pricier": "price", "spend": "price",
    "budget": "price", "dearer": "price",
}  # fmt: skip


class AmountLinker:
    """Gives each bound of an utterance the facet it is about.

    Args:
        facets: The catalog's facets.
        names: How people name them.
    """

    def __init__(self, facets: Sequence[Facet], names: FacetNames) -> None:
        self._numeric = tuple(f for f in facets if f.kind in ("numeric", "date"))
        self._names = names
        self._price = next((f for f in self._numeric if f.role == "price"), None)

    def link(self, tokens: Sequence[Token], recent: Constraint | None = None) -> list[Mention]:
        """Return number mentions, without ids; spans are character offsets.

        Args:
            recent: The bound made last; one that names no facet and fits its range is about it.
        """
        mentions = self._free(tokens)
        said: dict[float, str] = {}
        for bound in bounded(tokens):
            again = said.get(bound.amount.value)
            found = self._facets(tokens, bound) if again is None else []
            near = again or (recent.facet if recent else None)
            for facet, span in found or self._context(tokens, bound, near):
                mentions.append(self._mention(tokens, bound, facet, span, recent))
                said.setdefault(bound.amount.value, facet.name)
        return mentions

    def _free(self, tokens: Sequence[Token]) -> list[Mention]:
        """Read "free" as a price of nothing where the catalog has such items, not "sugar free"."""
        if self._price is None or (self._price.low or 0.0) > 0.0:
            return []
        return [
            Mention(
                id="", kind="number", start=token.start, end=token.end, text="",
                facet=self._price.name, high=0.0,
            )
            for i, token in enumerate(tokens)
            if token.word in ("free", "gratis") and _alone(tokens, i)
        ]  # fmt: skip

    def _one_side(
        self, facet: Facet, low: float | None, high: float | None, before: Constraint | None
    ) -> tuple[float | None, float | None]:
        """Return the side a bare number bounds: as before, else at most a price, at least a rating."""
        if before is not None and before.facet == facet.name:
            return (None if before.low is None else low, None if before.high is None else high)
        if facet.role == "price":
            return None, high
        return (low, None) if facet.role == "rating" else (low, high)

    def _context(
        self, tokens: Sequence[Token], bound: Bounded, recent: str | None
    ) -> list[tuple[Facet, tuple[int, int]]]:
        """Return the facet a number without a name may be about: the one just spoken of."""
        span = (bound.first, bound.last)
        known = [f for f in self._numeric if f.name == recent]
        if known and (bound.explicit or bound.amount.value >= 10 or recent != "price"):
            facet = known[0]
            low, high = facet.low or 0.0, facet.high or 0.0
            if low <= bound.amount.value <= high:
                return [(facet, span)]
        if self._after_a_listed_facet(tokens, bound):
            return []
        if not bound.explicit and bound.amount.value >= 10 and self._price:
            return [(self._price, span)]
        return []

    def _facets(
        self, tokens: Sequence[Token], bound: Bounded
    ) -> list[tuple[Facet, tuple[int, int]]]:
        """Return the facets a bound may be about with the token span, the likeliest first."""
        span = (bound.first, bound.last)
        if bound.amount.currency:
            return [(self._price, span)] if self._price else []
        named = self._named(tokens, bound)
        if named:
            return [named]
        if any(word in _CUE_WORDS for word in bound.cue.split()):
            return [(self._price, span)] if self._price else []
        measured = self._names.by_adjective(bound.cue.split())
        if measured:
            return [(facet, span) for facet in measured]
        if bound.amount.unit:
            return [(facet, span) for facet in self._with_unit(bound.amount.unit)]
        if bound.amount.year:
            dated = [f for f in self._numeric if _dated(f)]
            if dated and (bound.explicit or self._year_cue(tokens, bound)):
                return [(dated[0], span)]
            if not bound.explicit:
                return []
        if bound.explicit and self._price and not bound.amount.unit:
            return [(self._price, span)]
        return []

    def _after_a_listed_facet(self, tokens: Sequence[Token], bound: Bounded) -> bool:
        """Return whether a bare number is a value: "size 43"."""
        named = self._names.named(tokens[bound.first - 1].norm) if bound.first else ()
        return not bound.explicit and any(f.kind in ("categorical", "list") for f in named)

    def _year_cue(self, tokens: Sequence[Token], bound: Bounded) -> bool:
        return word_at(tokens, bound.first - 1) in ("in", "from", "of", "year", "published")

    def _with_unit(self, unit: str) -> list[Facet]:
        if unit == "stars":
            return [f for f in self._numeric if f.role == "rating"][:1]
        own = [f for f in self._numeric if f.unit]
        exact = [f for f in own if (f.unit or "").casefold() == unit]
        exact = exact or [f for f in own if (unit, (f.unit or "").casefold()) in _FACTORS]
        return exact or [f for f in self._numeric if unit in f.name.casefold().split("_")]

    def _named(
        self, tokens: Sequence[Token], bound: Bounded
    ) -> tuple[Facet, tuple[int, int]] | None:
        """Find a numeric facet named beside the bound: "rating above 4", "80 cm wide"."""
        for start, end, extends in self._beside(bound):
            first, last = _within_clause(tokens, bound, start, end)
            found = self._names.numeric_at(tokens, first, last, _in_range(bound.amount))
            if found is None:
                continue
            facet, first, last = found
            if facet.role == "price" and bound.amount.unit:
                continue
            return facet, (min(first, bound.first), max(last, bound.last)) if extends else (
                bound.first, bound.last)  # fmt: skip
        return None

    def _beside(self, bound: Bounded) -> list[tuple[int, int, bool]]:
        return [
            (bound.amount.last + 1, bound.last + 1, True),
            (bound.last + 1, bound.last + 3, True),
            (bound.first, bound.amount.first, True),
            (bound.first - 3, bound.first, True),
        ]

    def _mention(
        self,
        tokens: Sequence[Token],
        bound: Bounded,
        facet: Facet,
        span: tuple[int, int],
        recent: Constraint | None,
    ) -> Mention:
        low, high = self._scaled(bound, facet, recent)
        note = ""
        said = bound.amount.currency
        if said and said != "cents" and facet.unit and said != facet.unit:
            note = f"prices here are in {facet.unit}; the amount was read as {facet.unit}"
        start, end = tokens[span[0]].start, tokens[span[1]].end
        return Mention(
            id="", kind="number", start=start, end=end, text="", facet=facet.name,
            low=low, high=high, strict=bound.strict, unit=said or bound.amount.unit,
            score=_sureness(bound), note=note,
        )  # fmt: skip

    def _scaled(
        self, bound: Bounded, facet: Facet, recent: Constraint | None
    ) -> tuple[float | str | None, float | str | None]:
        factor = _FACTORS.get((bound.amount.unit or "", (facet.unit or "").casefold()), 1.0)
        low = bound.low * factor if bound.low is not None else None
        high = bound.high * factor if bound.high is not None else None
        if bound.amount.year and _dated(facet) and low != high and bound.cue in _AROUND:
            low, high = bound.amount.value - 2, bound.amount.value + 2
        if not bound.explicit:
            low, high = self._one_side(facet, low, high, recent)
        if facet.kind == "date":
            return _dates(bound, low, high)
        if facet.role == "date" and "after" in bound.cue and low is not None:
            low += 1
        return low, high


def _in_range(amount: Amount) -> Callable[[Facet], bool]:
    """Return whether a facet has values as large as an amount: 100k ratings is not a rating."""

    def fits(facet: Facet) -> bool:
        if facet.kind != "numeric" or facet.high is None:
            return True
        return amount.value <= 20 * max(facet.high, 1.0)

    return fits


def _within_clause(
    tokens: Sequence[Token], bound: Bounded, start: int, end: int
) -> tuple[int, int]:
    """Return a token range cut at the comma or stop that separates it from the bound."""
    stops = [i for i in range(max(start, 0), min(end, len(tokens))) if tokens[i].word in ",.;!?"]
    if not stops:
        return start, end
    return (stops[-1] + 1, end) if start < bound.first else (start, stops[0])


def _dates(bound: Bounded, low: float | None, high: float | None) -> tuple[str | None, str | None]:
    """Return ISO bounds: "after 2016" from 2017 on, "before june 2016" up to the end of May."""
    month = bound.amount.month
    start = end = None
    if low is not None:
        first = date(int(low), month or 1, 1)
        after = date(int(low) + (month in (0, 12)), month % 12 + 1 if month else 1, 1)
        start = (after if "after" in bound.cue else first).isoformat()
    if high is not None:
        first = date(int(high), month or 1, 1)
        after = date(int(high) + (month in (0, 12)), month % 12 + 1 if month else 1, 1)
        end = ((first if "before" in bound.cue else after) - timedelta(days=1)).isoformat()
    return start, end


def _alone(tokens: Sequence[Token], i: int) -> bool:
    before = tokens[i - 1] if i else None
    if before is None or not before.is_word:
        return before is None or before.word != "-"
    return before.word in general().stop


def _sureness(bound: Bounded) -> float:
    """Return how sure it is that a number is a wish: one without bound or unit may be anything."""
    if bound.explicit or bound.amount.currency or bound.amount.unit or bound.amount.year:
        return 1.0
    return 0.4


def _dated(facet: Facet) -> bool:
    if facet.kind == "date" or facet.role == "date":
        return True
    return facet.low is not None and facet.high is not None and "year" in facet.name.casefold()
