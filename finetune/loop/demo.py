"""The loop shown on simulated users: a taste the base does not know, learned round by round.

    report = demo(setting, contestants)

For each seed an empty registry; each round, new people use what is live, some slates explore, their
feedback becomes pairs, an adapter, a verdict, and a promotion or not. Fresh people, the same for
the base and for every round, then say whether it got better: user by user, with intervals. None of
them were ever learned from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.exploring import Explore
from agent.store import Store
from finetune.contestant import Contestant
from finetune.events.caps import TIMELESS
from finetune.gate import Thresholds, evaluate_gate
from finetune.gate.faults import FAULTS, spoiled
from finetune.loop.rounds import Learner, MakeContestant, Round, run_round, write_json
from finetune.loop.rounds import rounds as rounds_of
from finetune.pairs.make import PairsConfig
from finetune.preference.dpo import DPOConfig
from finetune.registry import BASE, Registry
from finetune.simulator import Outcome, Outcomes, Population, simulate
from finetune.simulator.outcomes import MEASURES
from finetune.simulator.population import SLANG
from retrieval.metrics import Estimate, mean_interval, paired_bootstrap
from retrieval.retriever import Retriever

SHOWN = ("success", "turns", "satisfaction")
FRESH, GATE = 1_000_000, 2_000_000
"""Seeds of the people who are measured on, and of the gate's, start here; those of the people who
are learned from are small."""

TASTE = Population(
    name="demo taste",
    patience=(2, 4),
    wishes=(0, 1),
    margin=0.2,
    alike=0.1,
    sharpness=6.0,
    examine=1.0,
    spread=0.05,
    taste={
        "style": {"classic": -0.5, "casual": -0.5, "boho": 0.5, "sporty": 0.5,
                  "scandinavian": 0.5, "modern": 0.3},
        "material": {"cotton": -0.4, "polyester": -0.4, "plastic": -0.4, "wool": 0.4,
                     "linen": 0.4, "leather": 0.4},
    },
    dialect=SLANG,
    speaks=0.3,
)  # fmt: skip
"""People who, whatever they ask for, like some styles and materials better; and talk some slang."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How large the demonstration is.

    Args:
        teachers: People whose feedback each round learns from.
        testers: Fresh people that the base and every round are measured on, per seed.
        judges: Simulated users of the gate, others than all of these.
        explore: Share of slates that are drawn by chance while people teach.
    """

    rounds: int = 3
    seeds: tuple[int, ...] = (0, 1, 2)
    teachers: int = 150
    testers: int = 120
    explore: float = 0.3
    population: Population = TASTE
    judges: int = 60
    small_gate: bool = True
    least_pairs: int = 40


SMALL = Setting(rounds=1, seeds=(0,), teachers=120, testers=60, judges=40)
"""One round that fits into a test run."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What fresh people made of the base and of one state of the loop."""

    round: int
    live: str
    outcomes: Outcomes


@dataclass(frozen=True, slots=True)
class Run:
    """The rounds of one seed.

    Args:
        base: Fresh people with the base.
        after: The same people after each round.
    """

    seed: int
    base: Outcomes
    rounds: tuple[Round, ...]
    after: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Shop:
    """What the demonstration runs over.

    Args:
        contestant: Makes what is measured and taught by: the base, or it with an adapter.
        training: How adapters are trained, but for the seed.
    """

    retriever: Retriever
    base: str
    contestant: MakeContestant
    training: DPOConfig
    thresholds: Thresholds | None = None


Told = Callable[[str], None]


def demo(
    setting: Setting, shop: Shop, work: Path, *, tell: Told = lambda text: None,
    progress: bool = False,
) -> list[Run]:  # fmt: skip
    """Run the loop for each seed; an interrupted demonstration goes on from its last round.

    Args:
        work: Folder for stores, rounds and registries.
        tell: Gets a line for each thing that happened.
    """
    return [_run(setting, shop, seed, work / f"seed-{seed}", tell, progress)
            for seed in setting.seeds]  # fmt: skip


def _run(setting: Setting, shop: Shop, seed: int, work: Path, tell: Told, progress: bool) -> Run:
    work.mkdir(parents=True, exist_ok=True)
    with Registry(work / "adapters", who="attune loop demo") as registry:
        learner = Learner(
            work / "rounds", shop.retriever, registry, shop.base, shop.contestant,
            pairs=PairsConfig(least=setting.least_pairs, seed=seed),
            config=replace(shop.training, seed=seed), limits=TIMELESS, thresholds=shop.thresholds,
            population=setting.population, users=setting.judges, small=setting.small_gate,
            seed=GATE + seed, progress=progress,
        )  # fmt: skip
        base = _measure(
            setting, shop, shop.contestant(BASE, None), seed, work / "base.db", progress
        )
        tell(f"seed {seed}, base: {summary(base)}")
        rounds, after = list[Round](), list[Measured]()
        for number in range(1, setting.rounds + 1):
            rounds.append(_round(setting, shop, learner, seed, number, work, progress))
            tell(f"seed {seed}, round {number}: {rounds[-1].ending}: {rounds[-1].reasons[0]}")
            live = _live(shop, registry, rounds)
            done = _measure(setting, shop, live, seed, work / f"after-{number}.db", progress)
            after.append(Measured(number, live.name, done))
            tell(f"seed {seed}, after round {number}: {summary(done)}")
    return Run(seed, base, tuple(rounds), tuple(after))


def _live(shop: Shop, registry: Registry, done: Sequence[Round]) -> Contestant:
    """Return what is live after some rounds."""
    names = [one.adapter for one in done if one.promoted]
    if not names or names[-1] is None:
        return shop.contestant(BASE, None)
    return shop.contestant(names[-1], registry.get(names[-1]).folder)


def _round(
    setting: Setting, shop: Shop, learner: Learner, seed: int, number: int, work: Path,
    progress: bool,
) -> Round:  # fmt: skip
    """Let new people use what is live, and learn from them; a round that has ended is read."""
    ended = rounds_of(learner.folder)
    if number <= len(ended):
        return ended[number - 1]
    store = _fresh(work / f"teachers-{number}.db")
    try:
        simulate(
            _live(shop, learner.registry, ended), shop.retriever, store, setting.population,
            setting.teachers, 1000 * seed + number, policy=Explore(setting.explore),
            progress=progress,
        )  # fmt: skip
        return run_round(learner, store.logged())
    finally:
        store.close()


def _measure(
    setting: Setting, shop: Shop, contestant: Contestant, seed: int, path: Path, progress: bool
) -> Outcomes:
    """Return what fresh people make of a contestant; asked once, and kept beside the store."""
    kept = path.with_suffix(".json")
    if kept.is_file():
        found = _read(kept)
        if (found.name, len(found.users)) == (contestant.name, setting.testers):
            return found
    store = _fresh(path)
    try:
        outcomes = simulate(
            contestant, shop.retriever, store, setting.population, setting.testers, FRESH + seed,
            progress=progress,
        )  # fmt: skip
    finally:
        store.close()
    write_json(kept, asdict(_bare(outcomes)))
    return outcomes


def _bare(outcomes: Outcomes) -> Outcomes:
    users = tuple(replace(one, transcript=()) for one in outcomes.users)
    return replace(outcomes, users=users)


def _read(path: Path) -> Outcomes:
    values = json.loads(path.read_text("utf-8"))
    users = tuple(Outcome(**{**one, "transcript": ()}) for one in values["users"])
    return Outcomes(**{**values, "users": users})


def _fresh(path: Path) -> Store:
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    return Store(f"sqlite:///{path.absolute()}")


def summary(outcomes: Outcomes) -> str:
    """Return the measures shown, in one line."""
    return ", ".join(f"{name} {outcomes.estimates()[name].mean:.3g}" for name in SHOWN)


def refused_faults(shop: Shop, seed: int = 0, progress: bool = False) -> dict[str, bool]:
    """Return which seeded regressions of the base the gate refuses, for something it measured."""
    base, found = shop.contestant(BASE, None), dict[str, bool]()
    for fault in FAULTS:
        verdict = evaluate_gate(
            base, spoiled(base, fault), shop.retriever, small=True, seed=GATE + seed,
            progress=progress,
        )  # fmt: skip
        found[fault] = not verdict.promote and bool(verdict.caught_by)
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """A measure before and after a round, over the same people of all seeds."""

    round: int
    measure: str
    before: Estimate
    after: Estimate
    difference: Estimate
    by_seed: Mapping[int, float] = field(default_factory=dict)

    @property
    def improved(self) -> bool:
        """Whether the interval of the difference lies on the good side of 0."""
        better = -self.difference.high if self.measure == "turns" else self.difference.low
        return better > 0


def changes(runs: Sequence[Run]) -> list[Change]:
    """Return how each measure stands after each round, beside the base, over all seeds."""
    found = []
    for place in range(min(len(run.after) for run in runs)):
        both = {run.seed: _pairs(run.base, run.after[place].outcomes) for run in runs}
        for name in SHOWN:
            of = MEASURES[name]
            before = [of(base) for pairs in both.values() for base, _ in pairs]
            after = [of(now) for pairs in both.values() for _, now in pairs]
            own = {
                seed: sum(of(now) - of(base) for base, now in pairs) / len(pairs)
                for seed, pairs in both.items()
            }
            found.append(Change(
                place + 1, name, mean_interval(before), mean_interval(after),
                paired_bootstrap(after, before), own,
            ))  # fmt: skip
    return found


def _pairs(base: Outcomes, now: Outcomes) -> list[tuple[Outcome, Outcome]]:
    after = {one.user: one for one in now.counted}
    return [(one, after[one.user]) for one in base.counted if one.user in after]


def to_json(setting: Setting, runs: Sequence[Run], refused: Mapping[str, bool]) -> dict[str, Any]:
    """Return the demonstration as plain JSON values.

    Args:
        refused: Seeded regression to whether the gate refused it.
    """
    made = changes(runs)
    last = {one.measure: one for one in made if one.round == made[-1].round}
    return {
        "rounds": setting.rounds,
        "seeds": list(setting.seeds),
        "n": sum(len(run.base.counted) for run in runs),
        "success_before": last["success"].before.to_json(),
        "success_after": last["success"].after.to_json(),
        "turns_before": last["turns"].before.to_json(),
        "turns_after": last["turns"].after.to_json(),
        "improved": {name: one.improved for name, one in last.items()},
        "promoted": sum(round.promoted for run in runs for round in run.rounds),
        "regressions_refused": f"{sum(refused.values())}/{len(refused)}",
        "regressions": dict(refused),
        "changes": [
            {
                "round": one.round, "measure": one.measure, "before": one.before.to_json(),
                "after": one.after.to_json(), "difference": one.difference.to_json(),
                "by_seed": {str(seed): round(value, 4) for seed, value in one.by_seed.items()},
            }
            for one in made
        ],
        "runs": [
            {"seed": run.seed, "rounds": [one.to_json() for one in run.rounds],
             "live": [one.live for one in run.after]}
            for run in runs
        ],
        "config": {
            "teachers": setting.teachers, "testers": setting.testers, "explore": setting.explore,
            "population": setting.population.name,
        },
    }  # fmt: skip
