"""Which passage answers, and how sure: small linear models over what question and passage share.

The weights are fitted by `benchmarks/knowledge_fit.py` and shipped as `weights.toml`. They are for
the similarities of one encoder; for all others there are models that look at words only.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Logistic:
    """p = 1 / (1 + exp(-(bias + weights · features))).

    Args:
        threshold: From which probability on the answer is yes.
    """

    weights: Mapping[str, float]
    bias: float
    threshold: float

    def score(self, features: Mapping[str, float]) -> float:
        """Return the probability for a set of features; those without a weight do not count."""
        total = self.bias + sum(
            weight * features.get(name, 0.0) for name, weight in self.weights.items()
        )  # fmt: skip
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))

    def centred(self, features: Mapping[str, float]) -> float:
        """Return the probability as it would be if the threshold were one half."""
        odds = self.threshold / (1.0 - self.threshold)
        found = self.score(features)
        return found / (found + odds * (1.0 - found))


NEVER = Logistic({}, -30.0, 0.5)
"""Says no to everything."""


@dataclass(frozen=True, slots=True)
class Models:
    """What is decided with one encoder.

    Args:
        ranks: What each feature counts for one passage against another.
        answers: Whether the best passage answers the question.
        relevant: Whether a clause is about the service and not about items.
        by_meaning: Whether the vectors of the encoder are looked at.
        offers: From which score of `answers` on pages are offered instead of an answer.
    """

    ranks: Mapping[str, float]
    answers: Logistic
    relevant: Logistic
    by_meaning: bool
    offers: float = 1.0

    def rank(self, features: Mapping[str, float]) -> float:
        """Return how a passage ranks among those of one question."""
        return sum(weight * features.get(name, 0.0) for name, weight in self.ranks.items())


@cache
def models_for(encoder: str) -> Models:
    """Return the models for an encoder: its own, or those that only look at words."""
    text = (files("agent.knowledge") / "weights.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    known = encoder in data["encoders"]
    own = data["encoders"][encoder] if known else data["words"]
    answers, relevant = logistic(own["answers"]), logistic(own["relevant"])
    return Models(own["ranks"], answers, relevant, known, own["answers"]["offers"])


def logistic(data: Mapping[str, Any]) -> Logistic:
    """Return a model as its weights are written."""
    return Logistic(data["weights"], data["bias"], data["threshold"])
