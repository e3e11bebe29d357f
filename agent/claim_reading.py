"""Claims of any language read back as English, so that one checker checks them all.

A claim is taken apart by the table of its language. Every part must be the word, in that language,
for something in the evidence; the same claim with the English words is then checked like any other
(`agent.verify`). What cannot be read back is no claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from string import Formatter

from agent.claim_words import Case
from agent.languages.tongue import ENGLISH, Tongue, table
from agent.state import Constraint
from agent.turn import Evidence, Reason
from agent.wording import (
    amount,
    clean,
    describe,
    find,
    label,
    listing,
    quoted,
    say,
    shown,
    title_of,
    worded,
)
from retrieval.catalog import Facet, FieldValue, Item

Forms = Mapping[str, Sequence[tuple[str, str]]]
"""By placeholder: what may stand there, and its English."""


def readings(case: Case, tongue: Tongue) -> Iterator[Case]:
    """Yield the claim as each English claim that its words may be."""
    evidence = [_english(case, one, tongue) for one in case.reason.evidence]
    if any(one is None for one in evidence):
        return
    known = tuple(one for one in evidence if one is not None)
    forms = _forms(case, tongue)
    english = table()["claims"]
    for name, template in table(tongue.code)["claims"].items():
        for said in _parsed(_parts(template), case.reason.text, forms):
            text = str(english[name]).format(**said)
            yield replace(case, reason=Reason(text=text, evidence=known))


@lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[tuple[str, str], ...]:
    return tuple((words, name or "") for words, name, _, _ in Formatter().parse(template))


def _parsed(parts: Sequence[tuple[str, str]], text: str, forms: Forms) -> Iterator[dict[str, str]]:
    """Yield the English for each placeholder, for every way in which a text fits a template."""
    if not parts:
        if not text:
            yield {}
        return
    (words, name), *rest = parts
    if not text.startswith(words):
        return
    text = text[len(words) :]
    if not name:
        yield from _parsed(rest, text, forms)
        return
    for form, english in forms.get(name, ()):
        if text.startswith(form):
            for others in _parsed(rest, text[len(form) :], forms):
                yield {name: english, **others}


def _currencies(case: Case, facet: Facet | None) -> tuple[str | None, ...]:
    return tuple(dict.fromkeys((case.item.currency, facet.unit if facet else None, None)))


def _english(case: Case, evidence: Evidence, tongue: Tongue) -> Evidence | None:
    """Return a piece of evidence with its wish in English, None where that is not the wish."""
    constraint = case.constraint(evidence)
    if evidence.kind != "constraint" or constraint is None:
        return evidence
    facet = find(case.facets, evidence.facet)
    for currency in _currencies(case, facet):
        if describe(constraint, facet, currency, tongue) == evidence.wish:
            own = describe(constraint, facet, currency)
            return evidence.model_copy(update={"wish": own})
    return None


def _forms(case: Case, tongue: Tongue) -> Forms:
    own, english = _Words(case, tongue).all(), _Words(case, ENGLISH).all()
    return {
        name: list(dict.fromkeys(zip(texts, english[name], strict=True)))
        for name, texts in own.items()
    }


class _Words:
    """What a claim on some evidence may say at each placeholder, in one language."""

    def __init__(self, case: Case, tongue: Tongue) -> None:
        self._case = case
        self._tongue = tongue

    def all(self) -> dict[str, list[str]]:
        """Return the texts by placeholder, in the same order for every language."""
        titles = [title_of(one) for one in (self._case.item, *self._others())]
        words = {"title": titles, "other": titles, "gap": [""], "prefix": [""], "facet": [],
                 "value": [], "bound": [], "old": [], "people": [], "wish": []}  # fmt: skip
        for evidence in self._case.reason.evidence:
            for name, texts in self._of(evidence).items():
                words[name] += texts
        words["people"] = words["value"]
        words["values"] = [listing(self._kept(), tongue=self._tongue)]
        words["words"] = [quoted(texts, self._tongue) for texts in self._texts()]
        return words

    def _others(self) -> list[Item]:
        found = [self._case.other(one) for one in self._case.reason.evidence]
        return [one for one in found if one is not None]

    def _of(self, evidence: Evidence) -> dict[str, list[str]]:
        facet, case = find(self._case.facets, evidence.facet), self._case
        name, other = evidence.facet or "", case.other(evidence)
        own = [*_one(case.item.fields.get(name)), *_one(evidence.value), *case.item.values(name)]
        theirs = [] if other is None else [*_one(other.fields.get(name))]
        constraint = case.constraint(evidence)
        bounds = [] if constraint is None else [*_one(constraint.low), *_one(constraint.high)]
        title = label(facet, name, self._tongue)
        made: dict[str, list[str]] = {
            "facet": [title],
            "prefix": [self._say("prefix", facet=title)],
        }
        for currency in _currencies(case, facet):
            said = [self._shown(facet, name, value, currency) for value in own]
            made.setdefault("value", []).extend([*said, *self._flags(title, own, said)])
            made.setdefault("old", []).extend(self._shown(facet, name, v, currency) for v in theirs)
            made.setdefault("bound", []).extend(self._bounds(facet, bounds, currency))
            made.setdefault("gap", []).extend(self._gaps(facet, own, [*theirs, *bounds], currency))
        if constraint is not None:
            made["wish"] = self._wishes(constraint, facet)
        return made

    def _say(self, key: str, **values: object) -> str:
        return say(f"grammar.{key}", 0, self._tongue.code, **values)

    def _shown(
        self, facet: Facet | None, name: str, value: FieldValue, currency: str | None
    ) -> str:
        return shown(facet, value, currency, self._tongue)

    def _flags(self, title: str, own: list[FieldValue], said: list[str]) -> list[str]:
        return [
            self._say("flag", facet=title, value=text)
            for value, text in zip(own, said, strict=True)
            if isinstance(value, bool)
        ]

    def _bounds(
        self, facet: Facet | None, bounds: list[FieldValue], currency: str | None
    ) -> list[str]:
        said = [shown(facet, bound, currency, self._tongue) for bound in bounds]
        return [*said, self._say("range", low=said[0], high=said[1])] if len(said) == 2 else said

    def _gaps(
        self,
        facet: Facet | None,
        own: list[FieldValue],
        others: list[FieldValue],
        currency: str | None,
    ) -> list[str]:
        apart = [
            amount(facet, abs(left - right), currency, self._tongue)
            for left in own
            for right in others
            if isinstance(left, int | float) and isinstance(right, int | float)
        ]
        return [*apart, *(self._say("gap", gap=one) for one in apart)]

    def _wishes(self, constraint: Constraint, facet: Facet | None) -> list[str]:
        wanted = [constraint.values[:3], constraint.excluded[:3]]
        return [listing([self._value(facet, v) for v in v_], "or", self._tongue) for v_ in wanted]

    def _value(self, facet: Facet | None, value: str) -> str:
        if facet is not None and facet.kind == "boolean":
            return shown(facet, value.casefold() == "true", None, self._tongue)
        return worded(facet, value, tongue=self._tongue)

    def _kept(self) -> list[str]:
        """Return the item's values that are the same as another's, as a claim lists them."""
        kept = []
        for one in self._case.reason.evidence:
            facet, name = find(self._case.facets, one.facet), one.facet or ""
            value = self._case.item.fields.get(name)
            if one.kind == "relation" and value is not None:
                said = shown(facet, value, self._case.item.currency, self._tongue)
                title = label(facet, name, self._tongue)
                flag = isinstance(value, bool)
                kept.append(self._say("flag", facet=title, value=said) if flag else said)
        return kept

    def _texts(self) -> list[list[str]]:
        """Return the words of a text that a claim may quote."""
        found: list[list[str]] = []
        single: list[str] = []
        for one in self._case.reason.evidence:
            if one.kind == "text":
                single.append(clean(str(one.value), 40))
            elif isinstance(one.value, list | tuple):
                found.append([clean(str(v), 40) for v in one.value])
        return [*found, single] if single else found


def _one(value: FieldValue | None) -> list[FieldValue]:
    return [] if value is None else [value]
