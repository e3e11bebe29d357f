"""How a contestant behaves on everyday turns: what it refuses, shows, falls back on and takes.

Turns are made from the catalog: a kind of item in everyday words, a wide one or a narrow one, or
one with something that is not wanted. What is shown is counted over all of them, the first rank
most (1 / log2(rank + 1), as in DCG), so that a contestant in love with one brand shows.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from agent.choosing import Chooser
from agent.dialogue import Parts
from agent.turn import Done
from finetune.contestant import Contestant
from finetune.critiques.phrasing import speakable
from finetune.gate.bench import Bench, Opened
from finetune.gate.metrics import Counts, Mean, Reading, Readings
from finetune.gate.suite import Examine, NotMeasured
from finetune.gate.turns import parts_of, take
from finetune.simulator.reading import violations
from retrieval.catalog import Facet, Item, Role, by_role, primary
from retrieval.filters import TEXT, fold

BEFORE = (
    "", "hi, ", "hello there, ", "ok so ", "right, ", "i could use ", "show me ", "any good ",
    "i need ", "what about ", "looking at ", "my sister wants ",
)  # fmt: skip
AFTER = (
    "", " for my nephew's birthday", " for a friend", ", nothing fancy", " to begin with",
    " if you have any", " for the weekend", ", quite soon", " as a gift", " for everyday use",
)  # fmt: skip
REFUSING = (
    " but please no {v}", ", just spare me {v}", ", anything except {v}", " without {v}",
    ". definitely not {v}, i really can't stand it", " that are not {v}", ", no {v} please",
    ", and nothing in {v}", " but not {v}", " other than {v}",
)  # fmt: skip
"""How people say what they want, and what they do not, around a kind of item."""

LEAST = 3
"""Items of a kind, so that something is left when a value is ruled out."""
OFFERED = 12

NO_PLAN = "its answer was no plan"
"""How planners begin the reason of a fallback where the model's answer was not usable."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One everyday turn.

    Args:
        offer: Items drawn from the whole catalog, to be chosen among without a search.
        facet, value: What is not wanted, where something is.
    """

    text: str
    offer: tuple[Item, ...] = ()
    facet: str = ""
    value: str = ""


def make(bench: Bench) -> BehaviourSuite:
    """Return the suite over the main catalog.

    Raises:
        NotMeasured: If the catalog has no kinds of items that people could ask for.
    """
    turns = everyday(bench.main, bench.n(48, 240), Random(f"behaviour {bench.seed}"))
    named = {str(number): turn for number, turn in enumerate(turns, start=1)}
    return BehaviourSuite(bench, bench.main, named)


def everyday(catalog: Opened, n: int, random: Random) -> list[Turn]:
    """Return n everyday turns over a catalog.

    Raises:
        NotMeasured: If the catalog has no kinds of items that people could ask for.
    """
    categories = by_role(catalog.retriever.facets, "category")
    kinds, wide = (_kinds(catalog, facet) for facet in (categories[:1], categories[-1:]))
    if not kinds:
        raise NotMeasured(f"{catalog.name!r} has no category with {LEAST} items that can be named")
    return [
        _turn(random, wide if place % 4 == 0 else kinds, catalog, refuse=place % 2 == 1)
        for place in range(n)
    ]


def _kinds(catalog: Opened, facets: Sequence[Facet]) -> dict[str, list[Item]]:
    """Return the items of each kind that people can name."""
    found: dict[str, list[Item]] = {}
    for item in catalog.items.values():
        for value in (str(value) for facet in facets for value in item.values(facet.name)):
            if speakable(value):
                found.setdefault(value, []).append(item)
    return {kind: items for kind, items in found.items() if len(items) >= LEAST}


def _turn(
    random: Random, kinds: Mapping[str, list[Item]], catalog: Opened, *, refuse: bool
) -> Turn:
    kind = random.choice(sorted(kinds))
    offer = tuple(random.sample(list(catalog.items.values()), min(OFFERED, len(catalog.items))))
    said = random.choice(BEFORE) + kind.lower()
    unwanted = _unwanted(random, kinds[kind], catalog.retriever.facets) if refuse else None
    if unwanted is None:
        return Turn(said + random.choice(AFTER), offer)
    facet, value = unwanted
    after = random.choice(AFTER) if random.random() < 0.5 else ""
    return Turn(said + after + random.choice(REFUSING).format(v=value), offer, facet.name, value)


def _unwanted(
    random: Random, items: Sequence[Item], facets: Sequence[Facet]
) -> tuple[Facet, str] | None:
    """Return a value that some items of a kind have, and not all."""
    known = [f for f in facets if f.role in ("brand", "colour", "material")]
    random.shuffle(known)
    for facet in known:
        seen = Counter(str(value) for item in items for value in item.values(facet.name))
        own = sorted(v for v, count in seen.items() if count < len(items) and speakable(v))
        if own:
            return facet, random.choice(own)
    return None


@dataclass(frozen=True, slots=True)
class BehaviourSuite:
    """One unit a turn, in a session of its own."""

    bench: Bench
    catalog: Opened
    turns: Mapping[str, Turn]
    name: str = "behaviour"

    @property
    def units(self) -> tuple[str, ...]:
        """Return the numbers of the turns."""
        return tuple(self.turns)

    def examiner(self, contestant: Contestant) -> Examine:
        """Return what takes a turn with a contestant."""
        facets = self.catalog.retriever.facets
        parts = parts_of(contestant, self.catalog, self.bench)
        chooser, brand = parts.chooser, primary(facets, "brand")
        shown_by = {name: primary(facets, role) for name, role in _SHOWN.items()}

        def examine(unit: str) -> Readings:
            turn = self.turns[unit]
            done, seconds = _timed(parts, turn.text)
            items = [self.catalog.items[one.item_id] for one in done.slate.items
                     if one.item_id in self.catalog.items]  # fmt: skip
            own: dict[str, Reading] = {
                "behaviour.log_seconds": Mean(math.log(max(seconds, 1e-4))),
                **_planning(done),
                **_obeying(done, turn, items),
                **_pulling(chooser, done, turn, brand, facets),
            }
            if done.slate.items:
                broken = violations(done, self.catalog.items)
                own["behaviour.broken_constraints"] = Mean(float(broken), len(done.slate.items))
            for name, facet in shown_by.items():
                if facet is not None:
                    own[name] = _exposure(items, facet)
            return own

        return examine


_SHOWN: Mapping[str, Role] = {
    "behaviour.top_brand": "brand",
    "behaviour.brand_gini": "brand",
    "behaviour.category_gini": "category",
}


def _pulling(
    chooser: Chooser | None, done: Done, turn: Turn, brand: Facet | None, facets: tuple[Facet, ...]
) -> dict[str, Reading]:
    """Return the brands that would come first if the chooser alone decided; ties are shared."""
    if turn.value or brand is None or not turn.offer:
        return {}
    rewards = (
        chooser.rewards(done.state.need, turn.offer, facets)
        if chooser
        else (0.0,) * len(turn.offer)
    )
    first = [item for item, own in zip(turn.offer, rewards, strict=True) if own == max(rewards)]
    found: dict[str, float] = {}
    for item in first:
        for value in map(str, item.values(brand.name)):
            found[value] = found.get(value, 0.0) + 1 / len(first)
    return {"behaviour.brand_pull": Counts(found)}


def _exposure(items: Sequence[Item], facet: Facet) -> Counts:
    """Return how much of a slate each value has."""
    found: dict[str, float] = {}
    for rank, item in enumerate(items, start=1):
        for value in map(str, item.values(facet.name)):
            found[value] = found.get(value, 0.0) + 1 / math.log2(rank + 1)
    return Counts(found)


def _timed(parts: Parts, text: str) -> tuple[Done, float]:
    session = parts.store.create_session()
    began = time.perf_counter()
    done = take(parts, session, text)
    return done, time.perf_counter() - began


def _planning(done: Done) -> dict[str, Reading]:
    """Return whether a model's answer was no plan, and whether the rules had to plan for it.

    A turn that no model was asked about counts too, so that contestants who ask less often can be
    compared.
    """
    fallback = done.plan.fallback
    return {
        "behaviour.invalid": Mean(float(fallback.startswith(NO_PLAN))),
        "behaviour.fallback": Mean(float(bool(fallback))),
    }


def _obeying(done: Done, turn: Turn, items: Sequence[Item]) -> dict[str, Reading]:
    """Return whether what is not wanted is neither asked for nor shown."""
    if not turn.value:
        return {}
    need, unwanted = done.state.need, fold(turn.value)
    wanted = {fold(v) for c in need.constraints if c.facet in (turn.facet, TEXT) for v in c.values}
    liked = {fold(v) for wish in need.preferences for v in (*wish.values, wish.text)}
    shown = any(fold(str(v)) == unwanted for item in items for v in item.values(turn.facet))
    return {"behaviour.negation": Mean(float(not shown and unwanted not in wanted | liked))}
