"""How a contestant behaves on everyday turns: what it refuses, shows, falls back on and takes.

Turns are made from the catalog: a kind of item in everyday words, mostly with something that is not
wanted. What is shown most is counted over all of them, so that a contestant in love with one brand
shows, and what is not wanted must never come.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from agent.dialogue import Parts
from agent.turn import Done
from finetune.contestant import Contestant
from finetune.critiques.phrasing import speakable
from finetune.gate.bench import Bench, Opened
from finetune.gate.metrics import Counts, Mean, Reading, Readings
from finetune.gate.suite import Examine, NotMeasured
from finetune.gate.turns import parts_of, take
from finetune.simulator.reading import violations
from retrieval.catalog import Facet, Item, Role, primary
from retrieval.filters import TEXT, fold

OPENINGS = (
    "{k} for my nephew's birthday", "i could use some {k}", "any {k} you would recommend?",
    "{k}, nothing fancy", "show me {k}",
)  # fmt: skip
REFUSALS = (
    "{k} but please no {v}", "i want {k}, just spare me {v}", "{k}, anything except {v}",
    "{k}. definitely not {v}, i really can't stand it", "need {k} for a friend, without {v} though",
    "{k} that are not {v}",
)  # fmt: skip
LEAST = 3
"""Items of a kind, so that something is left when a value is ruled out."""

NO_PLAN = "its answer was no plan"
"""How planners begin the reason of a fallback where the model's answer was not usable."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One everyday turn; `facet` and `value` are what is not wanted, where something is."""

    text: str
    facet: str = ""
    value: str = ""


def make(bench: Bench) -> BehaviourSuite:
    """Return the suite over the main catalog.

    Raises:
        NotMeasured: If the catalog has no kinds of items that people could ask for.
    """
    catalog, random = bench.main, Random(f"behaviour {bench.seed}")
    kinds = _kinds(catalog)
    if not kinds:
        raise NotMeasured(f"{catalog.name!r} has no category with {LEAST} items that can be named")
    turns = [
        _turn(random, kinds, catalog, refuse=place % 3 > 0) for place in range(bench.n(45, 240))
    ]
    return BehaviourSuite(bench, catalog, {f"{n}": turn for n, turn in enumerate(turns, start=1)})


def _kinds(catalog: Opened) -> dict[str, list[Item]]:
    """Return the items of each kind that people can name."""
    facet = primary(catalog.retriever.facets, "category")
    found: dict[str, list[Item]] = {}
    for item in catalog.items.values() if facet else ():
        for value in item.values(facet.name) if facet else ():
            if speakable(str(value)):
                found.setdefault(str(value), []).append(item)
    return {kind: items for kind, items in found.items() if len(items) >= LEAST}


def _turn(
    random: Random, kinds: Mapping[str, list[Item]], catalog: Opened, *, refuse: bool
) -> Turn:
    kind = random.choice(sorted(kinds))
    unwanted = _unwanted(random, kinds[kind], catalog.retriever.facets) if refuse else None
    if unwanted is None:
        return Turn(random.choice(OPENINGS).format(k=kind.lower()))
    facet, value = unwanted
    return Turn(random.choice(REFUSALS).format(k=kind.lower(), v=value), facet.name, value)


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
            }
            if done.slate.items:
                broken = violations(done, self.catalog.items)
                own["behaviour.broken_constraints"] = Mean(float(broken), len(done.slate.items))
            for name, facet in shown_by.items():
                if facet is not None:
                    own[name] = Counts(Counter(str(v) for i in items for v in i.values(facet.name)))
            return own

        return examine


_SHOWN: Mapping[str, Role] = {
    "behaviour.top_brand": "brand",
    "behaviour.brand_gini": "brand",
    "behaviour.category_gini": "category",
}


def _timed(parts: Parts, text: str) -> tuple[Done, float]:
    session = parts.store.create_session()
    began = time.perf_counter()
    done = take(parts, session, text)
    return done, time.perf_counter() - began


def _planning(done: Done) -> dict[str, Reading]:
    """Return whether the model's plan was one and was taken, where the model was asked."""
    fallback = done.plan.fallback
    if done.planner != "llm" and not fallback:
        return {}
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
