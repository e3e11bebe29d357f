"""Train an encoder on pairs with sentence-transformers' own trainer.

The loss is MultipleNegativesRankingLoss (InfoNCE over the batch); what comes together in a batch
was decided before (`finetune.encoder.pairs`). Knows nothing of items, projects or what is better.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from finetune.errors import TrainingError

Method = Literal["full", "lora"]
State = dict[str, Any]
"""Names of weights to tensors."""

TIMED = 2
LORA_RANK = 16
LORA_RATE = 5e-4
"""Adapters start from nothing and need larger steps."""
FULL_RATE = 3e-5
SAVES = 5
CHECKPOINTS = "checkpoints"

Row = tuple[str, ...]
"""Query, positive text and, in all rows or in none, a negative text."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How an encoder is trained.

    Args:
        steps: Optimizer steps, one batch each.
        batch_size: Pairs in a batch; each has all others as negatives.
        max_length: Tokens of a text that are read in training; serving reads more.
        bf16: Compute in bfloat16 where that is safe; only quicker on some processors.
    """

    steps: int = 600
    method: Method = "full"
    batch_size: int = 64
    max_length: int = 64
    learning_rate: float = FULL_RATE
    seed: int = 0
    bf16: bool = False


def load_model(place: str) -> Any:
    """Return a sentence-transformers model in torch, on the CPU or a GPU that is there."""
    from retrieval.encoder import SentenceTransformerEncoder

    return SentenceTransformerEncoder(place).model


def train(
    model: Any,
    rows: Sequence[Row],
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    progress: bool = False,
) -> float:
    """Train a model in place on rows that are already in batches; return the mean loss.

    Args:
        rows: `steps` times `batch_size` of them, in the order of training.
        out: Folder for checkpoints.
        resume: Go on from the last checkpoint there, if there is one.

    Raises:
        TrainingError: If the rows are too few, or the loss is not a number any more.
    """
    if len(rows) < config.steps * config.batch_size:
        raise TrainingError(
            f"{config.steps} steps of {config.batch_size} pairs need "
            f"{config.steps * config.batch_size:,} rows, got {len(rows):,}"
        )
    length, model.max_seq_length = model.max_seq_length, config.max_length
    try:
        if config.method == "lora":
            _add_lora(model, config.seed)
        trainer = _trainer(model, rows, config, out, progress)
        last = last_checkpoint(out) if resume else None
        with _quiet():
            result = trainer.train(resume_from_checkpoint=last and str(last))
    finally:
        model.max_seq_length = length
    loss = float(result.training_loss)
    if loss != loss:
        raise TrainingError("the loss is not a number any more: train with a lower learning rate")
    return loss


def last_checkpoint(out: Path) -> Path | None:
    """Return the last whole checkpoint of a run; one without its state was cut off in writing."""
    found = (out / CHECKPOINTS).glob("checkpoint-*/trainer_state.json")
    whole = sorted((path.parent for path in found), key=lambda path: int(path.name[11:]))
    return whole[-1] if whole else None


def _trainer(
    model: Any, rows: Sequence[Row], config: TrainConfig, out: Path, progress: bool
) -> Any:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from transformers.trainer_callback import PrinterCallback

    model.model_card_data.generate_widget_examples = False  # it costs a pass and shows a bar
    names = ("anchor", "positive", "negative")[: len(rows[0])]
    data = Dataset.from_dict(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    trainer = SentenceTransformerTrainer(
        model=model,
        args=_arguments(model, names, config, out, progress),
        train_dataset=data,
        loss=MultipleNegativesRankingLoss(model),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(
    model: Any, names: Sequence[str], config: TrainConfig, out: Path, progress: bool
) -> Any:
    import torch
    from sentence_transformers.sentence_transformer.training_args import (
        SentenceTransformerTrainingArguments,
    )

    item_prompt = model.prompts.get("document", model.prompts.get("passage", ""))
    prompts = dict.fromkeys(names, item_prompt) | {"anchor": model.prompts.get("query", "")}
    return SentenceTransformerTrainingArguments(
        output_dir=str(out / CHECKPOINTS),
        max_steps=config.steps,
        per_device_train_batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=max(1, config.steps // 10),
        weight_decay=0.01,
        bf16=config.bf16,
        use_cpu=not torch.cuda.is_available(),
        seed=config.seed,
        data_seed=config.seed,
        batch_sampler=_in_order,
        prompts={name: prompt for name, prompt in prompts.items() if prompt} or None,
        save_strategy="steps",
        save_steps=max(1, config.steps // SAVES),
        save_total_limit=1,
        logging_strategy="no",
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=not progress,
        dataloader_pin_memory=False,
    )


def _in_order(dataset: Any, batch_size: int, drop_last: bool, **given: Any) -> Any:
    """Return a sampler of the rows as they stand: they were put into batches on purpose."""
    from sentence_transformers.base.sampler import DefaultBatchSampler
    from torch.utils.data import SequentialSampler

    return DefaultBatchSampler(SequentialSampler(dataset), batch_size, drop_last, **given)


def _add_lora(model: Any, seed: int) -> None:
    import torch
    from peft import LoraConfig, TaskType

    torch.manual_seed(seed)
    model.add_adapter(
        LoraConfig(
            task_type=TaskType.FEATURE_EXTRACTION,
            r=LORA_RANK,
            lora_alpha=2 * LORA_RANK,
            lora_dropout=0.05,
            target_modules="all-linear",
        )
    )


def weights(model: Any) -> State:
    """Return a copy of a model's weights, LoRA matrices merged into what they adapt."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for module in model.modules():
        if isinstance(module, BaseTunerLayer) and not module.merged:
            module.merge()
    return {
        name.replace(".base_layer.", "."): tensor.detach().clone()
        for name, tensor in model.state_dict().items()
        if ".lora_" not in name
    }


def between(base: State, tuned: State, alpha: float) -> State:
    """Return weights on the line from base (0) to tuned (1).

    WiSE-FT (Wortsman et al., CVPR 2022): weights on the way forget less and are often better.
    """
    mixed: State = {}
    for name, old in base.items():
        new = tuned[name]
        mixed[name] = old.lerp(new, alpha) if old.is_floating_point() else new
    return mixed


def seconds_per_step(place: str, rows: Sequence[Row], config: TrainConfig) -> dict[bool, float]:
    """Return the seconds of a training step in float32 (False) and, where it runs, bfloat16 (True).

    Steps are taken on a throw-away copy of the model, after one that warms up.
    """
    import tempfile

    found: dict[bool, float] = {}
    size = config.batch_size
    for bf16 in (False, True):
        with tempfile.TemporaryDirectory() as scratch:
            trial = replace(config, steps=TIMED + 1, bf16=bf16)
            spread = [rows[place * 7919 % len(rows)] for place in range(size * trial.steps)]
            model = load_model(place)
            model.max_seq_length = config.max_length
            trainer = _trainer(model, spread, trial, Path(scratch), False)
            trainer.args.save_strategy = "no"
            ends: list[float] = []
            trainer.add_callback(_clock(ends))
            try:
                with _quiet():
                    trainer.train()
            except (RuntimeError, ValueError):
                if not bf16:
                    raise
                continue  # this processor or model has no bfloat16
            found[bf16] = (ends[-1] - ends[0]) / TIMED
    return found


def _clock(ends: list[float]) -> Any:
    from transformers import TrainerCallback

    class Clock(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_step_end(self, *given: Any, **more: Any) -> None:
            ends.append(time.perf_counter())

    return Clock()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the trainer's remarks to itself."""
    logger = logging.getLogger("transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
