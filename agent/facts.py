"""Facts: verified claims taken apart, so that words can be put around them. Pure.

A fact says how an item stands to a wish (its relation), and holds the catalog's own words for
both. A model refers to them by placeholders (`{F1}`, `{W1}`, `{G1}`), so it cannot write a value.
The relation is read from the item, the state and the claim's evidence, never from its words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.claims import View
from agent.placeholders import parts
from agent.ranking import meets_wish
from agent.state import Constraint, State
from agent.turn import Evidence, Reason
from agent.wording import amount, clean, find, label, listing, shown, title_of
from retrieval.catalog import Facet, FieldValue, Item
from retrieval.filters import TEXT, Compare, fold, matches
from retrieval.rerank import available

Relation = Literal[
    "met", "under", "above", "within", "avoided", "nice", "mentions", "same", "instead", "cheaper",
    "dearer", "missed", "over", "below", "limit", "unwanted", "lacks", "plain", "unknown",
]  # fmt: skip
"""How an item stands to a wish.

Kept: met (a wished value), under / above / within (a bound), avoided (not what was excluded), nice
(a soft wish), mentions (a wished word is in its text). Broken: missed (another value), over /
below / limit (beyond a bound, or right at a strict one), unwanted (what was excluded), lacks (a
wished word is not in its text). Beside a reference: same, instead, cheaper, dearer. Else plain (a
field) and unknown (the catalog does not say).
"""

BROKEN: frozenset[Relation] = frozenset({"missed", "over", "below", "limit", "unwanted", "lacks"})
KEPT: frozenset[Relation] = frozenset(
    {"met", "under", "above", "within", "avoided", "nice", "mentions"}
)
BOUNDED: frozenset[Relation] = frozenset({"under", "above", "within", "over", "below", "limit"})

Slot = Literal[
    "category", "brand", "colour", "material", "audience", "size", "language", "price", "rating",
    "availability", "date", "number", "flag", "text", "other",
]  # fmt: skip
"""What a fact is about: the role of its facet, else the kind of its values."""

_NUMERIC = ("price", "rating")
_BARE = ("category", "brand", "colour", "material", "audience", "size", "language")
"""Slots whose values need no name beside them: "Blue" is a colour to every reader."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One verified claim as a relation and the words that fill its placeholders.

    Args:
        id: Its number from 1; `{F1}`, `{W1}` and `{G1}` are its placeholders.
        own: What the item has: `{F1}`.
        wish: What was wished for, or the item compared with: `{W1}`. Empty where there is none.
        gap: By how much a bound is missed: `{G1}`. Empty where there is none.
        label: Name of the facet as people read it.
        text: The claim as a template says it.
    """

    id: int
    relation: Relation
    slot: Slot
    own: str
    wish: str = ""
    gap: str = ""
    label: str = ""
    text: str = ""
    reason: Reason | None = None

    @property
    def fills(self) -> dict[str, str]:
        """Return the words for each placeholder that the fact offers."""
        named = {f"F{self.id}": self.own, f"W{self.id}": self.wish, f"G{self.id}": self.gap}
        return {name: words for name, words in named.items() if words}


@dataclass(frozen=True, slots=True)
class _About:
    """What facts are made against."""

    item: Item
    state: State
    facets: tuple[Facet, ...]
    currency: str | None
    others: Mapping[str, Item]

    def facet(self, evidence: Evidence) -> Facet | None:
        return find(self.facets, evidence.facet)

    def shown(self, name: str, value: FieldValue) -> str:
        return shown(find(self.facets, name), value, self.currency)


def facts(
    reasons: Iterable[Reason],
    item: Item,
    state: State,
    facets: tuple[Facet, ...],
    currency: str | None = None,
    others: Mapping[str, Item] | None = None,
) -> tuple[Fact, ...]:
    """Return the facts that verified claims about an item hold, numbered from 1."""
    about = _About(item, state, facets, currency, others or {})
    made: list[Fact] = []
    for reason in reasons:
        fact = _fact(len(made) + 1, reason, about)
        if fact is not None:
            made.append(fact)
    return tuple(made)


def _fact(id: int, reason: Reason, about: _About) -> Fact | None:
    first = reason.evidence[0]
    facet = about.facet(first)
    name = label(facet, first.facet or "")
    slot = slot_of(facet, first.facet)
    if first.kind == "relation":
        return _beside(Fact(id, "same", slot, "", label=name, text=reason.text, reason=reason),
                       about)  # fmt: skip
    if first.kind == "behaviour":
        return None
    if first.kind == "text":
        quoted = _quoted(str(e.value) for e in reason.evidence)
        return Fact(id, "mentions", "text", quoted, text=reason.text, reason=reason)
    if first.value is None:
        return Fact(id, "unknown", slot, name, label=name, text=reason.text, reason=reason)
    if first.kind == "constraint":
        relation, wish, gap = _to_wish(first, about)
        # A bound on how many are in stock is about the number, not about whether it can be had.
        slot = "number" if slot == "availability" and relation in BOUNDED else slot
    else:
        relation, wish, gap = ("nice" if _is_nice(first, about) else "plain"), "", ""
    own = _own(slot, reason.evidence, name, about)
    return Fact(id, relation, slot, own, wish, gap, name, reason.text, reason)


def slot_of(facet: Facet | None, name: str | None) -> Slot:
    """Return what a facet is about, as a model is told."""
    if name == TEXT:
        return "text"
    if facet is None:
        return "other"
    if facet.role == "availability" or facet.role in _BARE or facet.role == "date":
        return facet.role  # type: ignore[return-value]
    if facet.role in _NUMERIC and facet.kind == "numeric":
        return facet.role  # type: ignore[return-value]
    kinds: dict[str, Slot] = {"boolean": "flag", "numeric": "number", "date": "date"}
    return kinds.get(facet.kind, "other")


def _quoted(texts: Iterable[str]) -> str:
    return listing([f"'{clean(text, 40)}'" for text in texts])


def _is_nice(evidence: Evidence, about: _About) -> bool:
    wishes = [wish for wish in about.state.need.preferences if wish.facet == evidence.facet]
    return any(meets_wish(about.item, wish) for wish in wishes)


def _own(slot: Slot, evidence: Sequence[Evidence], name: str, about: _About) -> str:
    """Return what the item has as a phrase that stands alone in a sentence."""
    first, facet = evidence[0], about.facet(evidence[0])
    if slot == "text":
        return _quoted(str(v) for v in first.value or ())
    if slot == "availability" and (state := available(about.item, facet)) is not None:
        return "in stock" if state else "not available right now"
    said = about.shown(first.facet or "", first.value)
    if slot == "rating" and len(evidence) > 1:
        people = about.facet(evidence[1])
        by = about.shown(evidence[1].facet or "", evidence[1].value)
        return f"{said} ({_measured(by, label(people, evidence[1].facet or ''), people)})"
    if slot in _BARE or slot in _NUMERIC:
        return said
    if slot in ("flag", "date", "availability"):
        return f"{name}: {said}"
    return _measured(said, name, facet) if slot == "number" else f"{name} {said}"


def _measured(said: str, name: str, facet: Facet | None) -> str:
    """Return a number with what it measures: "80 cm width", "300 pages", "age from 3"."""
    if facet is not None and facet.unit:
        return said if facet.unit == name else f"{said} {name}"
    return f"{said} {name}" if name.endswith("s") else f"{name} {said}"


def _to_wish(evidence: Evidence, about: _About) -> tuple[Relation, str, str]:
    """Return how the item stands to the constraint of a claim, the wish and the gap."""
    constraint = about.state.need.constraint(evidence.facet or "")
    if constraint is None:
        return "plain", "", ""
    if constraint.facet == TEXT:
        return _text_wish(evidence, constraint, about.item), "", ""
    facet = about.facet(evidence)
    banned = Constraint(facet=constraint.facet, excluded=constraint.excluded)
    excluded = _listed(constraint.excluded, facet)
    if constraint.excluded and not matches(banned.filter(), about.item):
        return "unwanted", excluded, ""
    wanted = {fold(value) for value in constraint.values}
    has = any(fold(str(value)) in wanted for value in about.item.values(constraint.facet))
    if constraint.values:
        return ("met" if has else "missed"), _listed(constraint.values, facet), ""
    if constraint.low is not None or constraint.high is not None:
        return _bounded(evidence, constraint, about)
    return "avoided", excluded, ""


def _text_wish(evidence: Evidence, constraint: Constraint, item: Item) -> Relation:
    said = [str(value) for value in evidence.value or ()]
    there = all(matches(Compare(TEXT, "contains", value), item) for value in said)
    if set(said) <= set(constraint.excluded):
        return "unwanted" if there else "avoided"
    return "mentions" if there else "lacks"


def _listed(values: Sequence[str], facet: Facet | None) -> str:
    if facet is not None and facet.kind == "boolean":
        said = ["yes" if value.casefold() == "true" else "no" for value in values]
        return f"{label(facet, facet.name)}: {listing(said, 'or')}"
    return listing([clean(value, 40) for value in values[:3]], "or")


def _bounded(
    evidence: Evidence, constraint: Constraint, about: _About
) -> tuple[Relation, str, str]:
    low, high, name = constraint.low, constraint.high, constraint.facet
    value = about.item.values(name)[0]
    for relation, side, bound in (("over", "high", high), ("below", "low", low)):
        one = Constraint(facet=name, **{side: bound, f"{side}_strict":
                                        getattr(constraint, f"{side}_strict")})  # fmt: skip
        if bound is None or matches(one.filter(), about.item):
            continue
        how: Relation = "limit" if value == bound else relation  # type: ignore[assignment]
        return how, about.shown(name, bound), _gap(value, bound, about.facet(evidence), about)
    if low is not None and high is not None:
        return "within", f"{about.shown(name, low)} to {about.shown(name, high)}", ""
    bound = high if high is not None else low
    way: Relation = "under" if high is not None else "above"
    return ("within" if value == bound else way), about.shown(name, bound or 0.0), ""


def _gap(value: FieldValue, bound: FieldValue, facet: Facet | None, about: _About) -> str:
    if isinstance(value, str | bool | tuple) or isinstance(bound, str | bool | tuple):
        return ""
    return amount(facet, abs(value - bound), about.currency) if value != bound else ""


def _beside(fact: Fact, about: _About) -> Fact | None:
    """Return a fact on an item beside another: what is the same, what differs."""
    assert fact.reason is not None
    evidence = fact.reason.evidence
    other = about.others.get(evidence[0].other_id or "")
    if other is None:
        return None
    names = [e.facet or "" for e in evidence]
    view = View(about.state, about.facets, about.currency)
    own = listing([view.named(name, about.item.fields[name]) for name in names])
    relation, wish = _compared(evidence[0], fact.slot, other, about)
    if relation in ("cheaper", "dearer"):
        mine, theirs = about.item.fields[names[0]], other.fields[names[0]]
        own = _gap(mine, theirs, about.facet(evidence[0]), about)
    return Fact(fact.id, relation, fact.slot, own, wish, "", fact.label, fact.text, fact.reason)


def _compared(evidence: Evidence, slot: Slot, other: Item, about: _About) -> tuple[Relation, str]:
    if evidence.value == "same":
        return "same", title_of(other)
    if slot == "price" and evidence.value in ("lower", "higher"):
        return ("cheaper" if evidence.value == "lower" else "dearer"), title_of(other)
    name = evidence.facet or ""
    return "instead", about.shown(name, other.fields[name])


def fill(text: str, given: Iterable[Fact], title: str) -> str:
    """Return a text with every placeholder filled in; KeyError names one that nothing fills."""
    fills = {"T": title} | {name: said for fact in given for name, said in fact.fills.items()}
    return "".join(words + (fills[name] if name else "") for words, name in parts(text))
