"""Checking claims against the catalog, independently of how they were made.

A claim holds when each piece of its evidence is true of the item, when the words that carry
meaning ("under", "not", "same", "cheaper" …) agree with the fields, and when it says nothing
beyond its evidence: no other value, no other number, no other name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from agent.claim_reading import readings
from agent.claim_words import Case, own_words, says_its_evidence, says_only_its_evidence
from agent.languages.tongue import ENGLISH, Tongue
from agent.state import Constraint, State
from agent.turn import Evidence, Reason
from agent.wording import describe, find
from retrieval.catalog import Facet, Item
from retrieval.filters import Compare, fold, matches, words
from retrieval.rerank import available


def verify(
    reason: Reason,
    item: Item,
    state: State,
    others: Mapping[str, Item] | None = None,
    facets: tuple[Facet, ...] = (),
    tongue: Tongue = ENGLISH,
) -> bool:
    """Return whether a claim is true of an item and says nothing beyond its evidence.

    Args:
        others: The items that the claim may compare with, by id.
        facets: The catalog's facets, for their labels and roles.
        tongue: What the claim is made in; in another language than English it holds where it can
            be read back as an English claim that holds.
    """
    case = Case(reason, item, state, others or {}, facets)
    if tongue.code != "en":
        return any(_holds_in_english(one) for one in readings(case, tongue))
    return _holds_in_english(case)


def _holds_in_english(case: Case) -> bool:
    reason, said = case.reason, own_words(case)
    return (
        bool(reason.evidence)
        and all(_true(case, evidence) for evidence in reason.evidence)
        and _negations_known(said)
        and all(check(case) for check in _checks(said))
        and says_its_evidence(case)
        and says_only_its_evidence(case)
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


def _holds(case: Case) -> bool:
    found = case.constraints()
    return bool(found) and all(matches(c.filter(), case.item) for c in found)


def _broken(case: Case) -> bool:
    found = case.constraints()
    return bool(found) and not any(matches(c.filter(), case.item) for c in found)


def _beyond(op: str, side: str) -> Callable[[Case], bool]:
    def check(case: Case) -> bool:
        found = case.constraints()
        bounds = [(c.facet, c.high if side == "high" else c.low) for c in found]
        return bool(bounds) and all(
            bound is not None and matches(Compare(facet, op, bound), case.item)  # type: ignore[arg-type]
            for facet, bound in bounds
        )

    return check


def _at_bound(case: Case) -> bool:
    return all(c.low in case.item.values(c.facet) or c.high in case.item.values(c.facet)
               for c in case.constraints())  # fmt: skip


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
    only = [Constraint(facet=c.facet, excluded=c.excluded) for c in case.constraints()]
    return bool(only) and all(c.excluded and not matches(c.filter(), case.item) for c in only)


def _texts(case: Case) -> list[str]:
    """Return the words that the evidence is about, one by one."""
    said: list[str] = []
    for evidence in case.reason.evidence:
        value = evidence.value or ()
        said += [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]
    return said


def _silent(case: Case) -> bool:
    said = _texts(case)
    return bool(said) and not any(matches(Compare("text", "contains", v), case.item) for v in said)


def _mentioned(case: Case) -> bool:
    return all(matches(Compare("text", "contains", v), case.item) for v in _texts(case))


_NEGATIONS = re.compile(r", not\b|^not (?:rated|available)\b|\bdoesn't (?:mention|say)\b")


@lru_cache(4_096)
def _negations_known(text: str) -> bool:
    """Return whether every negation in a claim is one whose meaning is checked below."""
    return not re.search(r"\b(?:not|never|hardly)\b|n't", _NEGATIONS.sub(" ", text))


_TABLE: tuple[tuple[str, Callable[[Case], bool]], ...] = (
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
_CUES = tuple((re.compile(cue), check) for cue, check in _TABLE)
"""Words that carry meaning, and what must be so for them to be said."""


@lru_cache(4_096)
def _checks(said: str) -> tuple[Callable[[Case], bool], ...]:
    """Return what must hold for a claim's own words, which are those of few templates."""
    return tuple(check for cue, check in _CUES if cue.search(said))
