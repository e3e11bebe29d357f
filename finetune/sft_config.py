"""How a LoRA adapter is trained: one value, its limits, and its TOML file.

This module knows no library; `finetune.lora` says what each field means to TRL and peft. What
preferences are learned with besides is in `finetune.preference.config`.
"""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from finetune.errors import TrainingError
from prompts.library import load as load_prompt

Quantize = Literal["auto", "4bit", "none"]
MAX_RANK = 512
"""The largest rank that vLLM serves."""


def told(default: Any, text: str, low: float | None = None, high: float | None = None) -> Any:
    """Return a field of a configuration: its default, its help, its limits if it is a number."""
    return field(default=default, metadata={"help": text, "limits": (low, high)})


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneConfig:
    """How to train, by whatever method: what is not said here is TRL's default."""

    base: str = field(metadata={"help": "Base model: house, a folder, or an id of the hub."})
    learning_rate: float = told(2e-4, "Highest learning rate; cosine after it.", 1e-8, 1)
    rank: int = told(16, "Rank of the LoRA matrices.", 1, MAX_RANK)
    alpha: int | None = told(None, "LoRA's alpha; by default twice the rank.", 1, 4096)
    dropout: float = told(0.05, "Dropout before the LoRA matrices.", 0, 0.9)
    epochs: float = told(3.0, "How often each example is seen.", 0.001, 1000)
    max_steps: int | None = told(None, "Stop after this many steps instead.", 1, 10**9)
    batch_size: int = told(4, "Examples at once on each device.", 1, 4096)
    accumulation: int = told(4, "Batches whose gradients make one step.", 1, 4096)
    max_length: int = told(2048, "Longest example in tokens; longer rows are refused.", 8, 10**6)
    warmup: float = told(0.03, "Share of the steps in which the learning rate rises.", 0, 0.9)
    eval_share: float = told(0.05, "Share of the rows held out to evaluate on.", 0, 0.5)
    evals_per_epoch: int = told(1, "Evaluations and checkpoints in an epoch.", 1, 1000)
    quantize: Quantize = field(
        default="auto",
        metadata={
            "help": "Base in 4 bits (QLoRA); auto: on CUDA, for weights from 1 GiB.",
            "choices": get_args(Quantize),
        },
    )
    checkpointing: bool | None = told(None, "Gradient checkpointing; by default on CUDA.")
    seed: int = told(7, "Seed of order, dropout and initial weights.", 0, 2**32 - 1)
    cpu: bool = told(False, "Train on the CPU though there is a GPU.")
    report_to: tuple[str, ...] = told((), "Tracker, e.g. tensorboard, wandb, mlflow.")
    prompts: tuple[str, ...] = told((), "Prompt that the rows were made with, e.g. plan@1.")

    def __post_init__(self) -> None:
        """Refuse values that can't be trained with, before anything is loaded."""
        for one in fields(self):
            value = getattr(self, one.name)
            low, high = one.metadata.get("limits", (None, None))
            if low is not None and value is not None:
                _check_number(one.name, value, low, high)
            choices = one.metadata.get("choices")
            if choices and value not in choices:
                raise TrainingError(f"{one.name}={value!r}: expected one of {', '.join(choices)}")
        for prompt in self.prompts:
            load_prompt(prompt)

    @property
    def scale(self) -> int:
        """LoRA's alpha: twice the rank unless given."""
        return 2 * self.rank if self.alpha is None else self.alpha


@dataclass(frozen=True, slots=True, kw_only=True)
class SFTConfig(TuneConfig):
    """How to train on answers."""

    packing: bool = told(False, "Fill sequences with several examples, kept apart by the mask.")


Config = TypeVar("Config", bound=TuneConfig)


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise TrainingError(f"{name}={value!r}: expected a number from {low:g} to {high:g}")


def read_config(path: Path | None, **given: Any) -> SFTConfig:
    """Return the configuration of a TOML file, changed by what is given and not None.

    Raises:
        TrainingError: If the file can't be read, or something is unknown or missing in it.
    """
    return read_config_of(SFTConfig, path, **given)


def read_config_of(kind: type[Config], path: Path | None, **given: Any) -> Config:
    """Return the configuration of a method; like `read_config`.

    Raises:
        TrainingError: If the file can't be read, or something is unknown or missing in it.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise TrainingError(f"config {str(path)!r} can't be read: {error}") from error
    values |= {name: value for name, value in given.items() if value not in (None, ())}
    known = {one.name: one for one in fields(kind)}
    unknown = [name for name in values if name not in known]
    if unknown:
        raise TrainingError(
            f"config {str(path)!r} has {', '.join(map(repr, unknown))}; known: {', '.join(known)}"
        )
    if "base" not in values:
        raise TrainingError("no base model given: expected house, a folder, or an id of the hub")
    for name, one in known.items():
        if isinstance(values.get(name), list) and one.default is not MISSING:
            values[name] = tuple(values[name])
    return kind(**values)


def write_config(path: Path, config: TuneConfig) -> None:
    """Write a configuration as TOML that `read_config` reads."""
    import tomli_w

    values = {name: value for name, value in asdict(config).items() if value is not None}
    path.write_text(tomli_w.dumps(values), "utf-8")
