"""How sure a passage answers a question: a small logistic model over what both have in common.

The weights are fitted by `finetune.knowledge_fit` and shipped as `weights.toml`. They are for the
similarities of one encoder; for others there is a model that looks at words only.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


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
            weight * features[name] for name, weight in self.weights.items()
        )  # fmt: skip
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


@dataclass(frozen=True, slots=True)
class Models:
    """What is decided with one encoder: is a question answered, is a clause about the service."""

    answers: Logistic
    relevant: Logistic


@cache
def models_for(encoder: str) -> Models:
    """Return the models for an encoder: its own, or those that only look at words."""
    text = (files("agent.knowledge") / "weights.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    own = data["encoders"].get(encoder, data["words"])
    return Models(_logistic(own["answers"]), _logistic(own["relevant"]))


def _logistic(data: Mapping[str, float | Mapping[str, float]]) -> Logistic:
    weights, bias, threshold = data["weights"], data["bias"], data["threshold"]
    assert isinstance(weights, Mapping)
    assert isinstance(bias, float)
    assert isinstance(threshold, float)
    return Logistic(dict(weights), bias, threshold)
