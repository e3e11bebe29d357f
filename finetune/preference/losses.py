"""Losses of preferences over log-probabilities of answers, and those log-probabilities.

All losses take log pi(answer | prompt), summed over the answer's tokens, under the model and under
the reference. This module knows no trainer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

from finetune.encoding import MASKED

Tensor: TypeAlias = Any

MARGIN = 0.5
"""SimPO's gamma: how far apart rewards should be; TRL's default."""
BARE = ("llama", "mistral", "qwen2", "qwen3")
"""Models whose output layer is a matrix and nothing else."""
TILE = 64
"""Tokens whose logits are held at once on a CPU: they fit its cache."""


def sequence_logps(model: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Return log pi(answer | prompt) of sequences, summed over tokens (sequences,), float32.

    Args:
        batch: Sequences padded on the left, so that answers end together and only their places go
            through the output layer, which is most of a small model's arithmetic.
    """
    labels = batch["labels"]
    given = {name: batch[name] for name in ("input_ids", "attention_mask", "position_ids")}
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    if labels.device.type == "cpu" and _kind(inner) in BARE:
        hidden = inner.base_model(**given, use_cache=False).last_hidden_state
        hidden = hidden[:, -labels.shape[1] - 1 : -1]
        learned = labels != MASKED
        found = _token_logps().apply(
            hidden[learned], labels[learned], inner.get_output_embeddings().weight
        )
        return hidden.new_zeros(labels.shape).float().masked_scatter(learned, found).sum(1)
    from torch.nn.functional import cross_entropy

    logits = model(**given, logits_to_keep=labels.shape[1] + 1, use_cache=False).logits[:, :-1]
    losses = cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=MASKED, reduction="none"
    )
    return -losses.view_as(labels).sum(1)


def _kind(model: Any) -> str:
    """Return the architecture of a model; of one spread over processes it is not asked."""
    return str(model.config.model_type) if hasattr(model, "config") else ""


@cache
def _token_logps() -> Any:
    """Return log softmax(h W^T)[label] of tokens as a function with its own gradient.

    The gradient for h, W[label] - softmax(h W^T) W, is taken tile by tile while the logits are in
    the cache: half the time of a step of the house model, whose vocabulary is the most of it.
    """
    import torch

    class TokenLogps(torch.autograd.Function):
        """(tokens, hidden), (tokens,), (vocabulary, hidden) -> (tokens,)."""

        @staticmethod
        def forward(ctx: Any, hidden: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
            half = torch.is_autocast_enabled("cpu")
            table = weight.to(torch.get_autocast_dtype("cpu")) if half else weight
            found, gradients = [], []
            for some, wanted in zip(hidden.split(TILE), labels.split(TILE), strict=True):
                logits = (some.to(table.dtype) @ table.T).float()
                total = logits.logsumexp(-1, keepdim=True)
                found.append((logits.gather(1, wanted[:, None]) - total).squeeze(1))
                if ctx.needs_input_grad[0]:
                    chances = (logits - total).exp_().to(table.dtype)
                    gradients.append(weight[wanted] - (chances @ table).to(weight.dtype))
            if gradients:
                ctx.save_for_backward(torch.cat(gradients))
            return torch.cat(found)

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
            return ctx.saved_tensors[0] * gradients[0][:, None], None, None

    return TokenLogps


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
