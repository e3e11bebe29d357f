"""Supervised fine-tuning: a LoRA adapter for any base, from rows in TRL's formats.

`prepare` does everything that is cheap and can fail: rows, base, tokens. `fit` trains and saves
with a card; `train` is one after the other. How TRL, peft and bitsandbytes are set up is
`finetune.lora`'s business; this module does not know what the rows teach.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from finetune.adapters import CARD, WEIGHTS, Adapter, Card, write_card
from finetune.bases import Base, resolve
from finetune.encoding import Example, Tokenizer, encode, load_tokenizer
from finetune.errors import DataError, MissingExtra, TrainingError
from finetune.lora import Stepped, Trainable, Training, Watch, steps
from finetune.sft_config import SFTConfig, TuneConfig
from finetune.sft_training import SFTTraining
from finetune.training_data import Reject, Row, TrainingData, read_rows, split
from finetune.weights import file_hash

CHECKPOINTS = "checkpoints"
RUN = "run.json"
LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "bitsandbytes")
OPTIONAL = ("bitsandbytes",)
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Sources:
    """The files to train on; rows to evaluate on, if not a share; whether all must be usable."""

    data: tuple[Path, ...]
    held: tuple[Path, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that a run needs but the weights."""

    config: SFTConfig
    base: Base
    tokenizer: Tokenizer
    train: list[Example]
    held: list[Example]
    rejects: list[Reject]
    data: dict[str, Any]
    data_hash: str

    @property
    def steps(self) -> int:
        """Optimizer steps of a run on one device."""
        return steps(self.config, len(self.train))

    @property
    def tokens(self) -> int:
        """Tokens of the examples, each once."""
        return sum(example.tokens for example in self.train)

    @property
    def method(self) -> str:
        """What cards say trained an adapter."""
        return "sft"

    @property
    def parent(self) -> str | None:
        """None: training begins with the base."""
        return None

    def training(
        self,
        folder: Path,
        *,
        progress: bool = False,
        watch: Watch | None = None,
        stepped: Stepped | None = None,
    ) -> Training:
        """Return the run, ready; its checkpoints go into a folder."""
        return SFTTraining(self, folder, progress=progress, watch=watch, stepped=stepped)

    def keep(self, out: Path) -> None:
        """Write nothing: the card tells all there is."""


def train(config: SFTConfig, sources: Sources, out: Path, *, resume: bool = False) -> Adapter:
    """Train an adapter on rows of JSONL files and save it with its card.

    Raises:
        FinetuneError: If the data, the base or the configuration can't be used, or training
            diverged; nothing is saved then.
    """
    check_out(out, resume)
    return fit(prepare(config, sources), out, resume=resume)


def check_out(out: Path, resume: bool = False) -> None:
    """Refuse to overwrite an adapter, or a run that could be resumed.

    Raises:
        TrainingError: If the folder can't be written to as asked.
    """
    if (out / CARD).exists():
        raise TrainingError(f"{str(out)!r} already holds an adapter: give another folder")
    found = last_checkpoint(out)
    if found and not resume:
        raise TrainingError(
            f"{str(out)!r} holds checkpoints of an interrupted run: resume it (--resume), or give"
            " another folder"
        )
    if resume and not found:
        raise TrainingError(f"{str(out)!r} holds no checkpoint to resume from")


def last_checkpoint(out: Path) -> Path | None:
    """Return the last whole checkpoint of a run; one without its state was cut off in writing."""
    found = (out / CHECKPOINTS).glob("checkpoint-*/trainer_state.json")
    whole = sorted((path.parent for path in found), key=lambda path: int(path.name[11:]))
    return whole[-1] if whole else None


def prepare(config: SFTConfig, sources: Sources, *, weights: bool = True) -> Prepared:
    """Read and check the rows, find the base, and tokenize; loads no weights.

    Args:
        weights: Whether the base's weights are going to be loaded.

    Raises:
        MissingExtra: If the training libraries are not installed.
        DataError: If no row can be used, or one can't and all must.
        BaseModelError: If the base can't be had.
    """
    check_installed(config)
    data = read_rows(sources.data)
    apart = read_rows(sources.held) if sources.held else None
    base = resolve(config.base, weights=weights)
    tokenizer = load_tokenizer(base.folder, data.rows)
    rows, rest = _sides(data, apart, config)
    longest = min(config.max_length, base.context or config.max_length)
    train, too_long = encode(rows, tokenizer, longest)
    held, held_too_long = encode(rest, tokenizer, longest) if rest else ([], [])
    rejects = [*data.rejects, *(apart.rejects if apart else ()), *too_long, *held_too_long]
    if rejects and sources.strict:
        told = "; ".join(str(reject) for reject in rejects[:SHOWN])
        raise DataError(f"{len(rejects)} rows can't be used: {told}")
    about = {
        "files": ", ".join(path.name for path in (*sources.data, *sources.held)),
        "rows": len(rows),
        "held_out_rows": len(rest),
        "rejected_rows": len(rejects),
        "examples": len(train),
        "tokens": sum(len(example.input_ids) for example in train),
        "learned_tokens": sum(example.learned for example in train),
        **({"held_out_hash": apart.hash} if apart else {}),
    }
    return Prepared(config, base, tokenizer, train, held, rejects, about, data.hash)


def is_main() -> bool:
    """Return whether this process is the one that speaks; with accelerate there are several."""
    from accelerate import PartialState

    return bool(PartialState().is_main_process)


def check_installed(config: TuneConfig) -> None:
    """Refuse to start without the libraries of the [train] extra.

    Raises:
        MissingExtra: If one is not installed; says the pip line.
    """
    needed = [name for name in LIBRARIES if name not in OPTIONAL or config.quantize == "4bit"]
    missing = [name for name in needed if _version(name) is None]
    if missing:
        raise MissingExtra(f"training needs {', '.join(missing)}: pip install -e '.[train]'")


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _sides(
    data: TrainingData, apart: TrainingData | None, config: SFTConfig
) -> tuple[list[Row], list[Row]]:
    """Return the rows to train on and those to evaluate on."""
    if apart is None:
        return split(data.rows, config.eval_share, config.seed)
    return list(data.rows), list(apart.rows)


def fit(
    prepared: Trainable,
    out: Path,
    *,
    resume: bool = False,
    progress: bool = False,
    watch: Watch | None = None,
) -> Adapter:
    """Train on what was prepared, and save the adapter with its card.

    Args:
        resume: Go on from the last checkpoint of an interrupted run into the same folder.
        watch: Told the epoch and the metrics at each evaluation; may raise to stop.

    Raises:
        TrainingError: If the run to resume was another, or training diverged.
    """
    check_out(out, resume)
    run, folder = _run(prepared), out / CHECKPOINTS
    if resume:
        _check_same_run(folder / RUN, run)
    training = prepared.training(folder, progress=progress, watch=watch)
    if training.main:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RUN).write_text(json.dumps(run, indent=2), "utf-8")
    metrics = training.run(last_checkpoint(out) if resume else None)
    training.save(out)
    card = _card(out, prepared, metrics)
    if training.main:
        prepared.keep(out)
        write_card(out, card)
        shutil.rmtree(folder)
    return Adapter(out, card)


def _run(prepared: Trainable) -> dict[str, Any]:
    """Return what makes two runs the same run, as JSON has it."""
    return {
        "base_fingerprint": prepared.base.fingerprint,
        "data_hash": prepared.data_hash,
        "held_out_hash": prepared.data.get("held_out_hash"),
        **({"parent": prepared.parent} if prepared.parent else {}),
        **_plain(replace(prepared.config, report_to=())),
    }


def _plain(config: TuneConfig) -> dict[str, Any]:
    return dict(json.loads(json.dumps(asdict(config))))


def _check_same_run(path: Path, run: dict[str, Any]) -> None:
    try:
        before = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot resume: {str(path)!r} can't be read: {error}") from error
    changed = [
        f"{name} was {before.get(name)!r}, now {value!r}"
        for name, value in run.items()
        if before.get(name) != value
    ]
    if changed:
        raise TrainingError(f"cannot resume with another setup: {'; '.join(changed)}")


def _card(out: Path, prepared: Trainable, metrics: dict[str, float]) -> Card:
    versions = {name: _version(name) for name in LIBRARIES}
    return Card(
        name=out.resolve().name,
        method=prepared.method,
        base=prepared.base.name,
        base_fingerprint=prepared.base.fingerprint,
        data_hash=prepared.data_hash,
        data=prepared.data,
        prompts=prepared.config.prompts,
        metrics=metrics,
        config={**_plain(prepared.config), "alpha": prepared.config.scale},
        libraries={name: version for name, version in versions.items() if version},
        weights_hash=file_hash(out / WEIGHTS),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        parent=prepared.parent,
    )
