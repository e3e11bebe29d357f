"""Off-policy estimates beside the simulated truth: does the interval hold it?

    python -m benchmarks.off_policy [--users N] [--replays N] [--slates N] [--seed N] [--out JSON]

Simulated users talk over the demo catalog; each turn with a slate becomes a context: its first ten
items and who looks at them. A replay draws contexts (whole sessions), slates by the exploring
policy and clicks by the user's behaviour, and estimates from these alone what other rankings of
the ten would earn. The truth is computed from the behaviour over all contexts. Two behaviours:
position-based clicks, which the estimators assume, and one choice a slate (the best item that was
looked at), which breaks the assumption. Prints a table, writes JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from agent.dialogue import Parts
from agent.exploring import Explore, place_chances, plackett_luce, strengths
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.recommend import recommend
from agent.store import Store
from finetune.experiments.off_policy import ESTIMATORS, Estimator, RankedLog, estimate
from finetune.simulator.play import play
from finetune.simulator.population import Population
from finetune.simulator.users import User, draw_users
from finetune.simulator.world import make_world
from retrieval.retriever import Retriever

ROOT = Path(__file__).parents[1]
HEAD, RANKS = 10, 5
SHARES = (0.1, 0.3, 1.0)
"""Share of the slates that are drawn by chance."""
NEEDED = 0.9
TASTE = Population(
    name="taste", slopes={"rating": 1.0}, taste={"material": {"wool": 0.8, "linen": 0.6}}, typos=0.0
)


@dataclass(frozen=True, slots=True)
class Context:
    """A turn with a slate: scores of its first items, and by item what its user thinks of it."""

    session: int
    scores: tuple[float, ...]
    attraction: tuple[float, ...]
    liked: tuple[float, ...]
    price: tuple[float, ...]
    eta: float


Order = Callable[[Context], Sequence[int]]
TARGETS: dict[str, Order] = {
    "the search's own order": lambda one: range(len(one.scores)),
    "by the shared taste": lambda one: sorted(range(len(one.liked)), key=lambda i: -one.liked[i]),
    "cheapest first": lambda one: sorted(range(len(one.price)), key=lambda i: one.price[i]),
}


def contexts(retriever: Retriever, users: int, seed: int) -> list[Context]:
    """Return the turns of simulated sessions as contexts."""
    found = []
    world = make_world(list(retriever.items()), retriever.facets, retriever.name)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/sessions.db")
        parts = Parts(store, retriever, Linker.build(retriever), RulePlanner(retriever.facets))
        people = {}
        for user in draw_users(world, TASTE, users, seed):
            people[play(parts, world, user).session] = user
        for number, session in enumerate(store.logged()):
            shown = [turn for turn in session.turns if session.slates and turn.state.slate]
            for turn in shown:
                made = recommend(retriever, turn.state, k=HEAD)
                if len(made.candidates) == HEAD:
                    found.append(context(number, people[session.id], made.candidates))
        store.close()
    return found


def context(number: int, user: User, candidates: Sequence[Any]) -> Context:
    """Return a context: what its user would make of each candidate."""
    items = [one.item for one in candidates]
    return Context(
        session=number,
        scores=tuple(one.score for one in candidates),
        attraction=tuple(user.relevance(item) ** 2 for item in items),
        liked=tuple(user.taste.of(item) for item in items),
        price=tuple(item.number("price") or 0.0 for item in items),
        eta=user.population.examine,
    )


def looked(one: Context) -> np.ndarray:
    """Return the chance that each rank is looked at, (RANKS,)."""
    chances: np.ndarray = np.arange(1, RANKS + 1, dtype=float) ** -one.eta
    return chances


def clicks(one: Context, items: Sequence[int], chance: np.random.Generator) -> np.ndarray:
    """Return position-based clicks: looked at, and attractive; each rank for itself."""
    attraction = np.array([one.attraction[i] for i in items])
    return (chance.random(RANKS) < looked(one) * attraction).astype(float)


def one_choice(one: Context, items: Sequence[int], chance: np.random.Generator) -> np.ndarray:
    """Return one choice: the most attractive item that was looked at, by its attraction."""
    seen = chance.random(RANKS) < looked(one)
    reward = np.zeros(RANKS)
    best = max(
        (r for r in range(RANKS) if seen[r]), key=lambda r: one.attraction[items[r]], default=-1
    )
    if best >= 0 and chance.random() < one.attraction[items[best]]:
        reward[best] = 1.0
    return reward


BEHAVIOURS = {"position-based clicks": clicks, "one choice a slate": one_choice}


def truth(found: Sequence[Context], order: Order, behaviour: str, draws: int = 200) -> float:
    """Return what a ranking earns per slate: exactly, or by many draws."""
    if behaviour == "position-based clicks":
        return float(np.mean([
            (looked(one) * np.array([one.attraction[i] for i in [*order(one)][:RANKS]])).sum()
            for one in found
        ]))  # fmt: skip
    chance = np.random.default_rng(99)
    return float(np.mean([
        one_choice(one, [*order(one)][:RANKS], chance).sum() for one in found for _ in range(draws)
    ]))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """A log: contexts, the places of their items that were shown, and what each rank earned."""

    contexts: list[int]
    groups: list[int]
    places: np.ndarray
    propensity: np.ndarray
    reward: np.ndarray


class Replays:
    """Logs drawn from the contexts under one exploring policy (`agent.exploring.Explore`)."""

    def __init__(self, found: Sequence[Context], share: float) -> None:
        self._found = found
        self._share = share
        self._weights = [strengths(one.scores, Explore(share).temperature) for one in found]
        # The policy's own chances, made once for each context rather than for each slate.
        self._chances = [np.array(place_chances(own, RANKS)) for own in self._weights]
        self._by_session: dict[int, list[int]] = {}
        for place, one in enumerate(found):
            self._by_session.setdefault(one.session, []).append(place)

    def log(self, behaviour: str, slates: int, seed: int) -> Drawn:
        """Return a log of about so many slates, of whole sessions."""
        chance, rng = np.random.default_rng(seed), Random(seed)
        sessions = list(self._by_session)
        contexts: list[int] = []
        groups: list[int] = []
        group = 0
        while len(contexts) < slates:
            own = self._by_session[sessions[int(chance.integers(len(sessions)))]]
            contexts += own
            groups += [group] * len(own)
            group += 1
        places = np.array([self._draw(at, rng) for at in contexts])
        reward = np.array([
            BEHAVIOURS[behaviour](self._found[at], shown, chance)
            for at, shown in zip(contexts, places.tolist(), strict=True)
        ])  # fmt: skip
        return Drawn(contexts, groups, places, self._propensity(contexts, places), reward)

    def _draw(self, at: int, rng: Random) -> tuple[int, ...]:
        if rng.random() < self._share:
            return plackett_luce(self._weights[at], RANKS, rng)
        return tuple(range(RANKS))

    def _propensity(self, contexts: list[int], places: np.ndarray) -> np.ndarray:
        """Return (1 - share) * [the best one] + share * [its chance in a draw]; `same_chances`."""
        ranks = np.arange(RANKS)
        drawn = np.array(
            [self._chances[at][ranks, own] for at, own in zip(contexts, places, strict=True)]
        )
        mixed: np.ndarray = (1 - self._share) * (places == ranks) + self._share * drawn
        return mixed

    def beside(self, drawn: Drawn, order: Order) -> RankedLog:
        """Return a log beside a target ranking."""
        wanted = np.array([[*order(self._found[at])][:RANKS] for at in drawn.contexts])
        mean = drawn.reward.mean(axis=0)
        n = len(drawn.contexts)
        return RankedLog(
            drawn.propensity, (wanted == drawn.places).astype(float), drawn.reward,
            np.array(drawn.groups), np.ones(n), np.tile(mean, (n, 1)), np.full(n, mean.sum()),
        )  # fmt: skip


def same_chances(found: Sequence[Context], share: float) -> bool:
    """Return whether the chances written down here are those that the policy itself gives."""
    made, rng = Replays(found[:5], share), Random(1)
    for at, one in enumerate(found[:5]):
        drawn = Explore(share, head=HEAD).draw(one.scores, RANKS, rng)
        ours = made._propensity([at], np.array([drawn.places]))[0]
        if not np.allclose(ours, drawn.propensities):
            return False
    return True


def measure(
    found: Sequence[Context], share: float, behaviour: str, replays: int, slates: int
) -> list[dict[str, Any]]:
    """Return how often each estimator's interval held the truth, for each target."""
    made = Replays(found, share)
    seen: dict[tuple[str, Estimator], list[Any]] = {}
    for seed in range(replays):
        drawn = made.log(behaviour, slates, seed)
        for name, order in TARGETS.items():
            log = made.beside(drawn, order)
            for estimator in ESTIMATORS:
                seen.setdefault((name, estimator), []).append(estimate(log, estimator, seed=seed))
    rows = []
    for (name, estimator), all_ in seen.items():
        right = truth(found, TARGETS[name], behaviour)
        trusted = [one for one in all_ if one.trusted]
        told = trusted or all_
        rows.append({
            "share": share, "target": name, "behaviour": behaviour, "estimator": estimator,
            "truth": right, "mean": float(np.mean([one.value for one in told])),
            "held": float(np.mean([one.low <= right <= one.high for one in told])),
            "width": float(np.mean([one.high - one.low for one in told])),
            "trusted": len(trusted) / len(all_),
        })  # fmt: skip
    return rows


def main() -> None:
    """Run and print."""
    from ui import wiring
    from ui.settings import Settings

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--replays", type=int, default=200)
    parser.add_argument("--slates", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/off_policy.json")
    given = parser.parse_args()
    settings = Settings()
    with wiring.open_retriever(wiring.demo_project(settings), settings) as retriever:
        found = contexts(retriever, given.users, given.seed)
    print(f"{len(found)} contexts of {given.users} users; {given.replays} replays of about "
          f"{given.slates} slates")  # fmt: skip
    print(f"{'explored':>8}  {'target':<24} {'behaviour':<22} {'est.':<6}"
          f"{'truth':>7}{'mean':>7}{'held':>6}{'width':>7}{'trusted':>8}")  # fmt: skip
    rows = []
    for share in SHARES:
        assert same_chances(found, share)
        for behaviour in BEHAVIOURS:
            for row in measure(found, share, behaviour, given.replays, given.slates):
                rows.append(row)
                print(f"{share:>8g}  {row['target']:<24} {behaviour:<22} {row['estimator']:<6}"
                      f"{row['truth']:>7.3f}{row['mean']:>7.3f}{row['held']:>6.2f}"
                      f"{row['width']:>7.3f}{row['trusted']:>8.2f}", flush=True)  # fmt: skip
    config = {"users": given.users, "replays": given.replays, "slates": given.slates,
              "seed": given.seed, "contexts": len(found)}  # fmt: skip
    given.out.write_text(json.dumps({"config": config, "rows": rows}, indent=2) + "\n", "utf-8")
    for behaviour in BEHAVIOURS:
        for estimator in ESTIMATORS:
            held = [row["held"] for row in rows if row["estimator"] == estimator
                    and row["behaviour"] == behaviour and row["trusted"] >= 0.5]  # fmt: skip
            told = f"{np.mean(held):.1%}, at least {min(held):.1%} in each setting"
            print(f"{behaviour}, {estimator}: held the truth in {told} ({NEEDED:.0%} asked)")


if __name__ == "__main__":
    main()
