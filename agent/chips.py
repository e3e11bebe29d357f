"""The wishes of a state as chips: each with its words, and the press that takes it back.

Every surface that shows wishes one by one uses these, so that removing one means the same
everywhere. This module changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.languages.tongue import ENGLISH, Tongue
from agent.plan import ORDER
from agent.ports import Retriever
from agent.pressed import ITEM, MOST_VALUES, Press, PressedWish
from agent.state import Constraint, Need, Preference
from agent.wording import clean, describe, find, label, listing, say, worded
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
    need: Need,
    facets: Sequence[Facet],
    currency: str | None,
    title: Callable[[str], str],
    tongue: Tongue = ENGLISH,
) -> tuple[Chip, ...]:
    """Return the wishes of a need, hard ones first.

    Args:
        title: Returns the title of an item by its id.
    """
    made = [chip for one in need.constraints for chip in _of(one, facets, currency, tongue)]
    made += [_preferred(one, facets, tongue) for one in need.preferences]
    if need.like is not None:
        like = need.like.item_id
        made.append(
            _chip(_say("like", tongue, title=clean(title(like), 50)), "like", None, ITEM, (like,))
        )
    if need.sorting is not None:
        by = clean(need.sorting.label, 40) or label(find(tuple(facets), need.sorting.facet),
                                                    need.sorting.facet, tongue)  # fmt: skip
        sorting = _say("sorted", tongue, by=by)
        made.append(_chip(sorting, "order", need.sorting.facet, ORDER))
    hidden = need.rejected[-MOST_VALUES:]
    if hidden:
        made.append(
            _chip(_say("hidden", tongue, n=len(need.rejected)), "hidden", None, ITEM, hidden)
        )
    return tuple(made)


def chips_of(need: Need, retriever: Retriever, tongue: Tongue = ENGLISH) -> tuple[Chip, ...]:
    """Return the wishes of a need over a catalog; an item that has left it is told by its id."""

    def title(id: str) -> str:
        found = retriever.get_many([id])
        return found[0].title if found else id

    return chips(need, retriever.facets, retriever.currency, title, tongue)


def _say(key: str, tongue: Tongue, **values: object) -> str:
    return say(f"wishes.{key}", 0, tongue.code, **values)


def _of(
    constraint: Constraint, facets: Sequence[Facet], currency: str | None, tongue: Tongue
) -> Iterator[Chip]:
    """Yield the chips of a constraint: wanted values together, each other wish by itself."""
    facet, name = find(tuple(facets), constraint.facet), constraint.facet
    bare = constraint.model_copy(update={"values": (), "excluded": (), "low": None, "high": None})
    bounded = constraint.low is not None or constraint.high is not None
    if constraint.values:
        own = bare.model_copy(update={"values": constraint.values})
        yield _chip(describe(own, facet, currency, tongue), "want", name, name, constraint.values)
    for value in constraint.excluded:
        own = bare.model_copy(update={"excluded": (value,)})
        yield _chip(describe(own, facet, currency, tongue), "avoid", name, name, (value,))
    if bounded:
        own = constraint.model_copy(update={"values": (), "excluded": ()})
        bounds = PressedWish(facet=name, low=constraint.low, high=constraint.high)
        press = Press(act="refine", drop=(bounds,))
        words = describe(own, facet, currency, tongue)
        yield Chip(label=words, kind="bound", facet=name, press=press)


def _preferred(wish: Preference, facets: Sequence[Facet], tongue: Tongue) -> Chip:
    said = clean(wish.words or wish.text, 40)
    if wish.facet is not None and wish.values:
        facet = find(tuple(facets), wish.facet)
        known = [tongue.value(wish.facet, value) for value in wish.values[:3]]
        own = [worded(facet, value, tongue=tongue) for value in wish.values[:3]]
        said = listing(own, "or", tongue) if known != list(wish.values[:3]) else said
    words = _say("ideally", tongue, wish=said)
    if wish.facet is None:
        return _chip(words, "prefer", None, TEXT, (wish.text,))
    return _chip(words, "prefer", wish.facet, wish.facet)


def _chip(
    label: str, kind: Kind, facet: str | None, dropped: str, values: tuple[str, ...] = ()
) -> Chip:
    wish = PressedWish(facet=dropped, values=values[:MOST_VALUES])
    return Chip(label=label, kind=kind, facet=facet, press=Press(act="refine", drop=(wish,)))
