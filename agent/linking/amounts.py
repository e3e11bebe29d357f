"""Amounts: numbers in an utterance with their bound, currency, unit and facet.

"between 20 and 40 euros", "under fifty", "80 cm wide", "rated 4+", "2010 or newer" become N
mentions. Which facet a bare number belongs to is decided here, from the unit, the words beside it
and what the catalog has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from agent.linking.bounds import Bounded, bounded
from agent.linking.facets import FacetNames
from agent.linking.measures import is_dated, sides
from agent.linking.numbers import Amount
from agent.linking.text import Token, tokenize, word_at
from agent.linking.vocabulary import general, numbers
from agent.plan import Mention
from agent.state import Constraint
from retrieval.catalog import Facet

_LEAST_PRICE = 10
"""A bare number below this is seldom a price."""

_MOST_TIMES = 20
"""An amount this many times a facet's largest value is about something else."""

Placed = tuple[Facet, tuple[int, int]]
"""A facet that a bound may be about, with the tokens (both included) that say so."""


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
            near = again or (recent.facet if recent and self._may_be(recent, bound) else None)
            for facet, span in found or self._context(tokens, bound, near):
                mentions.append(self._mention(tokens, bound, facet, span, recent))
                said.setdefault(bound.amount.value, facet.name)
        return mentions

    def _may_be(self, recent: Constraint, bound: Bounded) -> bool:
        """Return whether a number may be about the facet bounded last: not with another unit."""
        unit = bound.amount.unit
        own = next((f.unit for f in self._numeric if f.name == recent.facet), None)
        if not unit or unit == "percent":
            return True
        if own:
            return own.casefold() == unit or (unit, own.casefold()) in numbers().factors
        said = (numbers().units.get(token.word) for token in tokenize(recent.label))
        return unit in said

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

    def _context(self, tokens: Sequence[Token], bound: Bounded, recent: str | None) -> list[Placed]:
        """Return the facet a number without a name may be about: the one just spoken of."""
        span = (bound.first, bound.last)
        if bound.amount.unit == "percent":
            return []  # "10% cheaper" is no amount of money
        large = bound.amount.value >= _LEAST_PRICE
        known = next((f for f in self._numeric if f.name == recent), None)
        if known and (bound.explicit or large or recent != "price"):
            low, high = known.low or 0.0, known.high or 0.0
            if low <= bound.amount.value <= high:
                return [(known, span)]
        if (
            bound.explicit
            or not large
            or bound.amount.unit
            or self._after_a_listed_facet(tokens, bound)
        ):
            return []
        return self._as_price(bound)

    def _as_price(self, bound: Bounded) -> list[Placed]:
        return [(self._price, (bound.first, bound.last))] if self._price else []

    def _facets(self, tokens: Sequence[Token], bound: Bounded) -> list[Placed]:
        """Return the facets a bound may be about with the token span, the likeliest first."""
        if bound.amount.currency:
            return self._as_price(bound)
        named = self._named(tokens, bound)
        if named:
            return [named]
        cue = bound.cue.split()
        if not numbers().beside.price.isdisjoint(cue):
            return self._as_price(bound)
        if not bound.amount.year and _AGES & set(cue):
            return []  # "for children older than 5" is no year
        measured = self._names.by_adjective(cue)
        if not measured and bound.amount.unit:
            measured = self._with_unit(bound.amount.unit)
        elif not measured and bound.amount.year:
            measured = self._with_years(tokens, bound)
        if measured or bound.amount.unit or not bound.explicit:
            return [(facet, (bound.first, bound.last)) for facet in measured]
        return self._as_price(bound)

    def _after_a_listed_facet(self, tokens: Sequence[Token], bound: Bounded) -> bool:
        """Return whether a bare number is a value: "size 43"."""
        named = self._names.named(tokens[bound.first - 1].norm) if bound.first else ()
        return any(f.kind in ("categorical", "list") for f in named)

    def _with_years(self, tokens: Sequence[Token], bound: Bounded) -> tuple[Facet, ...]:
        said = word_at(tokens, bound.first - 1) in numbers().beside.year_before
        if not said and _OF_MONEY & set(bound.cue.split()):
            return ()
        dated = [f for f in self._numeric if is_dated(f)] if said or bound.explicit else []
        if not (said or self._price is None or _OF_TIME & set(bound.cue.split())):
            dated = [f for f in dated if _is_near(f, bound.amount.value)]
        return tuple(dated[:1])

    def _with_unit(self, unit: str) -> tuple[Facet, ...]:
        if unit == "stars":
            return tuple(f for f in self._numeric if f.role == "rating")[:1]
        own = [(f, f.unit.casefold()) for f in self._numeric if f.unit]
        exact = [f for f, name in own if name == unit]
        exact = exact or [f for f in self._numeric if _names_unit(f, unit)]
        return tuple(exact or [f for f, name in own if (unit, name) in numbers().factors])

    def _named(self, tokens: Sequence[Token], bound: Bounded) -> Placed | None:
        """Find a numeric facet named beside the bound: "rating above 4", "80 cm wide"."""
        for start, end in _beside(bound):
            first, last = _within_clause(tokens, bound, start, end)
            found = self._names.numeric_at(tokens, first, last, _in_range(bound.amount))
            if found is None:
                continue
            facet, first, last = found
            if facet.role != "price" or not bound.amount.unit:
                return facet, (min(first, bound.first), max(last, bound.last))
        return None

    def _mention(
        self,
        tokens: Sequence[Token],
        bound: Bounded,
        facet: Facet,
        span: tuple[int, int],
        recent: Constraint | None,
    ) -> Mention:
        low, high = sides(bound, facet, recent)
        note = ""
        said = bound.amount.currency
        if said and said != "cents" and facet.unit and said != facet.unit:
            note = f"prices here are in {facet.unit}; the amount was read as {facet.unit}"
        start, end = tokens[span[0]].start, tokens[span[1]].end
        return Mention(
            id="", kind="number", start=start, end=end, text="", facet=facet.name,
            low=low, high=high, unit=said or bound.amount.unit,
            strict=facet.role != "date" and _excludes_itself(bound.cue),
            score=_sureness(bound), note=note,
        )  # fmt: skip


def _is_near(facet: Facet, year: float) -> bool:
    """Return whether a year may be one of a facet: no sofa is from 1500, but some cost less."""
    if facet.low is None or facet.high is None:
        return True
    low, high = facet.low, facet.high
    if facet.kind == "date":
        low, high = (date.fromordinal(max(1, int(end))).year for end in (low, high))
    return low - _YEARS_BESIDE <= year <= high + _YEARS_BESIDE


_YEARS_BESIDE = 25
_OF_MONEY = frozenset(("under", "below", "less", "cheaper", "upto", "max", "maximum", "budget"))
_AGES = frozenset(("older", "newer"))
_OF_TIME = frozenset(
    ("before", "after", "since", "until", "newer", "older", "earlier", "later", "prior")
)


def _names_unit(facet: Facet, unit: str) -> bool:
    """Return whether the name of a facet says its unit: "screen_inches"."""
    parts = facet.name.casefold().split("_")[1:]
    return any(part in (unit, f"{unit}s", f"{unit}es") for part in parts)


_STRICT = frozenset({"than", "under", "below", "over", "above", "beneath", "exceeding", "<", ">"})


def _excludes_itself(cue: str) -> bool:
    """Return whether a bound leaves its own value out: "under 60", not "no more than 60"."""
    words = cue.split()
    denied = words[:1] in (["no"], ["not"], ["nothing"])
    return bool(words) and not denied and words[-1] in _STRICT


def _beside(bound: Bounded) -> list[tuple[int, int]]:
    """Return where a facet's name may stand: inside the bound, after it, before it."""
    return [
        (bound.amount.last + 1, bound.last + 1),
        (bound.last + 1, bound.last + 3),
        (bound.first, bound.amount.first),
        (bound.first - 3, bound.first),
    ]


def _in_range(amount: Amount) -> Callable[[Facet], bool]:
    """Return whether a facet has values as large as an amount: 100k ratings is not a rating."""

    def fits(facet: Facet) -> bool:
        if facet.kind != "numeric" or facet.high is None:
            return True
        return amount.value <= _MOST_TIMES * max(facet.high, 1.0)

    return fits


def _within_clause(
    tokens: Sequence[Token], bound: Bounded, start: int, end: int
) -> tuple[int, int]:
    """Return a token range cut at the comma or stop that separates it from the bound."""
    stops = [i for i in range(max(start, 0), min(end, len(tokens))) if tokens[i].word in ",.;!?"]
    if not stops:
        return start, end
    return (stops[-1] + 1, end) if start < bound.first else (start, stops[0])


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
