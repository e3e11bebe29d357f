"""What a user notices about how they were understood: misreadings, repeats; and real violations.

A misreading is seen as people see it: in the echoed state and on the slate. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.state import Constraint, Need
from agent.turn import Done, Relaxation
from finetune.simulator.speech import Move, MoveKind
from finetune.simulator.users import Wish
from retrieval.catalog import Item
from retrieval.filters import TEXT, fold, matches

_ASKING_FOR_OTHERS = ("more", "cheaper", "want", "avoid", "below", "change", "repair", "like")


@dataclass(frozen=True, slots=True)
class Misread:
    """What of a move was misread: its kind, and the wish where it was one."""

    kind: MoveKind
    wish: Wish | None = None


def misread(
    move: Move, done: Done, shown: Sequence[Item], before: Sequence[str], price: str
) -> Misread | None:
    """Return what the echoed state or the slate contradicts of a move, or None.

    Args:
        shown: The items of the slate, in order.
        before: Ids of the slate before.
        price: Name of the price facet, where there is one.
    """
    kind = move.of if move.kind == "repair" and move.of else move.kind
    for wish in move.wishes:
        if _contradicted(wish, move.decoy, done, shown):
            return Misread(wish.kind, wish)
    if kind == "like" and _likeness(done) != move.item_id:
        return Misread("like")
    if move.bound and _dearer(shown, price, move.bound) and not done.relaxations:
        return Misread("cheaper")
    if kind == "more" and (not shown or [item.id for item in shown] == list(before)):
        return Misread("more") if not _exhausted(done) else None
    return None


def _likeness(done: Done) -> str:
    like = done.state.need.like
    return like.item_id if like is not None else ""


def _exhausted(done: Done) -> bool:
    """Return whether the system understood that more was wanted, and there was none."""
    return any(act.act == "more" for act in done.plan.acts)


def _dearer(shown: Sequence[Item], price: str, bound: float) -> bool:
    amounts = [item.number(price) for item in shown]
    return not shown or any(amount is not None and amount >= bound for amount in amounts)


def _contradicted(wish: Wish, decoy: bool, done: Done, shown: Sequence[Item]) -> bool:
    """Return whether the state or the slate shows the opposite of a wish."""
    need = done.state.need
    stated = need.constraint(wish.facet)
    value = wish.decoy if decoy and wish.decoy else wish.value
    if wish.kind == "below":
        kept = stated is not None and stated.high is not None
        return not kept and (bool(done.relaxations) or any(not wish.met(item) for item in shown))
    wanted, excluded = _sides(stated)
    if wish.kind == "avoid":
        if fold(value) in wanted:
            return True
        if fold(value) in excluded | _sides(need.constraint(TEXT))[1]:
            return False
        return any(not wish.met(item) for item in shown)
    if fold(value) in excluded:
        return True
    if fold(value) in wanted or done.relaxations:
        return False
    limit = Constraint(facet=wish.facet, values=(value,)).filter()
    fitting = sum(matches(limit, item) for item in shown)
    return not shown or 2 * fitting <= len(shown)


def _sides(stated: Constraint | None) -> tuple[set[str], set[str]]:
    if stated is None:
        return set(), set()
    return set(map(fold, stated.values)), set(map(fold, stated.excluded))


def repeats(move: Move, shown: Sequence[str], before: Sequence[str]) -> bool:
    """Return whether the same slate came again although something else was asked for."""
    return move.kind in _ASKING_FOR_OTHERS and bool(shown) and list(shown) == list(before)


def violations(done: Done, catalog: Mapping[str, Item]) -> int:
    """Return how many shown items are not in the catalog or break a stated constraint unsaid.

    A constraint that the turn says it set aside (a named relaxation) is not broken by what then
    satisfies what it was replaced by.
    """
    return sum(_violates(one.item_id, done, catalog) for one in done.slate.items)


def _violates(id: str, done: Done, catalog: Mapping[str, Item]) -> bool:
    item = catalog.get(id)
    if item is None:
        return True
    need: Need = done.state.need
    return any(
        not matches(limit.filter(), item) and not _excused(limit, item, done.relaxations)
        for limit in need.constraints
    )


def _excused(limit: Constraint, item: Item, relaxations: Sequence[Relaxation]) -> bool:
    named = [one for one in relaxations if one.dropped == limit]
    return any(one.instead is None or matches(one.instead.filter(), item) for one in named)


def failed(done: Done) -> bool:
    """Return whether the reply is that nothing fits, or that something was set aside."""
    return bool(done.relaxations) or (not done.slate.items and not done.state.selected)
