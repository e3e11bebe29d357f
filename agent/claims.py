"""Claims about an item, each with the evidence it was made from. Pure.

Making a claim and checking it are apart on purpose: `agent.verify` re-reads the words and the
catalog and knows nothing of this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.languages.tongue import ENGLISH, Tongue
from agent.likeness import changed_facets, kept_facets
from agent.needs import soft_words
from agent.ranking import meets_wish
from agent.state import Constraint, State
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
from retrieval.catalog import Facet, FieldValue, Item, primary
from retrieval.filters import TEXT, Compare, fold, matches, text_of, words
from retrieval.rerank import available


@dataclass(frozen=True, slots=True)
class View:
    """What claims are made against: the session, the catalog's facets, and other items.

    Args:
        others: Items that claims may compare with, by id; the reference of a likeness is one.
        tongue: The language that claims are made in.
    """

    state: State
    facets: tuple[Facet, ...]
    currency: str | None = None
    others: Mapping[str, Item] = field(default_factory=dict)
    tongue: Tongue = ENGLISH

    def say(self, key: str, **values: object) -> str:
        """Return a claim, or a part of one, in words."""
        return say(key, 0, self.tongue.code, **values)

    def listed(self, parts: Sequence[str], last: Literal["and", "or", "wishes"] = "and") -> str:
        """Return "a, b and c"."""
        return listing(parts, last, self.tongue)

    def facet(self, name: str) -> Facet | None:
        """Return the facet with a name, or None."""
        return find(self.facets, name)

    def label(self, name: str) -> str:
        """Return the name of a facet as people read it."""
        return label(self.facet(name), name, self.tongue)

    def shown(self, name: str, value: FieldValue) -> str:
        """Return a value of a facet as people read it."""
        return shown(self.facet(name), value, self.currency, self.tongue)

    def named(self, name: str, value: FieldValue) -> str:
        """Return a value that can stand without the name of its facet: "paid: yes"."""
        said = self.shown(name, value)
        flag = isinstance(value, bool)
        return self.say("grammar.flag", facet=self.label(name), value=said) if flag else said

    def wish(self, constraint: Constraint) -> str:
        """Return a constraint as people say it."""
        return describe(constraint, self.facet(constraint.facet), self.currency, self.tongue)


def _asked(item: Item, view: View, constraint: Constraint, value: object) -> tuple[Evidence, ...]:
    wish = view.wish(constraint)
    return (
        Evidence(
            kind="constraint", item_id=item.id, facet=constraint.facet, value=value, wish=wish
        ),
    )


def _own(item: Item, facet: str) -> FieldValue | None:
    return item.fields.get(facet)


def _matching(item: Item, constraint: Constraint) -> FieldValue | None:
    """Return the item's value that a constraint asks for, or None."""
    wanted = {fold(value) for value in constraint.values}
    hits = [v for v in item.values(constraint.facet) if fold(str(v)) in wanted]
    return hits[0] if hits else None


def _prefix(view: View, facet: str) -> str:
    known = view.facet(facet)
    name = view.label(facet)
    plain = known is not None and (known.role == "price" or known.unit == name)
    return "" if plain else view.say("grammar.prefix", facet=name)


def _gap(view: View, facet: str, left: FieldValue, right: FieldValue) -> str:
    """Return by how much two numbers differ, in the facet's own unit; empty for dates."""
    if isinstance(left, str | bool | tuple) or isinstance(right, str | bool | tuple):
        return ""
    return amount(view.facet(facet), abs(left - right), view.currency, view.tongue)


def _bound_met(item: Item, view: View, constraint: Constraint, value: FieldValue) -> Reason:
    low, high = constraint.low, constraint.high
    key, bound = "within", high if high is not None else low
    if high is None or low is None:
        if value != bound:
            key = "under" if high is not None else "above"
        text = view.shown(constraint.facet, bound if bound is not None else "")
    else:
        text = view.say("grammar.range", low=view.shown(constraint.facet, low),
                        high=view.shown(constraint.facet, high))  # fmt: skip
    said = view.say(f"claims.{key}", prefix=_prefix(view, constraint.facet), bound=text,
               value=view.shown(constraint.facet, value))  # fmt: skip
    return Reason(text=said, evidence=_asked(item, view, constraint, value))


def _bound_missed(
    item: Item, view: View, constraint: Constraint, value: FieldValue
) -> Reason | None:
    for key, op, bound in (("over", "lte", constraint.high), ("below", "gte", constraint.low)):
        strict = constraint.high_strict if key == "over" else constraint.low_strict
        held = Compare(constraint.facet, op[:2] if strict else op, bound)  # type: ignore[arg-type]
        if bound is None or matches(held, item):
            continue
        gap = _gap(view, constraint.facet, value, bound)
        key = "at" if value == bound else key
        said = view.say(f"claims.{key}", prefix=_prefix(view, constraint.facet),
                        value=view.shown(constraint.facet, value),
                        gap=view.say("grammar.gap", gap=gap) if gap else "",
                        bound=view.shown(constraint.facet, bound))  # fmt: skip
        return Reason(text=said, evidence=_asked(item, view, constraint, value))
    return None


def _missing(item: Item, view: View, facet: str) -> Reason:
    evidence = Evidence(kind="field", item_id=item.id, facet=facet, value=None)
    return Reason(text=view.say("claims.missing", facet=view.label(facet)), evidence=(evidence,))


def _quoted(parts: Iterable[str], view: View) -> str:
    return quoted([clean(part, 40) for part in parts], view.tongue)


def _text_met(item: Item, view: View, constraint: Constraint) -> Reason:
    key = "silent" if constraint.excluded else "mentions"
    named = constraint.excluded
    if not named:
        held = [v for v in constraint.values if matches(Compare(TEXT, "contains", v), item)]
        named = tuple(held[:2])
    said = view.say(f"claims.{key}", words=_quoted(named, view))
    return Reason(text=said, evidence=_asked(item, view, constraint, list(named)))


def met(item: Item, view: View, constraint: Constraint) -> Reason | None:
    """Return the claim that an item meets a constraint, by which field."""
    if constraint.facet == TEXT:
        return _text_met(item, view, constraint)
    own = _own(item, constraint.facet)
    if own is None:
        return _missing(item, view, constraint.facet)
    value = _matching(item, constraint)
    name = view.label(constraint.facet)
    if value is not None:
        key = "flag_asked" if isinstance(value, bool) else "value_asked"
        said = view.say(f"claims.{key}", value=view.shown(constraint.facet, value), facet=name)
        return Reason(text=said, evidence=_asked(item, view, constraint, value))
    if constraint.low is not None or constraint.high is not None:
        return _bound_met(item, view, constraint, item.values(constraint.facet)[0])
    if not constraint.excluded:
        return None
    if isinstance(own, bool):
        said = view.say("claims.flag_asked", facet=name, value=view.shown(constraint.facet, own))
        return Reason(text=said, evidence=_asked(item, view, constraint, own))
    wish = view.listed(
        [_in_words(view, constraint.facet, v) for v in constraint.excluded[:3]], "or"
    )
    said = view.say(
        "claims.avoided", facet=name, value=view.shown(constraint.facet, own), wish=wish
    )
    return Reason(text=said, evidence=_asked(item, view, constraint, own))


def _in_words(view: View, facet: str, value: str) -> str:
    """Return a wanted value as people read it; those of a yes-or-no facet are stored as text."""
    known = view.facet(facet)
    if known is not None and known.kind == "boolean":
        return view.shown(facet, value.casefold() == "true")
    return worded(known, value, tongue=view.tongue)


def _text_missed(item: Item, view: View, constraint: Constraint) -> Reason:
    found = [v for v in constraint.excluded if matches(Compare(TEXT, "contains", v), item)]
    key = "mentions_unwanted" if found else "silent"
    named = found[:2] or list(constraint.values[:2])
    said = view.say(f"claims.{key}", words=_quoted(named, view))
    return Reason(text=said, evidence=_asked(item, view, constraint, named))


def missed(item: Item, view: View, constraint: Constraint) -> Reason | None:
    """Return the claim that an item does not meet a constraint: what it has instead."""
    if constraint.facet == TEXT:
        return _text_missed(item, view, constraint)
    own = _own(item, constraint.facet)
    if own is None:
        return _missing(item, view, constraint.facet)
    name, value = view.label(constraint.facet), view.shown(constraint.facet, own)
    evidence = _asked(item, view, constraint, own)
    banned = Constraint(facet=constraint.facet, excluded=constraint.excluded)
    if constraint.excluded and not matches(banned.filter(), item):
        return Reason(text=view.say("claims.unwanted", facet=name, value=value), evidence=evidence)
    if constraint.values and _matching(item, constraint) is None:
        wish = view.listed(
            [_in_words(view, constraint.facet, v) for v in constraint.values[:3]], "or"
        )
        said = view.say("claims.missed", facet=name, value=value, wish=wish)
        return Reason(text=said, evidence=evidence)
    return _bound_missed(item, view, constraint, item.values(constraint.facet)[0])


def mentions(item: Item, view: View) -> Reason | None:
    """Return the claim that an item's text has words that were wanted, in the user's spelling."""
    own, need = set(words(text_of(item))), view.state.need
    wanted = {word for word in soft_words(need) if word in own}
    said = " ".join(wish.text for wish in need.preferences if wish.facet is None)
    spelled = {words(part)[0]: part for part in re.findall(r"[^\W_]+", said) if words(part)}
    found = [part for word, part in spelled.items() if word in wanted][:3]
    if not found:
        return None
    evidence = tuple(Evidence(kind="text", item_id=item.id, value=word) for word in found)
    return Reason(text=view.say("claims.mentions", words=_quoted(found, view)), evidence=evidence)


def wished(item: Item, view: View) -> Iterator[Reason]:
    """Yield a claim for each soft facet wish that an item meets."""
    for wish in view.state.need.preferences:
        if wish.facet is None or not meets_wish(item, wish):
            continue
        stand_in = Constraint(facet=wish.facet, values=wish.values)
        value = _matching(item, stand_in) if wish.values else item.values(wish.facet)[0]
        if value is not None:
            said = view.say("claims.wished", value=view.shown(wish.facet, value),
                       facet=view.label(wish.facet))  # fmt: skip
            evidence = Evidence(kind="field", item_id=item.id, facet=wish.facet, value=value)
            yield Reason(text=said, evidence=(evidence,))


def _relation(item: Item, facet: str, value: str, other: Item) -> Evidence:
    return Evidence(kind="relation", item_id=item.id, facet=facet, value=value, other_id=other.id)


def _kept(item: Item, view: View, anchor: Item) -> Reason | None:
    same = [k.facet.name for k in kept_facets(anchor, view.state.need, view.facets)
            if k.closeness(item) == 1.0][:3]  # fmt: skip
    if not same:
        return None
    values = view.listed([view.named(name, item.fields[name]) for name in same])
    said = view.say("claims.same", values=values, other=title_of(anchor))
    return Reason(text=said, evidence=tuple(_relation(item, f, "same", anchor) for f in same))


def _swapped(item: Item, view: View, anchor: Item) -> Iterator[Reason]:
    for name in sorted(changed_facets(anchor, view.state.need)):
        new, old, facet = _own(item, name), _own(anchor, name), view.facet(name)
        if new is None or old is None or new == old or facet is None:
            continue
        if facet.role == "price" and isinstance(new, float) and isinstance(old, float):
            key, way = ("cheaper", "lower") if new < old else ("dearer", "higher")
            gap = _gap(view, name, new, old)
            said = view.say(f"claims.{key}", gap=gap, other=title_of(anchor))
        else:
            way = "different"
            said = view.say(
                "claims.instead", value=view.named(name, new), old=view.shown(name, old)
            )
        yield Reason(text=said, evidence=(_relation(item, name, way, anchor),))


def likeness(item: Item, view: View) -> Iterator[Reason]:
    """Yield what an item has in common with the reference, and what differs as asked."""
    like = view.state.need.like
    anchor = view.others.get(like.item_id) if like else None
    if anchor is None or anchor.id == item.id:
        return
    same = _kept(item, view, anchor)
    if same is not None:
        yield same
    yield from _swapped(item, view, anchor)


_RATERS = re.compile(r"rat|review|vote", re.IGNORECASE)


def rating(item: Item, view: View) -> Reason | None:
    """Return how an item is rated, or that it is not; None where the catalog has no ratings."""
    facet, people = primary(view.facets, "rating"), primary(view.facets, "popularity")
    if facet is None or facet.kind != "numeric":
        return None
    own, count = item.number(facet.name), item.number(people.name) if people else None
    evidence = [Evidence(kind="field", item_id=item.id, facet=facet.name, value=own)]
    if own is None:
        return Reason(text=view.say("claims.not_rated"), evidence=tuple(evidence))
    value = view.shown(facet.name, own)
    if people is None or count is None or count < 1 or not _RATERS.search(people.name):
        return Reason(text=view.say("claims.rated", value=value), evidence=tuple(evidence))
    evidence.append(Evidence(kind="field", item_id=item.id, facet=people.name, value=count))
    by = view.shown(people.name, count)
    return Reason(
        text=view.say("claims.rated_by", value=value, people=by), evidence=tuple(evidence)
    )


def availability(item: Item, view: View) -> Reason | None:
    """Return whether an item can be had; None where the catalog does not say."""
    facet = primary(view.facets, "availability")
    state = available(item, facet)
    if facet is None or state is None:
        return None
    key = "available" if state else "unavailable"
    evidence = Evidence(
        kind="field", item_id=item.id, facet=facet.name, value=_own(item, facet.name)
    )
    return Reason(text=view.say(f"claims.{key}"), evidence=(evidence,))


def costs(item: Item, view: View) -> Reason | None:
    """Return what an item costs, where the catalog says."""
    facet = primary(view.facets, "price")
    own = item.number(facet.name) if facet else None
    if facet is None or own is None:
        return None
    evidence = Evidence(kind="field", item_id=item.id, facet=facet.name, value=own)
    return Reason(
        text=view.say("claims.costs", value=view.shown(facet.name, own)), evidence=(evidence,)
    )


def stated(item: Item, view: View, name: str) -> Reason:
    """Return what the catalog says of one field, or that it says nothing."""
    own = _own(item, name)
    if own is None:
        return _missing(item, view, name)
    evidence = Evidence(kind="field", item_id=item.id, facet=name, value=own)
    said = view.say("claims.field", facet=view.label(name), value=view.shown(name, own))
    return Reason(text=said, evidence=(evidence,))
