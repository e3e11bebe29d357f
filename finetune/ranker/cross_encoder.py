"""A cross-encoder trained on judged pairs, with sentence-transformers' own trainer.

Starts from any base: a cross-encoder, or the body of an encoder with a fresh head. This module
does not know where pairs come from, nor whether the result is used.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.errors import BaseModelError, MissingExtra, TrainingError
from retrieval.encoder import DEFAULT_ENCODER, weights_of


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and an item's text, with how well the one answers the other, 0 to 1."""

    query: str
    text: str
    label: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEncoderConfig:
    """How to train: what is not said here is the library's default.

    Args:
        base: A cross-encoder or encoder by name or folder; an encoder gets a fresh head.
        max_length: Tokens of query and text together that are read.
    """

    base: str = DEFAULT_ENCODER
    epochs: float = 1.0
    learning_rate: float = 1e-4
    batch_size: int = 32
    max_length: int = 128
    warmup: float = 0.1
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse values that can't be trained with, before anything is loaded."""
        for name in ("learning_rate", "batch_size", "max_length"):
            if not getattr(self, name) > 0:
                raise TrainingError(f"{name}={getattr(self, name)!r}: expected more than 0")


def train(
    pairs: Sequence[Pair], out: Path, config: CrossEncoderConfig, *, progress: bool = False
) -> dict[str, float]:
    """Train on pairs and save the model into a folder; return loss, steps and seconds.

    The loss is binary cross-entropy with the label as the probability, as the library's
    rerankers are trained.

    Raises:
        MissingExtra: If `datasets` or `accelerate` is not installed.
        BaseModelError: If the base can't be loaded.
        TrainingError: If all pairs have one label, or the loss is not a number.
    """
    if len({pair.label for pair in pairs}) < 2:
        raise TrainingError(
            f"{len(pairs):,} pairs with one and the same label: nothing to learn; expected pairs "
            "rated differently"
        )
    model = _load(config)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        trainer = _trainer(model, pairs, config, Path(scratch), progress)
        done = trainer.train()
    if not done.training_loss < float("inf"):
        raise TrainingError(f"training diverged: loss {done.training_loss!r}; lower learning_rate")
    model.save_pretrained(str(out))
    return {
        "loss": float(done.training_loss),
        "steps": float(done.global_step),
        "seconds": time.monotonic() - began,
    }


def _load(config: CrossEncoderConfig) -> Any:
    """Return the base as a cross-encoder with one score."""
    from sentence_transformers import CrossEncoder
    from transformers import set_seed
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)  # tells that the head is new
    set_seed(config.seed)  # of the fresh head
    place = weights_of(config.base)
    try:
        return CrossEncoder(
            place,
            num_labels=1,
            max_length=config.max_length,
            local_files_only=Path(place).exists(),
        )
    except (OSError, ValueError) as error:
        raise BaseModelError(
            f"base {config.base!r} can't be loaded as a cross-encoder: {error}; expected a folder "
            f"or the name of a cross-encoder or encoder, e.g. {DEFAULT_ENCODER!r}"
        ) from error


def _trainer(
    model: Any, pairs: Sequence[Pair], config: CrossEncoderConfig, scratch: Path, progress: bool
) -> Any:
    try:
        from datasets import Dataset
        from sentence_transformers.cross_encoder import (
            CrossEncoderTrainer,
            CrossEncoderTrainingArguments,
        )
        from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
        from transformers.trainer_callback import PrinterCallback
    except ImportError as error:
        raise MissingExtra(f"training needs {error.name}: pip install -e '.[train]'") from error
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(scratch),
        num_train_epochs=config.epochs,
        learning_rate=config.learning_rate,
        per_device_train_batch_size=config.batch_size,
        warmup_steps=config.warmup,
        seed=config.seed,
        save_strategy="no",
        report_to="none",
        disable_tqdm=not progress,
        logging_steps=50 if progress else 500,
        dataloader_pin_memory=False,
    )
    rows = Dataset.from_dict(
        {
            "query": [pair.query for pair in pairs],
            "text": [pair.text for pair in pairs],
            "label": [float(pair.label) for pair in pairs],
        }
    )
    trainer = CrossEncoderTrainer(
        model=model, args=arguments, train_dataset=rows, loss=BinaryCrossEntropyLoss(model)
    )
    if not progress:
        trainer.remove_callback(PrinterCallback)
    return trainer
