"""Quick replies: what somebody is likely to say next, made from the state and the catalog.

Each is exact: it says words for the transcript and presses what they mean. A press is tried on the
state before it is offered, so that none leads nowhere: what it would leave is counted, and one that
leaves nothing, or nothing new, is not there. This module changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from agent.apply import apply
from agent.chips import chips_of
from agent.languages.tongue import ENGLISH, Tongue
from agent.needs import free_wishes, on_facets
from agent.ports import Retriever
from agent.pressed import Press, PressedWish, plan_of
from agent.recommend import recommend
from agent.state import Constraint, Need, State
from agent.suggest import splitting
from agent.wording import amount, clean, describe, find, say, worded
from retrieval.catalog import Facet, Item, primary
from retrieval.filters import And, Compare, matches

MOST = 6
_OPTIONS = 3
_EXAMPLES = 4
_COUNTED = 12
"""Values that are tried for the options of a facet."""


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

    Where the shop's pages were offered to choose from, it is one of those; where nothing narrows
    down, since little fits or nothing, it is the wishes without which more does.
    """
    if state.desk.offers:
        return tuple(QuickReply(label=one.title, text=one.title) for one in state.desk.offers)
    if state.turn == 0 or not (state.slate or state.need != Need()):
        return examples(retriever, tongue)
    ways = _Ways.of(state, retriever, tongue)
    made = [*(tuple(ways.narrowing()) or ways.out()), *ways.on()]
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


@dataclass(frozen=True, slots=True)
class _Ways:
    """Ways on from a state.

    Args:
        items: What a press may compare with, by id.
        fitting: Items that fit the wishes and are not hidden.
    """

    state: State
    retriever: Retriever
    tongue: Tongue
    items: dict[str, Item]
    fitting: int

    @classmethod
    def of(cls, state: State, retriever: Retriever, tongue: Tongue) -> _Ways:
        """Return the ways on from a state."""
        known = retriever.get_many(sorted({*state.slate, *state.focus}))
        fitting = _left(retriever, state.need, state.need.rejected)
        return cls(state, retriever, tongue, {item.id: item for item in known}, fitting)

    def narrowing(self) -> Iterator[QuickReply]:
        """Yield values of the facet that was asked about, else of the one that splits best."""
        if self.fitting < 2:
            return
        state, made = self.state, list[QuickReply]()
        asked = find(self.retriever.facets, state.asked[-1]) if state.asked else None
        if asked is not None and state.need.constraint(asked.name) is None:
            made = self._options(asked)
        if not made:
            found = splitting(
                self.retriever, on_facets(state.need, self.retriever.facets), state.asked
            )
            made = self._options(found[0]) if found else []
        yield from made

    def _options(self, facet: Facet) -> list[QuickReply]:
        """Return the wishes on a facet that most of what fits would meet, but not all of it."""
        made: list[QuickReply] = []
        for wish in self._wishes(facet):
            left = self._leaves(Press(act="refine", want=(wish,)))
            if 0 < left < self.fitting:
                made.append(self._option(facet, wish, left))
            if len(made) == _OPTIONS:
                break
        return made

    def _wishes(self, facet: Facet) -> Iterator[PressedWish]:
        if facet.values:
            wanted = on_facets(self.state.need, self.retriever.facets).filter()
            for value, _ in self.retriever.index.facet(facet.name, wanted, limit=_COUNTED):
                yield PressedWish(facet=facet.name, values=(value,))
        elif facet.role == "price":
            bounds = (float(f"{one:.1g}") for one in facet.quantiles[1:-1])
            for bound in dict.fromkeys(bounds):
                yield PressedWish(facet=facet.name, high=bound)

    def _option(self, facet: Facet, wish: PressedWish, count: int) -> QuickReply:
        wished = Constraint(facet=facet.name, role=facet.role, values=wish.values, high=wish.high)
        words = describe(wished, facet, self.retriever.currency, self.tongue)
        press = Press(act="refine", want=(wish,))
        return QuickReply(label=_capital(words), text=words, press=press, count=count)

    def out(self) -> Iterator[QuickReply]:
        """Yield the wishes without which more fits, those first that give up least."""
        found = []
        for chip in chips_of(self.state.need, self.retriever, self.tongue):
            left = self._leaves(chip.press) if chip.kind in ("want", "avoid", "bound") else 0
            if left > self.fitting:
                words = say("quick.without", 0, self.tongue.code, wish=chip.label)
                found.append(QuickReply(label=words, text=words, press=chip.press, count=left))
        yield from sorted(found, key=lambda one: one.count or 0)[:_OPTIONS]

    def on(self) -> Iterator[QuickReply]:
        """Yield what goes on from the slate; from none, the way back to the beginning."""
        state = self.state
        if not state.slate:
            yield self._reply("start_over", Press(act="reset"))
            return
        price = primary(self.retriever.facets, "price")
        if price is not None:
            wish = PressedWish(facet=price.name, direction="down")
            cheaper = Press(act="refine", want=(wish,))
            if self._priced(price) and self._leaves(cheaper):
                yield self._reply("cheaper", cheaper)
        first = state.slate[:2]
        if sum(id in self.items for id in first) > 1 and state.focus != first:
            yield self._reply("compare", Press(act="compare", items=first))
        if self._more():
            yield self._reply("more", Press(act="more"))
        if state.earlier:
            yield self._reply("undo", Press(act="undo"))

    def _more(self) -> bool:
        """Return whether something was not shown yet; words may fit less than wishes count."""
        state, retriever = self.state, self.retriever
        if not _left(retriever, state.need, {*state.shown, *state.need.rejected}):
            return False
        if not free_wishes(state.need):
            return True
        found = recommend(retriever, state, k=1, exclude=state.shown, tongue=self.tongue)
        return bool(found.candidates) and not found.relaxations

    def _priced(self, price: Facet) -> bool:
        """Return whether there is a price to go below."""
        return any(item.number(price.name) is not None for item in self.items.values())

    def _leaves(self, press: Press) -> int:
        """Return how many items a press would leave that are not hidden."""
        facets = self.retriever.facets
        plan = plan_of(press, "", facets, self.tongue)
        need = apply(self.state, plan, self.items, facets).need
        return _left(self.retriever, need, need.rejected)

    def _reply(self, name: str, press: Press) -> QuickReply:
        words = say(f"quick.{name}", 0, self.tongue.code)
        return QuickReply(label=words, text=words, press=press)


def _left(retriever: Retriever, need: Need, gone: Collection[str]) -> int:
    """Return how many items fit a need, without those that are gone from it.

    What others are to be like is not among them.
    """
    wanted = on_facets(need, retriever.facets).filter()
    fitting = retriever.index.count(wanted)
    gone = {*gone, need.like.item_id} if need.like else gone
    return fitting - sum(matches(wanted, item) for item in retriever.get_many(sorted(gone)))
