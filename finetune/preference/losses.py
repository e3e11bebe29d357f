"""Losses of preferences over sums of log-probabilities, and those sums.

All take log pi(answer | prompt), summed over the answer's tokens, under the model and under the
reference. This module knows no trainer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from finetune.encoding import MASKED

Tensor: TypeAlias = Any

MARGIN = 0.5
"""SimPO's gamma: how far apart rewards should be; TRL's default."""


def sequence_logps(model: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Return log pi(answer | prompt) of sequences, summed over tokens (sequences,), float32.

    Args:
        batch: Sequences padded on the left, so that answers end together and only their places go
            through the output layer, which is most of a small model's arithmetic.
    """
    from torch.nn.functional import cross_entropy

    labels = batch["labels"]
    logits = model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"],
        position_ids=batch["position_ids"], logits_to_keep=labels.shape[1] + 1, use_cache=False,
    ).logits[:, :-1]  # fmt: skip
    losses = cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=MASKED, reduction="none"
    )
    return -losses.view_as(labels).sum(1)


def softmax_loss(rewards: Tensor) -> Tensor:
    """Return S-DPO's loss of one prompt; with one rejected answer it is DPO's.

    -log sigmoid(-log sum_j exp(r_j - r_w)) (Chen et al. 2024, "On Softmax Direct Preference
    Optimization for Recommendation", eq. 7; Rafailov et al. 2023, eq. 7, for one r_j).

    Args:
        rewards: beta times the log-ratio, the chosen answer first (answers,).
    """
    from torch.nn.functional import softplus

    # -log sigmoid(-x) is softplus(x).
    return softplus((rewards[1:] - rewards[0]).logsumexp(0))


def free_loss(rewards: Tensor) -> Tensor:
    """Return SimPO's loss, -log sigmoid(r_w - r_l - gamma) (Meng et al. 2024, eq. 6).

    Args:
        rewards: beta times the mean log-probability of a token, the chosen answer first.
    """
    from torch.nn.functional import softplus

    return softplus((rewards[1:] - rewards[0] + MARGIN).logsumexp(0))


def kto_losses(ratios: Tensor, drift: Tensor, good: Tensor, beta: float) -> Tensor:
    """Return KTO's loss of each row, before weights (Ethayarajh et al. 2024, eq. 8).

    Args:
        ratios: log pi / pi_ref of each row's answer (rows,).
        drift: Mean log pi / pi_ref of other rows' answers, at least 0.
        good: Whether each answer was good (rows,).
    """
    import torch

    signs = torch.where(good, 1.0, -1.0)
    return 1 - torch.sigmoid(signs * beta * (ratios - drift))


def split_groups(values: Tensor, sizes: Sequence[int]) -> Sequence[Tensor]:
    """Return the values of sequences as one tensor for each group."""
    return list(values.split(list(sizes)))
