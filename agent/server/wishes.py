"""What a client wishes for outside a session's turns, as a state: a filter, a text, or both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent.apply import apply
from agent.dialogue import Parts
from agent.explain import checked, reasons
from agent.languages.tongue import ENGLISH, Tongue
from agent.planner import PlanRequest
from agent.ports import Retriever
from agent.pressed import LARGEST
from agent.privacy.port import without_marks
from agent.state import Constraint, Need, State
from agent.turn import Reason
from retrieval.catalog import Facet, Item
from retrieval.errors import FilterError
from retrieval.filters import TEXT, And, Compare, Filter, from_json

TAKEN = "and of {facet, op, value} with eq, ne, in, not_in, lt, lte, gt, gte; contains on 'text'"


def understood(parts: Parts, retriever: Retriever, text: str, state: State) -> State:
    """Return a state after a text: linked, planned and applied as a turn's would be."""
    slate = tuple(retriever.get_many(state.slate))
    text = without_marks(parts.masker.mask(text))
    carried = parts.languages.carried(text, state.language)
    english, typed = (text, "") if carried is None else (carried.text, text)
    mentions = parts.linker.link(english, state, slate)
    request = PlanRequest(english, mentions, state, slate, retriever.facets, typed)
    plan = parts.planner.plan(request)
    plan = plan if carried is None else carried.home(plan)
    ids = {id for mention in plan.mentions for id in mention.items} | {*state.slate, *state.focus}
    known = {item.id: item for item in retriever.get_many(sorted(ids))}
    return apply(state, plan, known, retriever.facets)


def grounded(
    item: Item, state: State, retriever: Retriever, tongue: Tongue = ENGLISH
) -> tuple[Reason, ...]:
    """Return why an item fits a state: claims that hold against the catalog as it is now."""
    like = state.need.like
    others = {one.id: one for one in retriever.get_many([like.item_id] if like else [])}
    facets = retriever.facets
    found = reasons(item, state, facets, retriever.currency, others, tongue)
    return checked(found, item, state, facets, others, tongue)


def filtered(state: State, filter: Filter, facets: tuple[Facet, ...]) -> State:
    """Return a state whose need also holds a filter; on its facets the filter replaces wishes."""
    new = constraints_of(filter, facets)
    named = {constraint.facet for constraint in new}
    kept = tuple(c for c in state.need.constraints if c.facet not in named)
    need: Need = state.need.model_copy(update={"constraints": (*kept, *new)})
    return state.model_copy(update={"need": need})


def read_filter(data: Mapping[str, Any]) -> Filter:
    """Return the filter of a JSON object; FilterError says what is taken."""
    try:
        return from_json(data)
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise FilterError(f"expected {TAKEN}, got {str(data)[:200]}") from error


def constraints_of(filter: Filter, facets: tuple[Facet, ...]) -> tuple[Constraint, ...]:
    """Return a filter as constraints, one per facet.

    Raises:
        FilterError: If it names an unknown facet, or says more than constraints can.
    """
    names = [facet.name for facet in facets]
    numeric = {facet.name for facet in facets if facet.kind == "numeric"}
    merged: dict[str, dict[str, Any]] = {}
    for compare in _compares(filter):
        if compare.facet not in (*names, TEXT):
            raise FilterError(f"no facet {compare.facet!r}; the catalog has {', '.join(names)}")
        if compare.facet in numeric and compare.op in ("in", "ne", "not_in"):
            raise FilterError(
                f"{compare.facet!r} is a number: compare it with eq, lt, lte, gt, gte"
            )
        if compare.facet in numeric and isinstance(compare.value, str | bool):
            raise FilterError(f"{compare.facet!r} is a number, got {compare.value!r}")
        _check_size(compare)
        wish = merged.setdefault(compare.facet, {"facet": compare.facet})
        new = _wish(compare)
        if wish.keys() & new.keys():
            raise FilterError(f"two comparisons of {compare.facet!r} say the same thing; send one")
        wish |= new
    roles = {facet.name: facet.role for facet in facets}
    return tuple(Constraint(**wish, role=roles.get(name)) for name, wish in merged.items())


def _check_size(compare: Compare) -> None:
    value = compare.value
    # Written so that what is no number at all (NaN) does not pass either.
    if isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
        raise FilterError(
            f"{compare.facet!r}: expected a number up to {LARGEST:,.0f}, got {str(value)[:40]}"
        )


def _compares(filter: Filter) -> Iterator[Compare]:
    match filter:
        case Compare():
            yield filter
        case And(parts):
            for part in parts:
                yield from _compares(part)
        case _:
            raise FilterError(f"expected {TAKEN}; or and not are not taken here")


def _texts(compare: Compare) -> tuple[str, ...]:
    values = compare.value if isinstance(compare.value, tuple) else (compare.value,)
    if not values or not all(isinstance(one, str | bool | int | float) for one in values):
        raise FilterError(f"{compare.op!r} on {compare.facet!r} needs values, got {values!r}")
    return tuple(one if isinstance(one, str) else str(one).lower() for one in values)


def _wish(compare: Compare) -> dict[str, Any]:
    op, value, text = compare.op, compare.value, compare.facet == TEXT
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if op == "eq" and number:
        return {"low": value, "high": value}
    if op in ("contains", "not_contains") if text else op in ("eq", "in", "ne", "not_in"):
        negative = op in ("not_contains", "ne", "not_in")
        return {"excluded" if negative else "values": _texts(compare)}
    if op in ("lt", "lte", "gt", "gte") and not text:
        if not number and not isinstance(value, str):
            raise FilterError(f"{op!r} on {compare.facet!r} needs a number or date, got {value!r}")
        side = "high" if op.startswith("l") else "low"
        return {side: value, f"{side}_strict": not op.endswith("e")}
    raise FilterError(f"{op!r} on {compare.facet!r} is not taken here; expected {TAKEN}")
