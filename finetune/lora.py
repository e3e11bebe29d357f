"""One training run with a trainer of TRL's: the base loaded, LoRA on it, steps, metrics, saving.

This module turns a configuration into the settings of transformers, TRL, peft and bitsandbytes. It
does not know files of rows, cards or folders of adapters, nor preferences
(`finetune.preference.training`) or answers (`finetune.sft_training`).
"""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from finetune.errors import BaseModelError, MissingExtra, TrainingError

if TYPE_CHECKING:
    from finetune.bases import Base
    from finetune.encoding import Tokenizer
    from finetune.sft_config import TuneConfig

Watch: TypeAlias = Callable[[float, Mapping[str, float]], None]
"""Told the epoch and the metrics at each evaluation; may raise to stop the run."""

FOUR_BIT_FROM = 1 << 30
"""Bytes of weights from which `quantize="auto"` pays: below, they fit anywhere as they are."""
KEPT = 2
"""Checkpoints kept, in case the last one was cut short."""


Stepped: TypeAlias = Callable[[], None]
"""Called after each step of a run that is only timed."""


class Trainable(Protocol):
    """What a run needs but the weights: rows as tokens, a base, a configuration."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def method(self) -> str:
        """What cards say trained an adapter, e.g. "sft"."""
        ...

    @property
    def config(self) -> TuneConfig:
        """How to train."""
        ...

    @property
    def base(self) -> Base:
        """The model that is adapted."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """The base's tokenizer."""
        ...

    @property
    def train(self) -> list[Any]:
        """Examples to learn from, each with its numbers of `tokens` and of `learned` ones."""
        ...

    @property
    def held(self) -> list[Any]:
        """Examples to evaluate on."""
        ...

    @property
    def data(self) -> dict[str, Any]:
        """What cards say of the data."""
        ...

    @property
    def data_hash(self) -> str:
        """What identifies the rows that are learned from."""
        ...

    @property
    def parent(self) -> str | None:
        """What identifies the weights of the adapter that training begins with, if with one."""
        ...

    def training(
        self,
        folder: Path,
        *,
        progress: bool = False,
        watch: Watch | None = None,
        stepped: Stepped | None = None,
    ) -> Training:
        """Return the run, ready; its checkpoints go into a folder."""
        ...

    def keep(self, out: Path) -> None:
        """Write what belongs beside the weights of the finished adapter."""
        ...


def steps(config: TuneConfig, examples: int) -> int:
    """Return the optimizer steps of a run on one device."""
    if config.max_steps is not None:
        return config.max_steps
    return math.ceil(config.epochs * steps_per_epoch(config, examples))


def steps_per_epoch(config: TuneConfig, examples: int, processes: int = 1) -> int:
    """Return how many optimizer steps see every example once."""
    return math.ceil(math.ceil(examples / config.batch_size / processes) / config.accumulation)


class Training:
    """A trainer that is ready to run."""

    def __init__(self, trainer: Any, base: Base, *, progress: bool) -> None:
        self._trainer, self._base = trainer, base
        if not progress:
            _quieten(trainer)

    @property
    def main(self) -> bool:
        """Whether this process writes the results; with accelerate there are several."""
        return bool(self._trainer.is_world_process_zero())

    @property
    def model(self) -> Any:
        """The model with its adapter."""
        return self._trainer.accelerator.unwrap_model(self._trainer.model)

    def steps(self) -> None:
        """Take the steps and nothing else.

        Raises:
            TrainingError: If memory runs out.
        """
        with _watched():
            self._trainer.train()

    def run(self, checkpoint: Path | None = None) -> dict[str, float]:
        """Train to the end, evaluate, and return the metrics.

        Args:
            checkpoint: Where to go on from, if not from the start.

        Raises:
            TrainingError: If the loss or a weight is no number, or memory runs out.
        """
        began = time.perf_counter()
        with _watched():
            self._trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
            held = self._held_metrics()
        state = self._trainer.state
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        metrics = {
            "train_loss": losses[-1],
            "steps": float(state.global_step),
            "epochs": float(state.epoch),
            "seconds": round(time.perf_counter() - began, 1),
            **held,
        }
        self._check_finite(metrics)
        return metrics

    def _held_metrics(self) -> dict[str, float]:
        """Return the metrics on held-out rows at the end, none without such rows."""
        return {}

    def save(self, out: Path) -> None:
        """Write the adapter as peft does, once for all processes."""
        if self.main:
            for config in self.model.peft_config.values():
                config.base_model_name_or_path = self._base.name
                # Of a small base peft lists every layer's path; by last name all servers read it.
                names = {name.rpartition(".")[2] for name in config.target_modules}
                config.target_modules = sorted(names)
            self.model.save_pretrained(str(out), save_embedding_layers=False)
        self._trainer.accelerator.wait_for_everyone()

    def _check_finite(self, metrics: Mapping[str, float]) -> None:
        import torch

        wrong = [
            f"{name} is {value}" for name, value in metrics.items() if not math.isfinite(value)
        ]
        trained = [part for part in self.model.parameters() if part.requires_grad]
        if not all(bool(torch.isfinite(part).all()) for part in trained):
            wrong.append("weights are no numbers")
        if wrong:
            raise TrainingError(
                f"training diverged ({', '.join(wrong)}), nothing was saved: try a lower learning"
                " rate"
            )


@contextmanager
def _watched() -> Iterator[None]:
    """Send what tqdm logs to stderr, and say what to do when memory runs out."""
    import torch

    try:
        with redirect_stdout(sys.stderr):
            yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"out of memory: lower batch_size (and raise accumulation), lower max_length, or"
            f" quantize to 4bit ({str(error).splitlines()[0]})"
        ) from error


def check_machine(config: TuneConfig) -> None:
    """Refuse trackers that are not installed; called before TRL is imported.

    Raises:
        TrainingError: If this machine can't train as configured.
    """
    # bitsandbytes warns at import, on machines without CUDA, that it lacks a kernel.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    from transformers.integrations import get_available_reporting_integrations

    available = get_available_reporting_integrations()
    for tracker in config.report_to:
        if tracker not in available:
            raise TrainingError(
                f"tracker {tracker!r} is not installed; installed: {', '.join(available) or 'none'}"
            )


def on_cuda(config: TuneConfig) -> bool:
    """Return whether the run is going to use a CUDA device."""
    import torch

    return not config.cpu and torch.cuda.is_available()


def load_model(base: Base, config: TuneConfig) -> Any:
    """Return the base, in 4 bits where that is wanted.

    Raises:
        BaseModelError: If it can't be loaded, or its weights are not all there.
    """
    import torch
    from transformers import AutoModelForCausalLM

    cuda = on_cuda(config)
    options: dict[str, Any] = {"dtype": torch.bfloat16 if cuda else torch.float32}
    if four_bit(base, config):
        options |= _quantized(cuda)
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            str(base.folder), local_files_only=True, output_loading_info=True, **options
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BaseModelError(f"base {base.name!r} can't be loaded: {error}") from error
    if info["missing_keys"]:
        some = ", ".join(sorted(info["missing_keys"])[:3])
        raise BaseModelError(f"base {base.name!r} lacks weights that it needs: {some}")
    model.config.use_cache = False
    return model


def four_bit(base: Base, config: TuneConfig) -> bool:
    """Return whether the base is going to be loaded in 4 bits."""
    if config.quantize == "auto":
        return on_cuda(config) and base.size >= FOUR_BIT_FROM
    return config.quantize == "4bit"


def _quantized(cuda: bool) -> dict[str, Any]:
    if find_spec("bitsandbytes") is None:
        raise MissingExtra("4 bits need bitsandbytes: pip install -e '.[train]'")
    import torch
    from accelerate import PartialState
    from transformers import BitsAndBytesConfig

    four_bit = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if cuda else torch.float32,
    )
    place = PartialState().local_process_index if cuda else "cpu"
    return {"quantization_config": four_bit, "device_map": {"": place}}


def lora(config: TuneConfig) -> Any:
    """Return the LoRA matrices of a configuration, as peft has them."""
    from peft import LoraConfig

    # "all-linear" leaves the output layer out, so that vLLM can serve the adapter.
    return LoraConfig(
        r=config.rank,
        lora_alpha=config.scale,
        lora_dropout=config.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def common_arguments(
    prepared: Trainable, folder: Path, progress: bool, timed: bool
) -> dict[str, Any]:
    """Return the settings that all trainers of TRL share; a run only timed saves nothing."""
    from accelerate import PartialState

    config, cuda = prepared.config, on_cuda(prepared.config)
    processes = PartialState(cpu=config.cpu).num_processes
    epoch = steps_per_epoch(config, len(prepared.train), processes)
    every = max(1, epoch // config.evals_per_epoch)
    return {
        "output_dir": str(folder),
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": config.warmup,
        "num_train_epochs": config.epochs,
        "max_steps": config.max_steps or -1,
        "per_device_train_batch_size": config.batch_size,
        "per_device_eval_batch_size": config.batch_size,
        "gradient_accumulation_steps": config.accumulation,
        "gradient_checkpointing": cuda if config.checkpointing is None else config.checkpointing,
        "bf16": cuda,
        "use_cpu": config.cpu,
        "dataloader_pin_memory": cuda,
        "seed": config.seed,
        "logging_steps": max(1, min(10, steps(config, len(prepared.train)) // 10)),
        "logging_nan_inf_filter": False,
        "eval_steps": every,
        "save_strategy": "no" if timed else "steps",
        "save_steps": every,
        "save_total_limit": KEPT,
        "report_to": list(config.report_to) or "none",
        "disable_tqdm": not progress,
    }


def told_by(watch: Watch | None, stepped: Stepped | None) -> Any:
    """Return the callback of transformers that tells functions of ours."""
    from transformers import TrainerCallback

    class Told(TrainerCallback):  # type: ignore[misc]
        """Passes on what happens to functions of ours."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if stepped is not None:
                stepped()

        def on_evaluate(
            self, args: Any, state: Any, control: Any, metrics: dict[str, float], **kwargs: Any
        ) -> None:
            if watch is not None and state.global_step:
                watch(state.epoch, metrics)

    return Told()


def _quieten(trainer: Any) -> None:
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)
