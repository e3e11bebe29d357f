"""The words of a claim: what stands in it beside the evidence, and on which side.

`agent.verify` decides whether a claim is true; this module only tells its own words from what it
quotes, and whether it names every value of its evidence and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from agent.languages.tongue import table
from agent.state import Constraint, State
from agent.turn import Evidence, Reason
from agent.wording import clean, find, label, number, title_of
from retrieval.catalog import Facet, FieldValue, Item
from retrieval.filters import words

_DEBT = re.compile(r"(?<!\w)-([^\d\s-]{1,4}\s?)(?=\d)")
"""A minus before a currency: "-€5"."""
_NUMBER = re.compile(r"(?<![\w.,])-?\d[\d,]*(?:\.\d+)?(?!\w)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Case:
    """One claim with everything needed to check it."""

    reason: Reason
    item: Item
    state: State
    others: Mapping[str, Item]
    facets: tuple[Facet, ...]

    def constraint(self, evidence: Evidence) -> Constraint | None:
        """Return the constraint that a piece of evidence is about."""
        return self.state.need.constraint(evidence.facet or "")

    def other(self, evidence: Evidence) -> Item | None:
        """Return the item that a piece of evidence compares with."""
        return self.others.get(evidence.other_id or "")

    def constraints(self) -> list[Constraint]:
        """Return the constraints that the evidence is about."""
        found = [self.constraint(e) for e in self.reason.evidence if e.kind == "constraint"]
        return [constraint for constraint in found if constraint is not None]


_PIVOT = re.compile(
    r"\b(?:under|above|within|over|below|right at) your\b|, not (?:the )?|\binstead of\b"
    r"|\b(?:cheaper|dearer) than\b"
)
"""What stands before it is said of the item, what stands after it of the wish or the other item."""


@cache
def _template_words() -> frozenset[str]:
    texts = table()["claims"].values()
    return frozenset(w for text in texts for w in words(re.sub(r"\{\w+\}", " ", str(text))))


def _without(text: str, names: Iterable[str]) -> str:
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = _blanked(text, name)
    return text


def _blanked(text: str, name: str) -> str:
    """Return a text with a name blanked out wherever it stands alone."""
    # No pattern here: compiling one for each title and value took most of a turn.
    parts, end, at = [], 0, text.find(name)
    while at >= 0:
        stop = at + len(name)
        if _is_edge(text[at - 1 : at]) and _is_edge(text[stop : stop + 1]):
            parts += [text[end:at], " _ "]
            end, at = stop, text.find(name, stop)
        else:
            at = text.find(name, at + 1)
    return "".join([*parts, text[end:]])


def _is_edge(character: str) -> bool:
    return not (character.isalnum() or character == "_")


def _untitled(case: Case) -> str:
    """Return the claim without titles of items and names of facets."""
    return _without(_body(case), _labels(case))


def _body(case: Case) -> str:
    """Return the claim without the title it opens with, or ends with, as the table has them."""
    text, own = case.reason.text, title_of(case.item)
    if text.startswith(f"{own} is the "):
        text = text.removeprefix(own)
    others = [other for e in case.reason.evidence if (other := case.other(e)) is not None]
    ends = [title_of(other) for other in others if text.endswith(f" {title_of(other)}")]
    return text.removesuffix(ends[0]) if ends else text


def _labels(case: Case) -> list[str]:
    known = [e.facet for e in case.reason.evidence if e.facet]
    return [label(find(case.facets, name), name) for name in known]


def own_words(case: Case) -> str:
    """Return the claim's own words, without what it quotes from the catalog."""
    values = [v for e in case.reason.evidence for v in case.item.values(e.facet or "")]
    names = [f"{name}:" for name in _labels(case)] + [f"({name})" for name in _labels(case)]
    text = _body(case)
    for name in names:
        text = text.replace(name, " _ ")
    return _without(text, [str(v) for v in values if isinstance(v, str)]).strip()


def _sides(case: Case) -> tuple[str, str]:
    text = _untitled(case)
    pivot = _PIVOT.search(text)
    return (text[: pivot.start()], text[pivot.start() :]) if pivot else (text, "")


def _text_values(case: Case, evidence: Evidence) -> tuple[FieldValue, ...]:
    """Return the item's own side of a piece of evidence."""
    if evidence.kind == "text" or evidence.facet == "text":
        value = evidence.value
        return tuple(value) if isinstance(value, list | tuple) else (str(value),)
    return case.item.values(evidence.facet or "")


def _own_values(case: Case) -> list[FieldValue]:
    return [value for e in case.reason.evidence for value in _text_values(case, e)]


def _other_values(case: Case) -> list[FieldValue]:
    """Return what the claim may say of the wish, or of the item compared with."""
    found: list[FieldValue] = []
    for constraint in case.constraints():
        found += [*constraint.values, *constraint.excluded]
        found += [b for b in (constraint.low, constraint.high) if b is not None]
    for evidence in case.reason.evidence:
        other = case.other(evidence)
        found += other.values(evidence.facet or "") if other else ()
    return found


def _words_of(values: Iterable[FieldValue]) -> set[str]:
    said = {"true": "yes", "false": "no"}
    return {
        word
        for value in values
        for word in words(said.get(str(value).casefold(), str(value)))
        if isinstance(value, bool | str)
    }


def _numbers(text: str) -> list[float]:
    signed = _DEBT.sub(r"\1-", _DATE.sub(" ", text))
    return [float(n.replace(",", "")) for n in _NUMBER.findall(signed)]


def _amounts(values: Iterable[FieldValue]) -> set[float]:
    return {
        round(float(v), 2) for v in values if isinstance(v, int | float) and not isinstance(v, bool)
    }


def _gaps(case: Case) -> set[float]:
    own, other = _amounts(_own_values(case)), _amounts(_other_values(case))
    return {round(abs(left - right), 2) for left in own for right in other}


@lru_cache(4_096)
def _forms(value: str) -> tuple[str, ...]:
    """Return a text value whole, and cut as sentences cut it."""
    return value, clean(value, 60), clean(value, 40)


def _only(text: str, values: Iterable[FieldValue], units: set[str], amounts: set[float]) -> bool:
    """Return whether a text has no word and no number beyond those allowed."""
    values = list(values)
    text = _without(text, [form for v in values if isinstance(v, str) for form in _forms(v)])
    quoted = _words_of(values) | units | _template_words()
    if any(n not in amounts and number(n) not in quoted for n in _numbers(text)):
        return False
    rest = _NUMBER.sub(" ", text)
    return all(word in quoted or len(word) == 1 for word in words(rest))


def _units(case: Case) -> set[str]:
    units = [f.unit for e in case.reason.evidence if (f := find(case.facets, e.facet)) and f.unit]
    return {w for unit in (*units, case.item.currency or "") for w in words(unit)}


def says_only_its_evidence(case: Case) -> bool:
    left, right = _sides(case)
    own, other = _own_values(case), _other_values(case)
    units = _units(case) | {"and", "or", "other", "to"}
    compared = re.search(r"\b(cheaper|dearer) than\b", case.reason.text)
    amounts = set() if compared else _amounts(own)
    if right:
        amounts |= _gaps(case)
    return _only(left, own, units, amounts) and _only(right, other, units, _amounts(other))


def says_its_evidence(case: Case) -> bool:
    """Return whether the item's values stand in the claim, the first number being its own."""
    left, _ = _sides(case)
    own_words, figures = set(words(left)), _numbers(left)
    for evidence in case.reason.evidence:
        if evidence.kind not in ("field", "constraint", "text") or evidence.value is None:
            continue
        facet = find(case.facets, evidence.facet)
        if isinstance(evidence.value, bool) or (facet and facet.role == "availability"):
            continue
        values = evidence.value if isinstance(evidence.value, list | tuple) else (evidence.value,)
        if not _words_of(clean(str(v), 40) for v in values[:6] if isinstance(v, str)) <= own_words:
            return False
        if not _amounts(values) <= set(figures):
            return False
    return _first_is_own(case, figures)


def _first_is_own(case: Case, figures: list[float]) -> bool:
    asked = [e for e in case.reason.evidence if e.kind in ("constraint", "field")]
    first = _amounts([asked[0].value]) if asked and asked[0].value is not None else set()
    return not first or (bool(figures) and figures[0] in first)
