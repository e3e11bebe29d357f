"""Score one understood turn against its label, and name what went wrong.

Hard constraints are compared by what they let through, not by how they are written: the items of
the catalog that pass must lie between the narrowest and the widest set the label accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.plan import Plan
from agent.state import Constraint, Need
from finetune.extension import Extension
from finetune.labels import Expect, Wish, facet_named, gold_filters
from finetune.replay import Outcome
from retrieval.catalog import Facet
from retrieval.filters import And, Filter, contains, fold

Fault = tuple[str, str]
"""What went wrong and where: a kind, and the facet or act concerned."""


@dataclass(frozen=True, slots=True)
class TurnScore:
    """One turn, scored; `refs` is None where the label names no items."""

    dialogue: str
    index: int
    catalog: str
    text: str
    phenomena: tuple[str, ...]
    state: bool
    refs: bool | None
    acts: bool
    soft_found: int
    soft_total: int
    faults: tuple[Fault, ...]
    fresh: tuple[Fault, ...]
    expected: str
    understood: str
    unscorable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What labels over one catalog are measured with."""

    extension: Extension
    facets: tuple[Facet, ...]

    def same_items(self, need: Need, wishes: Sequence[Wish]) -> bool:
        """Return whether a need lets through what the label lets through.

        Where the label lets nothing through, every facet is compared by itself: two empty sets
        are always equal, whatever was asked for.
        """
        narrow, wide = gold_filters(wishes, self.facets)
        if not self.extension.mask(wide).any():
            return self._same_by_facet(need, wishes)
        return self._between(need.filter(), narrow, wide)

    def _between(self, found: Filter, narrow: Filter, wide: Filter) -> bool:
        mask = self.extension.mask(found)
        inside = not np.any(mask & ~self.extension.mask(wide))
        return inside and not np.any(self.extension.mask(narrow) & ~mask)

    def _same_by_facet(self, need: Need, wishes: Sequence[Wish]) -> bool:
        gold = {facet_named(wish.facet, self.facets): wish for wish in wishes}
        facets = {constraint.facet for constraint in need.constraints} | (gold.keys() - {None})
        for facet in facets:
            own = need.constraint(facet) if facet else None
            narrow, wide = gold_filters([gold[facet]] if facet in gold else [], self.facets)
            if not self._between(own.filter() if own else And(), narrow, wide):
                return False
        return True

    def state_matches(self, need: Need, expect: Expect) -> bool:
        """Return whether constraints, likeness, order (and labelled rejections) are all right."""
        return (
            (need.like.item_id if need.like else None) == expect.like
            and _order_matches(need, expect, self.facets)
            and _rejections_match(need, expect)
            and self.same_items(need, expect.constraints)
        )


def _order_matches(need: Need, expect: Expect, facets: tuple[Facet, ...]) -> bool:
    if need.sorting is None or expect.order is None:
        return need.sorting is None and expect.order is None
    facet = facet_named(expect.order.facet, facets)
    return (need.sorting.facet, need.sorting.direction) == (facet, expect.order.direction)


def _rejections_match(need: Need, expect: Expect) -> bool:
    return expect.rejected is None or set(expect.rejected) == set(need.rejected)


def unscorable(expect: Expect, facets: tuple[Facet, ...]) -> tuple[str, ...]:
    """Return the labelled roles that the catalog has no facet for."""
    named = {wish.facet for wish in expect.constraints}
    return tuple(sorted(name for name in named if facet_named(name, facets) is None))


def acts_match(plan: Plan, expect: Expect) -> bool:
    """Return whether the plan's acts are the labelled ones.

    A labelled act that ends in "?" may be missing; a list means that one or more of its acts are
    there.
    """
    left = {act.act for act in plan.acts}
    allowed: set[str] = set()
    for act in expect.acts:
        choices = (act,) if isinstance(act, str) else act
        names = {choice.rstrip("?") for choice in choices}
        allowed |= names
        if not any(choice.endswith("?") for choice in choices) and not names & left:
            return False
    return left <= allowed


def soft_found(need: Need, wish: str) -> bool:
    """Return whether a soft wish is among the preferences of a need."""
    for preference in need.preferences:
        if any(contains(text, wish) for text in (preference.text, *preference.values)):
            return True
    return False


def _wish_faults(wish: Wish, facet: str, need: Need) -> set[Fault]:
    constraint = need.constraint(facet)
    faults: set[Fault] = set()
    found = {fold(v) for v in constraint.values} if constraint else set()
    shut = {fold(v) for v in constraint.excluded} if constraint else set()
    for value in map(fold, wish.wanted):
        if value not in found:
            faults.add((_missing_kind(value, shut, facet, need, wanted=True), facet))
    for value in map(fold, wish.excluded):
        if value not in shut and not (found and value not in found):
            faults.add((_missing_kind(value, found, facet, need, wanted=False), facet))
    accepted = {fold(v) for v in (*wish.wanted, *wish.wanted_ok)}
    if found - accepted:
        faults.add(("extra value", facet))
    low, high = (constraint.low, constraint.high) if constraint else (None, None)
    for gold, bound in ((wish.low, low), (wish.high, high)):
        if gold != bound:
            faults.add((_bound_kind(gold, bound), facet))
    return faults


def _missing_kind(value: str, opposite: set[str], facet: str, need: Need, wanted: bool) -> str:
    if value in opposite:
        return "wrong polarity"
    for other in need.constraints:
        values = other.values if wanted else other.excluded
        if other.facet != facet and value in {fold(v) for v in values}:
            return "wrong facet"
    return "missed value" if wanted else "missed exclusion"


def _bound_kind(gold: object, found: object) -> str:
    if found is None:
        return "missed bound"
    return "extra bound" if gold is None else "wrong bound"


def _extra_kind(constraint: Constraint, expect: Expect, turn: int) -> str:
    if constraint.turn == turn:
        return "extra constraint"
    starts = any("recommend" in act for act in expect.acts)
    return "new need taken for refinement" if starts else "constraint kept too long"


def _constraint_faults(outcome: Outcome, yardstick: Yardstick) -> set[Fault]:
    need, expect = outcome.state.need, outcome.label.expect
    gold = {facet_named(wish.facet, yardstick.facets): wish for wish in expect.constraints}
    faults: set[Fault] = set()
    for facet, wish in gold.items():
        if facet is not None:
            faults |= _wish_faults(wish, facet, need)
    for constraint in need.constraints:
        if constraint.facet not in gold:
            kind = _extra_kind(constraint, expect, outcome.state.turn)
            faults.add((kind, constraint.facet))
    return faults or {("other constraint", "")}


def faults_of(outcome: Outcome, yardstick: Yardstick) -> set[Fault]:
    """Return everything that is wrong with a turn, measured against the first reading."""
    need, label = outcome.state.need, outcome.label
    if outcome.failure:
        return {("crash", outcome.failure.split(":")[0])}
    faults: set[Fault] = set()
    if not any(yardstick.same_items(need, reading.constraints) for reading in label.readings):
        faults |= _constraint_faults(outcome, yardstick)
    likes = {reading.like for reading in label.readings}
    if (need.like.item_id if need.like else None) not in likes:
        faults.add(("wrong like", ""))
    if not any(_order_matches(need, reading, yardstick.facets) for reading in label.readings):
        faults.add(("wrong order", ""))
    if not any(_rejections_match(need, reading) for reading in label.readings):
        faults.add(("wrong rejection", ""))
    if refs_match(outcome) is False:
        faults.add(("wrong reference", ""))
    elif outcome.named and refs_match(outcome) is None:
        faults.add(("spurious reference", ""))
    if not any(acts_match(outcome.plan, reading) for reading in label.readings):
        faults.add(("wrong act", ",".join(act.act for act in outcome.plan.acts)))
    return faults


def refs_match(outcome: Outcome) -> bool | None:
    """Return whether the items referred to are the labelled ones; None: the label has none."""
    accepted = [set(reading.refs) for reading in outcome.label.readings]
    if not any(accepted):
        return None
    return set(outcome.refs) in accepted
