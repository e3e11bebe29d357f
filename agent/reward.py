"""What an adapter learned, read off as a reward: how likely it makes an answer, beside the base.

DPO and KTO train log p_adapter(y|x) - log p_base(y|x), times beta, to be the reward of answer y to
prompt x (Rafailov et al. 2023, "Direct Preference Optimization", eq. 5, up to a term that all
answers to x share). Without training it is 0. This module does not know what is asked.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from agent.errors import ModelUnavailable
from prompts import Message


@runtime_checkable
class Scorer(Protocol):
    """A language model that says how likely it finds answers. Safe to call from threads."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    def score(
        self, messages: Sequence[Message], completions: Sequence[str], *, deadline_s: float = 30.0
    ) -> tuple[float, ...]:
        """Return the log-likelihood of each answer to the messages, in nats.

        Summed over its tokens, the one that ends the turn included.

        Raises:
            ModelUnavailable: If there is no result within `deadline_s` seconds.
            ContextOverflow: If messages and an answer are longer than the model takes.
        """
        ...


@dataclass(frozen=True, slots=True)
class ImplicitReward:
    """The reward that a tuned model stands for, in nats (not times beta).

    Args:
        base: The model it was tuned from, its reference.
    """

    tuned: Scorer
    base: Scorer

    @property
    def name(self) -> str:
        """The tuned model's name."""
        return self.tuned.name

    def rewards(
        self, messages: Sequence[Message], completions: Sequence[str], *, deadline_s: float = 30.0
    ) -> tuple[float, ...]:
        """Return log p_tuned - log p_base of each answer; raises like `Scorer.score`."""
        ends = time.monotonic() + deadline_s
        ours = self.tuned.score(messages, completions, deadline_s=deadline_s)
        left = ends - time.monotonic()
        if left <= 0:
            raise ModelUnavailable(f"no scores within {deadline_s:.3g} s")
        theirs = self.base.score(messages, completions, deadline_s=left)
        found = tuple(a - b for a, b in zip(ours, theirs, strict=True))
        if not all(map(math.isfinite, found)):
            raise ModelUnavailable("the scores are no finite numbers")
        return found


class ScriptedScorer:
    """A scorer that is told its scores, for tests.

    Args:
        scores: From messages and an answer to its log-likelihood; an exception is raised instead.
    """

    def __init__(
        self,
        scores: Callable[[Sequence[Message], str], float | Exception],
        name: str = "scripted",
    ) -> None:
        self.name = name
        self.history: list[tuple[tuple[Message, ...], tuple[str, ...]]] = []
        self._scores = scores

    def score(
        self, messages: Sequence[Message], completions: Sequence[str], *, deadline_s: float = 30.0
    ) -> tuple[float, ...]:
        """Return the score of each answer."""
        self.history.append((tuple(messages), tuple(completions)))
        found = []
        for completion in completions:
            score = self._scores(messages, completion)
            if isinstance(score, Exception):
                raise score
            found.append(score)
        return tuple(found)
