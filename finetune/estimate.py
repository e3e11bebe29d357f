"""What a run would cost, before it is started: tokens, steps, and time from a few real steps.

Nothing is trained that stays: the steps run on a throw-away adapter in memory.
"""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

from finetune.lora import Trainable, steps
from finetune.sft_config import SFTConfig

TIMED = 3
"""Steps that are timed, after a first one that warms up and holds the longest examples."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would take; without evaluations, and on one device."""

    tokens: int
    learned: int
    longest: int
    steps: int
    seen: int
    tokens_per_second: float
    measured: bool

    @property
    def seconds(self) -> float:
        """How long the steps would take."""
        return self.seen / self.tokens_per_second


def estimate(prepared: Trainable, tokens_per_second: float | None = None) -> Estimate:
    """Return what a run would take.

    Args:
        tokens_per_second: Speed, if known; else the base is loaded and a few steps are timed,
            the longest examples among them, so that too little memory shows now.
    """
    config = prepared.config
    tokens, needed = sum(one.tokens for one in prepared.train), steps(config, len(prepared.train))
    per_step = config.batch_size * config.accumulation * tokens / len(prepared.train)
    seen = config.epochs * tokens if config.max_steps is None else needed * per_step
    return Estimate(
        tokens=tokens,
        learned=sum(one.learned for one in prepared.train),
        longest=max(one.longest for one in prepared.train),
        steps=needed,
        seen=round(seen),
        tokens_per_second=tokens_per_second or measure(prepared),
        measured=not tokens_per_second,
    )


def measure(prepared: Trainable) -> float:
    """Return the tokens per second of a few training steps."""
    config = replace(prepared.config, epochs=1, max_steps=TIMED + 1, report_to=())
    if isinstance(config, SFTConfig):
        config = replace(config, packing=False)
    size = config.batch_size * config.accumulation
    by_length = sorted(prepared.train, key=lambda one: -one.tokens)
    rest = random.Random(config.seed).sample(prepared.train, len(prepared.train))
    first = list(islice(cycle(by_length), size))
    timed = list(islice(cycle(rest), size * TIMED))
    trial = replace(prepared, config=config, train=first + timed, held=[])
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        timing = trial.training(Path(folder), stepped=lambda: ends.append(time.perf_counter()))
        timing.steps()
    seen: int = sum(one.tokens for one in timed)
    return seen / (ends[-1] - ends[0])
