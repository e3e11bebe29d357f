"""Quick replies: what somebody is likely to say next, made from the state and the catalog.

Each is exact: it says words for the transcript and presses what they mean. Facts of the catalog
(which values are left, and how many items each) come with them. This module changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from agent.languages.tongue import ENGLISH, Tongue
from agent.ports import Retriever
from agent.pressed import Press, PressedWish
from agent.state import Constraint, Need, State
from agent.suggest import splitting
from agent.wording import amount, clean, describe, find, say, worded
from retrieval.catalog import Facet, primary
from retrieval.filters import And, Compare

MOST = 6
_OPTIONS = 3
_EXAMPLES = 4


class QuickReply(BaseModel):
    """Something to say with one press.

    Args:
        label: Its words on a button.
        text: Its words in the transcript.
        press: What it means; None where the text is to be understood as said.
        count: Items it would leave, where that is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    text: str
    press: Press | None = None
    count: int | None = None


def quick_replies(
    state: State, retriever: Retriever, tongue: Tongue = ENGLISH
) -> tuple[QuickReply, ...]:
    """Return what may be said next: values that narrow down, then ways on from what is shown.

    Where the shop's pages were offered to choose from, it is one of those.
    """
    if state.desk.offers:
        return tuple(QuickReply(label=one.title, text=one.title) for one in state.desk.offers)
    if state.turn == 0 or not (state.slate or state.need != Need()):
        return examples(retriever, tongue)
    made = [*_narrowing(state, retriever, tongue), *_ways_on(state, retriever, tongue)]
    return tuple(made[:MOST])


def examples(retriever: Retriever, tongue: Tongue = ENGLISH) -> tuple[QuickReply, ...]:
    """Return openings that this catalog can meet, made of its most frequent values."""
    facets = retriever.facets
    category, price = primary(facets, "category"), primary(facets, "price")
    if category is None:
        return _names(retriever)
    others = [f for f in (primary(facets, "colour"), primary(facets, "material"),
                          primary(facets, "brand"), primary(facets, "audience")) if f]  # fmt: skip
    made: list[QuickReply] = []
    for place, (kind, n) in enumerate(retriever.index.facet(category.name, None, limit=_EXAMPLES)):
        only = Compare(category.name, "eq", kind)
        text, count = _lower(worded(category, kind, tongue=tongue)), n
        if others and place % 2 == 0:
            other = others[place // 2 % len(others)]
            top = retriever.index.facet(other.name, only, limit=1)
            if top:
                own, count = _lower(worded(other, top[0][0], 30, tongue)), top[0][1]
                text = say("quick.described", 0, tongue.code, other=own, kind=text)
        elif price is not None and len(price.quantiles) > 2:
            bound = float(f"{price.quantiles[2]:.1g}")
            below = And((only, Compare(price.name, "lte", bound)))
            most = amount(price, bound, retriever.currency, tongue)
            text = say("quick.priced", 0, tongue.code, kind=text, bound=most)
            count = retriever.index.count(below)
        if count:
            made.append(QuickReply(label=_capital(text), text=text, count=count))
    return tuple(made)


def _names(retriever: Retriever) -> tuple[QuickReply, ...]:
    """Return openings for a catalog without kinds: names of what is known of most items."""
    kinds = ("categorical", "list")
    listed = [one for one in retriever.facets if one.kind in kinds and len(one.values) > _EXAMPLES]
    if not listed:
        return ()
    facet = max(listed, key=lambda one: one.coverage)
    found = retriever.index.facet(facet.name, None, limit=_EXAMPLES)
    return tuple(QuickReply(label=clean(v, 40), text=clean(v, 40), count=n) for v, n in found)


def _lower(text: str) -> str:
    """Return a name as it stands within a sentence; other letters than English ones stay."""
    return text.lower() if text.isascii() else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _narrowing(state: State, retriever: Retriever, tongue: Tongue) -> Iterator[QuickReply]:
    """Yield values of the facet that was asked about, else of the one that splits best."""
    asked = find(retriever.facets, state.asked[-1]) if state.asked else None
    need = state.need
    if asked is not None and asked.values and need.constraint(asked.name) is None:
        counts = retriever.index.facet(asked.name, need.filter(), limit=_OPTIONS)
        yield from (_value(asked, value, n, retriever, tongue) for value, n in counts if n)
        return
    found = splitting(retriever, need, state.asked)
    if found is not None:
        facet, _ = found
        counts = retriever.index.facet(facet.name, need.filter(), limit=_OPTIONS)
        yield from (_value(facet, value, n, retriever, tongue) for value, n in counts if n)


def _value(
    facet: Facet, value: str, count: int, retriever: Retriever, tongue: Tongue
) -> QuickReply:
    wished = Constraint(facet=facet.name, role=facet.role, values=(value,))
    words = describe(wished, facet, retriever.currency, tongue)
    press = Press(act="refine", want=(PressedWish(facet=facet.name, values=(value,)),))
    return QuickReply(label=_capital(words), text=words, press=press, count=count)


def _ways_on(state: State, retriever: Retriever, tongue: Tongue) -> Iterator[QuickReply]:
    if not state.slate:
        if state.need != Need():
            yield _reply("start_over", tongue, Press(act="reset"))
        return
    price = primary(retriever.facets, "price")
    if price is not None:
        cheaper = PressedWish(facet=price.name, direction="down")
        yield _reply("cheaper", tongue, Press(act="refine", want=(cheaper,)))
    if len(state.slate) > 1:
        yield _reply("compare", tongue, Press(act="compare", items=state.slate[:2]))
    yield _reply("more", tongue, Press(act="more"))
    if state.earlier:
        yield _reply("undo", tongue, Press(act="undo"))


def _reply(name: str, tongue: Tongue, press: Press) -> QuickReply:
    words = say(f"quick.{name}", 0, tongue.code)
    return QuickReply(label=words, text=words, press=press)
