"""A run of TRL's DPOTrainer or KTOTrainer on groups of answers that are tokens already.

Loop, checkpoints, devices and LoRA are TRL's. Batches and losses are ours, for four things that
TRL 1.16 has not: several rejected answers, a weight for each row, rows of earlier rounds among
them, and, on a CPU, an output layer that is only asked about the answers' places. Reference
log-probabilities are computed once, before there is an adapter: so an adapter that is trained
further is still measured against the base. This module knows no files of rows and no cards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune.adapters import WEIGHTS
from finetune.encoding import MASKED
from finetune.lora import (
    Stepped,
    Training,
    Watch,
    check_machine,
    common_arguments,
    load_model,
    lora,
    on_cuda,
    told_by,
)
from finetune.preference.config import DPOConfig, KTOConfig, PreferenceConfig
from finetune.preference.data import Group
from finetune.preference.losses import (
    free_loss,
    kto_losses,
    sequence_logps,
    softmax_loss,
)
from finetune.preference.metrics import drift_metrics, preference_metrics

if TYPE_CHECKING:
    from finetune.preference.prepared import PreparedPreferences

STRIDE = 8
"""Widths of batches are multiples of this: kernels are made anew for each new shape."""
SCORED = 32
"""Sequences that are scored at once."""


class PreferenceTraining(Training):
    """A run on pairs, or on unpaired rows.

    Raises:
        BaseModelError: If the base can't be loaded.
        TrainingError: If this machine can't train as configured.
    """

    def __init__(
        self,
        prepared: PreparedPreferences,
        folder: Path,
        *,
        progress: bool = False,
        watch: Watch | None = None,
        stepped: Stepped | None = None,
    ) -> None:
        check_machine(prepared.config)
        if not progress:
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()
        timed = stepped is not None
        self._prepared = prepared
        model = load_model(prepared.base, prepared.config)
        self._pad = prepared.tokenizer.pad_token_id or prepared.tokenizer.eos_token_id
        references = self._references(model)
        # What an adapter learned is read against the base, whatever it was trained against.
        self._held = [] if timed else self.score(model, prepared.held)
        self._kept = [] if timed else self.score(model, prepared.replay)
        trainer = _trainer_class(prepared.config)(
            model=model,
            args=_arguments(prepared, folder, progress, timed),
            train_dataset=_dataset(prepared.train, references),
            processing_class=prepared.tokenizer,
            peft_config=lora(prepared.config),
            data_collator=Collator(self._pad),
            callbacks=[told_by(watch, stepped)],
        )
        super().__init__(trainer, prepared.base, progress=progress)
        if prepared.start is not None:
            _begin_with(self.model, prepared.start.folder / WEIGHTS)

    def _references(self, model: Any) -> list[list[float]]:
        """Return the base's log-probabilities of all answers; 0 where none are compared with."""
        train, config = self._prepared.train, self._prepared.config
        if isinstance(config, DPOConfig) and config.reference == "none":
            return [[0.0] * len(group.answers) for group in train]
        return self.score(model, train)

    def score(self, model: Any, groups: Sequence[Group]) -> list[list[float]]:
        """Return log pi(answer | prompt) of each answer of each group."""
        import torch
        from accelerate import PartialState

        config = self._prepared.config
        device = PartialState(cpu=config.cpu).device
        packed = bool(getattr(model, "is_quantized", False))
        if not packed:
            model.to(device)
        flat = [
            (at, place) for at, group in enumerate(groups) for place in range(len(group.answers))
        ]
        flat.sort(key=lambda where: groups[where[0]].answers[where[1]].tokens)
        found = [[0.0] * len(group.answers) for group in groups]
        training, collate = model.training, Collator(self._pad)
        # On a CPU bitsandbytes repacks the weights of a model that is evaluated, for good: it can't
        # be trained then. So its mode is left, and dropout, if there is any, stays on.
        model.train(packed and device.type == "cpu")
        with torch.inference_mode(), half_precision(config):
            for start in range(0, len(flat), SCORED):
                some = flat[start : start + SCORED]
                answers = [groups[at].answers[place] for at, place in some]
                batch = collate.pad([(one.input_ids, one.labels) for one in answers])
                batch = {name: values.to(device) for name, values in batch.items()}
                for (at, place), value in zip(some, sequence_logps(model, batch), strict=True):
                    found[at][place] = float(value)
        model.train(training)
        return found

    def _held_metrics(self) -> dict[str, float]:
        """Return how well held-out preferences are kept, and how far the rest has moved."""
        prepared, model = self._prepared, self.model
        held = preference_metrics(prepared.held, self.score(model, prepared.held), self._held)
        return held | drift_metrics(prepared.replay, self.score(model, prepared.replay), self._kept)


def _begin_with(model: Any, weights: Path) -> None:
    """Take over the LoRA matrices of an earlier adapter."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    set_peft_model_state_dict(model, load_file(weights))


def _arguments(prepared: PreparedPreferences, folder: Path, progress: bool, timed: bool) -> Any:
    from trl import DPOConfig as DPOArguments
    from trl import KTOConfig as KTOArguments

    config = prepared.config
    given = common_arguments(prepared, folder, progress, timed) | {
        "eval_strategy": "no",
        "remove_unused_columns": False,
        "max_length": None,
        "disable_dropout": not config.dropout,
    }
    if isinstance(config, KTOConfig):
        return KTOArguments(**given, train_sampling_strategy="sequential", beta=config.beta)
    return DPOArguments(
        **given,
        train_sampling_strategy="sequential" if timed else "group_by_length",
        length_column_name="length",
    )


def _dataset(groups: Sequence[Group], references: Sequence[Sequence[float]]) -> Any:
    from datasets import Dataset

    return Dataset.from_list([
        {
            "input_ids": [one.input_ids for one in group.answers],
            "labels": [one.labels for one in group.answers],
            "references": list(known),
            "weight": group.weight,
            "label": bool(group.label),
            "length": group.tokens,
        }
        for group, known in zip(groups, references, strict=True)
    ])  # fmt: skip


class Collator:
    """Groups to a batch of sequences, padded on the left."""

    def __init__(self, pad: int) -> None:
        self._pad = pad

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        import torch

        sequences = [pair for row in rows
                     for pair in zip(row["input_ids"], row["labels"], strict=True)]  # fmt: skip
        return {
            **self.pad(sequences),
            "references": torch.tensor([value for row in rows for value in row["references"]]),
            "sizes": torch.tensor([len(row["references"]) for row in rows]),
            "weights": torch.tensor([row["weight"] for row in rows]),
            "good": torch.tensor([row["label"] for row in rows]),
        }

    def pad(self, sequences: Iterable[tuple[list[int], list[int]]]) -> dict[str, Any]:
        """Return sequences as tensors; labels only of the places that any answer has."""
        import torch

        rows = list(sequences)
        width = -(-max(len(ids) for ids, _ in rows) // STRIDE) * STRIDE
        answers = max(sum(label != MASKED for label in labels) for _, labels in rows)
        answers = min(-(-answers // STRIDE) * STRIDE, width - 1)
        empty = [width - len(ids) for ids, _ in rows]
        ids = [[self._pad] * left + ids for left, (ids, _) in zip(empty, rows, strict=True)]
        labels = [([MASKED] * left + own)[-answers:]
                  for left, (_, own) in zip(empty, rows, strict=True)]  # fmt: skip
        places = torch.arange(width) - torch.tensor(empty)[:, None]
        return {
            "input_ids": torch.tensor(ids),
            "attention_mask": (places >= 0).long(),
            "position_ids": places.clamp(min=0),
            "labels": torch.tensor(labels),
        }


def half_precision(config: PreferenceConfig) -> AbstractContextManager[Any]:
    """Return half precision where it is the quicker one; on CUDA the trainer has its own."""
    import torch

    if on_cuda(config):
        return torch.autocast("cuda", torch.bfloat16)
    able = torch.cpu.get_capabilities()
    half = any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return torch.autocast("cpu", torch.bfloat16, enabled=bool(half))


def _trainer_class(config: DPOConfig | KTOConfig) -> Any:
    """Return TRL's trainer of a method, with our losses in it."""
    import trl

    parent = trl.KTOTrainer if isinstance(config, KTOConfig) else trl.DPOTrainer

    class Preferences(parent):  # type: ignore[misc, valid-type]
        """TRL's trainer on groups."""

        def _prepare_dataset(self, dataset: Any, *others: Any) -> Any:
            return dataset  # tokens already

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, **ignored: Any
        ) -> Any:
            with half_precision(config):
                if isinstance(config, KTOConfig):
                    return _unpaired_loss(model, inputs, config)
                return _pair_loss(model, inputs, config)

    return Preferences


def _pair_loss(model: Any, inputs: dict[str, Any], config: DPOConfig) -> Any:
    import torch

    sizes = inputs["sizes"].tolist()
    found = sequence_logps(model, inputs)
    lengths = (inputs["labels"] != MASKED).sum(1)
    if config.reference == "none":
        rewards, compared = config.scale_of_rewards * found / lengths, free_loss
    else:
        rewards = config.scale_of_rewards * (found - inputs["references"])
        compared = softmax_loss
    surprise = -found / lengths
    losses = []
    parts = zip(rewards.split(sizes), surprise.split(sizes), inputs["weights"], strict=True)
    for own, unlikely, weight in parts:
        # One answer alone is there to be given as before.
        preferred = compared(own) if len(own) > 1 else unlikely[0]
        learned = config.sft_weight * unlikely[0] if len(own) > 1 else 0.0
        losses.append(weight * (preferred + learned))
    return torch.stack(losses).mean()


def _unpaired_loss(model: Any, inputs: dict[str, Any], config: KTOConfig) -> Any:
    import torch

    sizes, references = inputs["sizes"], inputs["references"]
    first, compared = sizes.cumsum(0) - sizes, sizes > 1
    others = first[compared] + 1
    found = sequence_logps(model, _some(inputs, first))
    drift = torch.zeros(())
    if len(others):
        with torch.no_grad():
            moved = sequence_logps(model, _some(inputs, others)) - references[others]
        drift = moved.mean().clamp(min=0)
    good = inputs["good"]
    losses = kto_losses(found - references[first], drift, good, config.beta)
    losses = losses * torch.where(
        good, config.desirable_weight or 1.0, config.undesirable_weight or 1.0
    )
    lengths = (inputs["labels"][first] != MASKED).sum(1)
    # One answer alone is there to be given as before.
    return (inputs["weights"] * torch.where(compared, losses, -found / lengths)).mean()


def _some(inputs: dict[str, Any], rows: Any) -> dict[str, Any]:
    return {name: inputs[name][rows]
            for name in ("input_ids", "attention_mask", "position_ids", "labels")}  # fmt: skip
