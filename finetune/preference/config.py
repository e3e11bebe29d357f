"""How preferences are learned: what DPO and KTO have beyond what every run has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from finetune.errors import TrainingError
from finetune.sft_config import TuneConfig, told

Loss = Literal["sigmoid", "softmax"]
Reference = Literal["base", "none"]

BETA = 0.1
BETA_FREE = 2.0
"""Scale of mean log-probabilities without a reference, as SimPO's authors have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceConfig(TuneConfig):
    """What both methods share; defaults are for the house model."""

    learning_rate: float = told(1e-3, "Highest learning rate; cosine after it.", 1e-8, 1)
    dropout: float = told(0.0, "Dropout before the LoRA matrices.", 0, 0.9)
    epochs: float = told(3.0, "How often each row is seen.", 0.001, 1000)
    batch_size: int = told(16, "Rows at once on each device.", 1, 4096)
    accumulation: int = told(1, "Batches whose gradients make one step.", 1, 4096)
    max_length: int = told(1024, "Longest prompt with answer in tokens.", 8, 10**6)
    warmup: float = told(0.1, "Share of the steps in which the learning rate rises.", 0, 0.9)
    eval_share: float = told(0.0, "Share of the rows held out, where no file of them is.", 0, 0.5)
    evals_per_epoch: int = told(1, "Checkpoints in an epoch.", 1, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class DPOConfig(PreferenceConfig):
    """How to train on pairs.

    Args:
        loss: "sigmoid" is DPO's (Rafailov et al. 2023); "softmax" weighs the chosen answer against
            all rejected ones at once (S-DPO, Chen et al. 2024).
        reference: "base" is the model with the adapter off; "none" compares mean log-probabilities
            themselves, with a margin (SimPO, Meng et al. 2024).
        beta: Scale of rewards: 0.1, without a reference 2.
        sft_weight: Weight of the chosen answers' own log-likelihood (RPO, Pang et al. 2024).
    """

    loss: Loss = field(
        default="sigmoid",
        metadata={"help": "One rejected answer, or all at once (S-DPO).",
                  "choices": get_args(Loss)},
    )  # fmt: skip
    reference: Reference = field(
        default="base",
        metadata={"help": "The base, or none at all (SimPO).", "choices": get_args(Reference)},
    )
    beta: float | None = told(
        None, f"Scale of rewards; by default {BETA}, without a reference {BETA_FREE:g}.", 1e-4, 100
    )
    sft_weight: float = told(0.0, "Weight of learning the chosen answers as such.", 0, 100)

    @property
    def scale_of_rewards(self) -> float:
        """Return beta, given or not."""
        if self.beta is not None:
            return self.beta
        return BETA if self.reference == "base" else BETA_FREE


@dataclass(frozen=True, slots=True, kw_only=True)
class KTOConfig(PreferenceConfig):
    """How to train on unpaired verdicts (Ethayarajh et al. 2024).

    Args:
        desirable_weight, undesirable_weight: By default 1 and whatever balances the two kinds.
    """

    beta: float = told(BETA, "Scale of rewards.", 1e-4, 100)
    desirable_weight: float | None = told(None, "Weight of good answers.", 0.001, 1000)
    undesirable_weight: float | None = told(None, "Weight of bad answers.", 0.001, 1000)

    def __post_init__(self) -> None:
        """Refuse batches in which no answer can be compared with another's prompt."""
        PreferenceConfig.__post_init__(self)
        if self.batch_size < 2:
            raise TrainingError("batch_size=1: KTO compares rows of a batch, expected 2 or more")
