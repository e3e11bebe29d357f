"""A run of TRL's SFTTrainer; what it shares with other trainers is in `finetune.lora`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finetune.lora import (
    Stepped,
    Training,
    Watch,
    check_machine,
    common_arguments,
    load_model,
    lora,
    told_by,
)

if TYPE_CHECKING:
    from finetune.encoding import Example
    from finetune.sft import Prepared


class SFTTraining(Training):
    """A run of TRL's SFTTrainer.

    Raises:
        BaseModelError: If the base can't be loaded.
        TrainingError: If this machine can't train as configured.
    """

    def __init__(
        self,
        prepared: Prepared,
        folder: Path,
        *,
        progress: bool = False,
        watch: Watch | None = None,
        stepped: Stepped | None = None,
    ) -> None:
        check_machine(prepared.config)
        from trl import SFTTrainer

        arguments = _sft_arguments(prepared, folder, progress, timed=stepped is not None)
        trainer = SFTTrainer(
            model=load_model(prepared.base, prepared.config),
            args=arguments,
            train_dataset=_dataset(prepared.train),
            eval_dataset=_dataset(prepared.held) if prepared.held else None,
            processing_class=prepared.tokenizer,
            peft_config=lora(prepared.config),
            callbacks=[told_by(watch, stepped)],
        )
        super().__init__(trainer, prepared.base, progress=progress)

    def _held_metrics(self) -> dict[str, float]:
        """Return the metrics on held-out rows, which the last step may have told."""
        held = self._evaluate()
        if not held:
            return {}
        return {
            "eval_loss": held["eval_loss"],
            "eval_token_accuracy": held["eval_mean_token_accuracy"],
        }

    def _evaluate(self) -> Mapping[str, float]:
        if self._trainer.eval_dataset is None:
            return {}
        for entry in self._trainer.state.log_history:
            if "eval_loss" in entry and entry["step"] == self._trainer.state.global_step:
                return dict(entry)
        return dict(self._trainer.evaluate())


def _dataset(examples: list[Example]) -> Any:
    from datasets import Dataset

    return Dataset.from_dict(
        {
            "input_ids": [example.input_ids for example in examples],
            "labels": [example.labels for example in examples],
        }
    )


def _sft_arguments(prepared: Prepared, folder: Path, progress: bool, timed: bool) -> Any:
    from trl import SFTConfig as Arguments

    config = prepared.config
    return Arguments(
        **common_arguments(prepared, folder, progress, timed),
        train_sampling_strategy="sequential" if timed else "random",
        max_length=config.max_length,
        packing=config.packing,
        eval_packing=False,
        # The examples are tokenized and none is too long; only packing is left to do.
        dataset_kwargs={"skip_prepare_dataset": not config.packing},
        eval_strategy="steps" if prepared.held else "no",
    )
