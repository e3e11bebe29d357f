"""What a user does with a slate besides talking: looks, clicks, dwells, rejects, takes, rates.

Looking follows a position-based model: an item at rank r is looked at with chance r ** -eta,
whatever it is (Richardson et al. 2007; Joachims et al. 2017); what happens then depends on the item
alone. Knows no store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from agent.feedback import FeedbackEvent, Kind
from finetune.simulator.speech import Move
from finetune.simulator.users import User
from retrieval.catalog import Item

_CLICKED = 0.65
"""Relevance above which a looked at item is attractive."""
_CLICKS = 0.6
_REJECTS = 0.15
_CRITIQUES = 0.3
_BUYS = 0.5
_TICK = timedelta(microseconds=1)


def looked_at(user: User, shown: Sequence[Item], turn: int) -> list[tuple[int, Item]]:
    """Return ranks and items that a user looks at; the same ranks of a turn for any system."""
    eta = user.population.examine
    return [
        (rank, item)
        for rank, item in enumerate(shown, start=1)
        if Random(f"{user.name} look {turn} {rank}").random() < rank**-eta
    ]


@dataclass(frozen=True, slots=True)
class Deed:
    """One event to be: what is done with which item (None: the slate)."""

    kind: Kind
    item_id: str | None
    value: float | str | None = None


def browsing(user: User, looked: Sequence[tuple[int, Item]], turn: int) -> list[Deed]:
    """Return the clicks, with their dwell, and rejections of what was looked at."""
    deeds: list[Deed] = []
    for rank, item in looked:
        random = Random(f"{user.name} click {turn} {rank}")
        relevance = user.relevance(item)
        if relevance > _CLICKED and random.random() < _CLICKS:
            seconds = round(random.lognormvariate(1.0 + 2.0 * relevance, 0.6), 1)
            deeds += [Deed("click", item.id), Deed("dwell", item.id, min(seconds, 600.0))]
        elif relevance < _CLICKED and random.random() < _REJECTS:
            deeds.append(Deed("reject", item.id))
    return deeds


def critique(user: User, looked: Sequence[tuple[int, Item]], move: Move, text: str) -> list[Deed]:
    """Return the critique of the first looked at item that breaks the wish told next, if any."""
    wish = move.wishes[0] if move.wishes and move.kind in ("want", "avoid", "below") else None
    broken = [item for _, item in looked if wish is not None and not wish.met(item)]
    if not broken or Random(f"{user.name} critique {text}").random() > _CRITIQUES:
        return []
    return [Deed("critique", broken[0].id, text)]


def taking(user: User, item: Item, stars: float, turn: int) -> list[Deed]:
    """Return what is done with an item that is taken."""
    random = Random(f"{user.name} take {turn}")
    deeds = [Deed("click", item.id), Deed("select", item.id)]
    if random.random() < _BUYS:
        deeds.append(Deed("purchase", item.id, item.number("price")))
    return [*deeds, Deed("rating", item.id, float(round(stars)))]


def events(deeds: Sequence[Deed], slate_id: str, consent: bool) -> list[FeedbackEvent]:
    """Return deeds as events of now, each after the one before; none is in the future."""
    time = datetime.now(UTC) - len(deeds) * _TICK
    return [
        FeedbackEvent(
            slate_id=slate_id, item_id=deed.item_id, kind=deed.kind, value=deed.value,
            consent=consent, time=time + place * _TICK,
        )
        for place, deed in enumerate(deeds)
    ]  # fmt: skip
