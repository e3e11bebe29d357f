"""Feedback held out: whether a contestant prefers the chosen answer of a pair.

What is asked is the implicit reward by which serving orders items and decides between plans
(`agent.reward`), on the very messages of serving. Without an adapter it is 0 for every answer, and
a pair counts one half: nothing is preferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from agent.errors import ModelError
from agent.reward import ImplicitReward
from agent.reward_chooser import RewardChooser
from agent.voice import Voice
from finetune.contestant import Contestant
from finetune.gate.bench import Bench, Opened
from finetune.gate.metrics import Mean, Readings
from finetune.gate.suite import Examine, NotMeasured
from finetune.pairs.rows import Pair, read_pairs

HELD = "held.jsonl"
DEADLINE_S = 30.0


def make(bench: Bench) -> HeldSuite:
    """Return the suite over the pairs held out.

    Raises:
        NotMeasured: If no pairs were given, or none is held out.
        DataError: If their file is damaged.
    """
    if bench.pairs is None:
        raise NotMeasured("no pairs were given; name their folder with --pairs")
    path = bench.pairs / HELD
    if not path.is_file() or not path.stat().st_size:
        raise NotMeasured(f"{bench.pairs.name!r} holds no pair out: there is no {HELD}")
    pairs, most = read_pairs(path), bench.n(80, 500)
    if len(pairs) > most:
        pairs = Random(f"held {bench.seed}").sample(pairs, most)
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.user or pair.session or pair.id, []).append(pair)
    return HeldSuite(bench.main, groups)


def reward_of(voice: Voice) -> ImplicitReward | None:
    """Return what a voice prefers answers by; None where it has learned nothing."""
    return voice.chooser.reward if isinstance(voice.chooser, RewardChooser) else None


@dataclass(frozen=True, slots=True)
class HeldSuite:
    """One unit a user, or a session where there is none: their pairs hang together."""

    catalog: Opened
    groups: Mapping[str, list[Pair]]
    name: str = "held"

    @property
    def units(self) -> tuple[str, ...]:
        """Return the keys of the users."""
        return tuple(self.groups)

    def examiner(self, contestant: Contestant) -> Examine:
        """Return what asks a contestant about the pairs of a user."""
        reward = reward_of(contestant.voice(self.catalog.retriever))

        def examine(unit: str) -> Readings:
            pairs = self.groups[unit]
            won = sum(_preferred(pair, reward) for pair in pairs)
            return {"held.preferred": Mean(won, float(len(pairs)))}

        return examine


def _preferred(pair: Pair, reward: ImplicitReward | None) -> float:
    """Return 1 where the chosen answer has the higher reward, 0.5 where both have the same."""
    if reward is None:
        return 0.5
    answers = (pair.chosen, pair.rejected)
    try:
        chosen, rejected = reward.rewards(pair.prompt, answers, deadline_s=DEADLINE_S)
    except ModelError:
        return 0.5
    return 0.5 if chosen == rejected else float(chosen > rejected)
