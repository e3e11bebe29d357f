"""Checking claims against the catalog, independently of how they were made.

A claim holds when each piece of its evidence is true of the item, when the words that carry
meaning ("under", "not", "same", "cheaper" …) agree with the fields, and when it says nothing
beyond its evidence: no other value, no other number, no other name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from agent.state import Constraint, State
from agent.turn import Evidence, Reason
from agent.wording import clean, describe, find, label, number, table, title_of
from retrieval.catalog import Facet, FieldValue, Item
from retrieval.filters import Compare, fold, matches, words
from retrieval.rerank import available

_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?!\w)")
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


def verify(
    reason: Reason,
    item: Item,
    state: State,
    others: Mapping[str, Item] | None = None,
    facets: tuple[Facet, ...] = (),
) -> bool:
    """Return whether a claim is true of an item and says nothing beyond its evidence.

    Args:
        others: The items that the claim may compare with, by id.
        facets: The catalog's facets, for their labels and roles.
    """
    case = Case(reason, item, state, others or {}, facets)
    own_words = _unquoted(case)
    return (
        bool(reason.evidence)
        and all(_true(case, evidence) for evidence in reason.evidence)
        and _negations_known(own_words)
        and all(check(case) for cue, check in _CUES if re.search(cue, own_words))
        and _says_its_evidence(case)
        and _says_only_its_evidence(case)
    )


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return [fold(str(v)) for v in left] == [fold(str(v)) for v in right]
    if isinstance(left, str) and isinstance(right, str):
        return fold(left) == fold(right)
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def _is_value(item: Item, facet: str, value: Any) -> bool:
    own = item.fields.get(facet)
    if value is None or own is None:
        return own is None and value is None
    return _same(own, value) or any(_same(one, value) for one in item.values(facet))


def _compared(item: Item, other: Item, facet: str, how: Any) -> bool:
    own, theirs = item.fields.get(facet), other.fields.get(facet)
    if own is None or theirs is None:
        return False
    if how in ("same", "different"):
        alike = {fold(str(v)) for v in item.values(facet)} == {
            fold(str(v)) for v in other.values(facet)
        }
        return alike is bool(how == "same")
    left, right = item.number(facet), other.number(facet)
    if left is None or right is None:
        return False
    return (how == "lower" and left < right) or (how == "higher" and left > right)


def _true(case: Case, evidence: Evidence) -> bool:
    """Return whether one piece of evidence is true of the item as it is in the catalog."""
    facet = evidence.facet or ""
    if evidence.item_id != case.item.id:
        return False
    if evidence.kind == "text":
        text = str(evidence.value or "")
        return bool(words(text)) and matches(Compare("text", "contains", text), case.item)
    if evidence.kind == "field":
        return bool(facet) and _is_value(case.item, facet, evidence.value)
    if evidence.kind == "relation":
        other = case.other(evidence)
        return other is not None and _compared(case.item, other, facet, evidence.value)
    return evidence.kind == "constraint" and _was_asked(case, evidence)


def _was_asked(case: Case, evidence: Evidence) -> bool:
    constraint = case.constraint(evidence)
    if constraint is None or not evidence.wish:
        return False
    facet = find(case.facets, evidence.facet)
    currencies = {case.item.currency, facet.unit if facet else None, None}
    wishes = {describe(constraint, facet, currency) for currency in currencies}
    if case.facets and evidence.wish not in wishes:
        return False
    if evidence.facet == "text":
        return set(evidence.value or ()) <= {*constraint.values, *constraint.excluded}
    return _is_value(case.item, constraint.facet, evidence.value)


def _constraints(case: Case) -> list[Constraint]:
    found = [case.constraint(e) for e in case.reason.evidence if e.kind == "constraint"]
    return [constraint for constraint in found if constraint is not None]


def _holds(case: Case) -> bool:
    found = _constraints(case)
    return bool(found) and all(matches(c.filter(), case.item) for c in found)


def _broken(case: Case) -> bool:
    found = _constraints(case)
    return bool(found) and not any(matches(c.filter(), case.item) for c in found)


def _beyond(op: str, side: str) -> Callable[[Case], bool]:
    def check(case: Case) -> bool:
        found = _constraints(case)
        bounds = [(c.facet, c.high if side == "high" else c.low) for c in found]
        return bool(bounds) and all(
            bound is not None and matches(Compare(facet, op, bound), case.item)  # type: ignore[arg-type]
            for facet, bound in bounds
        )

    return check


def _at_bound(case: Case) -> bool:
    return all(c.low in case.item.values(c.facet) or c.high in case.item.values(c.facet)
               for c in _constraints(case))  # fmt: skip


def _related(*ways: str) -> Callable[[Case], bool]:
    def check(case: Case) -> bool:
        found = [e.value for e in case.reason.evidence if e.kind == "relation"]
        return bool(found) and all(value in ways for value in found)

    return check


def _absent(case: Case) -> bool:
    fields = [e for e in case.reason.evidence if e.kind == "field"]
    return bool(fields) and all(e.value is None for e in fields)


def _role(case: Case, role: str) -> bool:
    known = [find(case.facets, e.facet) for e in case.reason.evidence]
    return not case.facets or any(facet is not None and facet.role == role for facet in known)


def _stock(expected: bool) -> Callable[[Case], bool]:
    def check(case: Case) -> bool:
        names = [e.facet or "" for e in case.reason.evidence if e.kind == "field"]
        states = [available(case.item, Facet(name, "categorical", name)) for name in names]
        return bool(states) and all(s is expected for s in states) and _role(case, "availability")

    return check


def _has_excluded(case: Case) -> bool:
    only = [Constraint(facet=c.facet, excluded=c.excluded) for c in _constraints(case)]
    return bool(only) and all(c.excluded and not matches(c.filter(), case.item) for c in only)


def _silent(case: Case) -> bool:
    said = [v for e in case.reason.evidence for v in (e.value or ())]
    return bool(said) and not any(matches(Compare("text", "contains", v), case.item) for v in said)


def _mentioned(case: Case) -> bool:
    said: list[str] = []
    for evidence in case.reason.evidence:
        value = evidence.value
        said += [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]
    return all(matches(Compare("text", "contains", v), case.item) for v in said)


_NEGATIONS = re.compile(r", not\b|^not (?:rated|available)\b|\bdoesn't (?:mention|say)\b")


def _negations_known(text: str) -> bool:
    """Return whether every negation in a claim is one whose meaning is checked below."""
    return not re.search(r"\b(?:not|never|hardly)\b|n't", _NEGATIONS.sub(" ", text))


_CUES: tuple[tuple[str, Callable[[Case], bool]], ...] = (
    (r"\bas asked\b|\bwithin your\b", _holds),
    (r"\bunder your\b", _beyond("lt", "high")),
    (r"\babove your\b", _beyond("gt", "low")),
    (r"\bover your\b", lambda case: _beyond("gte", "high")(case) and _broken(case)),
    (r"\bbelow your\b", lambda case: _beyond("lte", "low")(case) and _broken(case)),
    (r"\bright at your\b", lambda case: _at_bound(case) and _broken(case)),
    (r"\bnot the\b.*\byou asked for\b", _broken),
    (r", not (?!the\b)", _holds),
    (r"\bruled out\b", _has_excluded),
    (r"\bdoesn't mention\b", _silent),
    (r"\bmentions\b", _mentioned),
    (r"\bsame\b", _related("same")),
    (r"\binstead of\b", _related("different", "lower", "higher")),
    (r"\bcheaper\b|\bcheapest\b", lambda case: _related("lower")(case) and _role(case, "price")),
    (r"\bdearer\b", lambda case: _related("higher")(case) and _role(case, "price")),
    (r"\bbest rated\b", lambda case: _related("higher")(case) and _role(case, "rating")),
    (r"\bnot rated\b", lambda case: _absent(case) and _role(case, "rating")),
    (r"\bdoesn't say\b", _absent),
    (r"\brated \d", lambda case: _role(case, "rating") and not _absent(case)),
    (r"\bin stock$", _stock(True)),
    (r"\bnot available\b", _stock(False)),
    (r"\bcosts\b", lambda case: _role(case, "price")),
)
"""Words that carry meaning, and what must be so for them to be said."""

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


def _unquoted(case: Case) -> str:
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
    for constraint in _constraints(case):
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
    return [float(n.replace(",", "")) for n in _NUMBER.findall(_DATE.sub(" ", text))]


def _amounts(values: Iterable[FieldValue]) -> set[float]:
    return {
        round(float(v), 2) for v in values if isinstance(v, int | float) and not isinstance(v, bool)
    }


def _gaps(case: Case) -> set[float]:
    own, other = _amounts(_own_values(case)), _amounts(_other_values(case))
    return {round(abs(left - right), 2) for left in own for right in other}


def _only(text: str, values: Iterable[FieldValue], units: set[str], amounts: set[float]) -> bool:
    """Return whether a text has no word and no number beyond those allowed."""
    values = list(values)
    text = _without(text, [v for v in values if isinstance(v, str)])
    quoted = _words_of(values) | units | _template_words()
    if any(n not in amounts and number(n) not in quoted for n in _numbers(text)):
        return False
    rest = _NUMBER.sub(" ", text)
    return all(word in quoted or len(word) == 1 for word in words(rest))


def _units(case: Case) -> set[str]:
    units = [f.unit for e in case.reason.evidence if (f := find(case.facets, e.facet)) and f.unit]
    return {w for unit in (*units, case.item.currency or "") for w in words(unit)}


def _says_only_its_evidence(case: Case) -> bool:
    left, right = _sides(case)
    own, other = _own_values(case), _other_values(case)
    units = _units(case) | {"and", "or", "other", "to"}
    compared = re.search(r"\b(cheaper|dearer) than\b", case.reason.text)
    amounts = set() if compared else _amounts(own)
    if right:
        amounts |= _gaps(case)
    return _only(left, own, units, amounts) and _only(right, other, units, _amounts(other))


def _says_its_evidence(case: Case) -> bool:
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
