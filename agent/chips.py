"""The wishes of a state as chips: each with its words, and the press that takes it back.

Every surface that shows wishes one by one uses these, so that removing one means the same
everywhere. This module changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.plan import ORDER
from agent.ports import Retriever
from agent.pressed import ITEM, MOST_VALUES, Press, PressedWish
from agent.state import Constraint, Need, Preference
from agent.wording import clean, describe, find
from retrieval.catalog import Facet
from retrieval.filters import TEXT

Kind = Literal["want", "avoid", "bound", "prefer", "like", "order", "hidden"]


class Chip(BaseModel):
    """One wish.

    Args:
        label: Its words, e.g. "Blue", "not Leather", "under €60".
        facet: The facet it is on; None for free words, likeness and what is hidden.
        press: Takes it back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    kind: Kind
    facet: str | None = None
    press: Press


def chips(
    need: Need, facets: Sequence[Facet], currency: str | None, title: Callable[[str], str]
) -> tuple[Chip, ...]:
    """Return the wishes of a need, hard ones first.

    Args:
        title: Returns the title of an item by its id.
    """
    made = [chip for one in need.constraints for chip in _of(one, facets, currency)]
    made += [_preferred(one, facets) for one in need.preferences]
    if need.like is not None:
        like = need.like.item_id
        made.append(_chip(f"like {clean(title(like), 50)}", "like", None, ITEM, (like,)))
    if need.sorting is not None:
        label = f"{clean(need.sorting.label or need.sorting.facet, 40)} first"
        made.append(_chip(label, "order", need.sorting.facet, ORDER))
    hidden = need.rejected[-MOST_VALUES:]
    if hidden:
        made.append(_chip(f"{len(need.rejected)} hidden", "hidden", None, ITEM, hidden))
    return tuple(made)


def chips_of(need: Need, retriever: Retriever) -> tuple[Chip, ...]:
    """Return the wishes of a need over a catalog; an item that has left it is told by its id."""

    def title(id: str) -> str:
        found = retriever.get_many([id])
        return found[0].title if found else id

    return chips(need, retriever.facets, retriever.currency, title)


def _of(constraint: Constraint, facets: Sequence[Facet], currency: str | None) -> Iterator[Chip]:
    """Yield the chips of a constraint: wanted values together, each other wish by itself."""
    facet, name = find(tuple(facets), constraint.facet), constraint.facet
    bare = constraint.model_copy(update={"values": (), "excluded": (), "low": None, "high": None})
    bounded = constraint.low is not None or constraint.high is not None
    if constraint.values:
        own = bare.model_copy(update={"values": constraint.values})
        yield _chip(describe(own, facet, currency), "want", name, name, constraint.values)
    for value in constraint.excluded:
        own = bare.model_copy(update={"excluded": (value,)})
        yield _chip(describe(own, facet, currency), "avoid", name, name, (value,))
    if bounded:
        own = constraint.model_copy(update={"values": (), "excluded": ()})
        bounds = PressedWish(facet=name, low=constraint.low, high=constraint.high)
        press = Press(act="refine", drop=(bounds,))
        label = describe(own, facet, currency)
        yield Chip(label=label, kind="bound", facet=name, press=press)


def _preferred(wish: Preference, facets: Sequence[Facet]) -> Chip:
    label = f"ideally {clean(wish.text, 40)}"
    if wish.facet is None:
        return _chip(label, "prefer", None, TEXT, (wish.text,))
    return _chip(label, "prefer", wish.facet, wish.facet)


def _chip(
    label: str, kind: Kind, facet: str | None, dropped: str, values: tuple[str, ...] = ()
) -> Chip:
    wish = PressedWish(facet=dropped, values=values[:MOST_VALUES])
    return Chip(label=label, kind=kind, facet=facet, press=Press(act="refine", drop=(wish,)))
