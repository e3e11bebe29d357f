"""Simulated users: each shops with both contestants, wanting, saying and looking at the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from finetune.contestant import Contestant
from finetune.errors import FinetuneError
from finetune.gate.bench import Bench, Opened
from finetune.gate.metrics import Mean, Readings
from finetune.gate.suite import Examine, NotMeasured
from finetune.gate.turns import parts_of
from finetune.simulator.outcomes import MEASURES
from finetune.simulator.play import play
from finetune.simulator.population import POPULATIONS
from finetune.simulator.users import User, draw_users
from finetune.simulator.world import World, make_world

MEASURED = ("success", "turns", "satisfaction", "violations")


def make(bench: Bench) -> SimulatorSuite:
    """Return the suite over the main catalog.

    Raises:
        NotMeasured: If its items have no facets that people could wish for.
    """
    catalog = bench.main
    try:
        facets = catalog.retriever.facets
        world = make_world(list(catalog.items.values()), facets, catalog.name)
    except FinetuneError as error:
        raise NotMeasured(str(error)) from error
    population = bench.population or POPULATIONS["plain"]
    users = draw_users(world, population, bench.users or bench.n(20, 150), bench.seed)
    return SimulatorSuite(bench, catalog, world, {user.name: user for user in users})


@dataclass(frozen=True, slots=True)
class SimulatorSuite:
    """One unit a user; one who names their target counts for nothing."""

    bench: Bench
    catalog: Opened
    world: World
    users: Mapping[str, User]
    name: str = "simulator"

    @property
    def units(self) -> tuple[str, ...]:
        """Return the users' names."""
        return tuple(self.users)

    def examiner(self, contestant: Contestant) -> Examine:
        """Return what lets a user shop with a contestant."""
        parts = parts_of(contestant, self.catalog, self.bench)

        def examine(unit: str) -> Readings:
            outcome = play(parts, self.world, self.users[unit])
            if outcome.leaked:
                return {}
            return {f"{self.name}.{name}": Mean(MEASURES[name](outcome)) for name in MEASURED}

        return examine
