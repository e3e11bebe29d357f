"""Search for how to train: Optuna over learning rate, rank, batch size and epochs.

Trials are judged by the loss on held-out rows and given up when they fall behind. The study lives
in a SQLite file, so that a search goes on where it stopped. This module does not know how a trial
trains (`finetune.sft`).
"""

from __future__ import annotations

import json
import logging
import math
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from finetune.errors import DataError, MissingExtra, TrainingError
from finetune.sft import Prepared, fit
from finetune.sft_config import SFTConfig, write_config

STUDY = "study.db"
BEST = "best.toml"
NAME = "sft"
STARTUP = 4
"""Trials that are run to their end, so that later ones have something to be compared with."""


@dataclass(frozen=True, slots=True)
class Space:
    """What is tried; batch is the number of examples in a step."""

    learning_rate: tuple[float, float] = (2e-5, 2e-3)
    rank: tuple[int, ...] = (8, 16, 32, 64)
    batch: tuple[int, ...] = (8, 16, 32, 64)
    epochs: tuple[int, int] = (1, 4)


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration that was tried; `loss` of one given up is its last."""

    number: int
    state: str
    loss: float | None
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """All trials of a study, and the best configuration, if one came to its end."""

    trials: tuple[Trial, ...]
    best: SFTConfig | None
    loss: float | None


def search(
    prepared: Prepared,
    out: Path,
    *,
    trials: int,
    space: Space | None = None,
    progress: bool = False,
) -> SearchResult:
    """Run trials until a study has as many as asked, and write the best configuration.

    Raises:
        DataError: If nothing is held out to judge by.
        TrainingError: If the folder holds another study, or one that is being searched.
    """
    optuna = _optuna(progress)
    from filelock import FileLock, Timeout

    if not prepared.held:
        raise DataError("nothing is held out to judge trials by: give --held, or --eval-share")
    out.mkdir(parents=True, exist_ok=True)
    space = space or Space()
    try:
        with FileLock(out / "search.lock", timeout=0):
            study = _open_study(optuna, out, prepared, space)
            _run_trials(optuna, study, prepared, out, trials, space)
    except Timeout as error:
        raise TrainingError(f"another search is running in {str(out)!r}") from error
    result = _result(study, prepared.config)
    if result.best is not None:
        write_config(out / BEST, result.best)
    return result


def _optuna(progress: bool) -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra("searching needs optuna: pip install -e '.[train]'") from error
    optuna.logging.set_verbosity(logging.INFO if progress else logging.WARNING)
    return optuna


def _open_study(optuna: Any, out: Path, prepared: Prepared, space: Space) -> Any:
    """Return the study in a folder, new or old, with trials that a crash cut off queued again."""
    study = optuna.create_study(
        study_name=NAME,
        storage=f"sqlite:///{out / STUDY}",
        load_if_exists=True,
        direction="minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP),
    )
    about = _about(prepared, space)
    before = study.user_attrs.get("about")
    if before is None:
        study.set_user_attr("about", about)
    elif before != about:
        changed = ", ".join(name for name in about if about[name] != before.get(name))
        raise TrainingError(
            f"{str(out)!r} holds a study with another setup ({changed}): give another folder"
        )
    # A trial knows its place, so a study that goes on doesn't draw the same numbers again.
    seed = prepared.config.seed + len(study.trials)
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params)
    return study


def _about(prepared: Prepared, space: Space) -> dict[str, Any]:
    """Return what all trials of a study have in common, as JSON has it."""
    fixed = asdict(prepared.config)
    for searched in ("learning_rate", "rank", "accumulation", "batch_size", "epochs", "report_to"):
        del fixed[searched]
    about = {
        "base_fingerprint": prepared.base.fingerprint,
        "data_hash": prepared.data_hash,
        "held_out_hash": prepared.data.get("held_out_hash"),
        "space": asdict(space),
        **fixed,
    }
    return dict(json.loads(json.dumps(about)))


def _run_trials(
    optuna: Any, study: Any, prepared: Prepared, out: Path, trials: int, space: Space
) -> None:
    def objective(trial: Any) -> float:
        config = _drawn(trial, prepared.config, space)
        folder = out / "trials" / str(trial.number)

        told = 0

        def watch(epoch: float, metrics: Mapping[str, float]) -> None:
            # Counted by examples seen, not by steps: batches differ between trials.
            nonlocal told
            place = int(epoch * config.evals_per_epoch + 1e-6)
            if place > told:
                told = place
                trial.report(metrics["eval_loss"], place)
                if trial.should_prune():
                    raise optuna.TrialPruned

        try:
            adapter = fit(replace(prepared, config=config), folder, watch=watch)
        except TrainingError as error:  # diverged, or too big for the device: a bad place to be
            raise optuna.TrialPruned(str(error)) from error
        except KeyboardInterrupt:
            study.enqueue_trial(trial.params)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return adapter.card.metrics["eval_loss"]

    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    left = trials - len(study.get_trials(states=ended))
    if left > 0:
        study.optimize(objective, n_trials=left, gc_after_trial=True)
    shutil.rmtree(out / "trials", ignore_errors=True)


def _drawn(trial: Any, config: SFTConfig, space: Space) -> SFTConfig:
    """Return a configuration with values drawn; the batch on each device grows no larger."""
    batch = trial.suggest_categorical("batch", space.batch)
    return _with(
        config,
        learning_rate=trial.suggest_float("learning_rate", *space.learning_rate, log=True),
        rank=trial.suggest_categorical("rank", space.rank),
        batch=batch,
        epochs=trial.suggest_int("epochs", *space.epochs),
    )


def _with(
    config: SFTConfig, *, learning_rate: float, rank: int, batch: int, epochs: int
) -> SFTConfig:
    size = math.gcd(config.batch_size, batch)
    return replace(
        config,
        learning_rate=learning_rate,
        rank=rank,
        batch_size=size,
        accumulation=batch // size,
        epochs=float(epochs),
    )


def _result(study: Any, config: SFTConfig) -> SearchResult:
    tried = tuple(
        Trial(trial.number, trial.state.name.lower(), _last_loss(trial), trial.params)
        for trial in study.trials
    )
    done = [trial for trial in tried if trial.state == "complete" and trial.loss is not None]
    if not done:
        return SearchResult(tried, None, None)
    best = min(done, key=lambda trial: trial.loss or 0.0)
    return SearchResult(tried, _with(config, **best.params), best.loss)


def _last_loss(trial: Any) -> float | None:
    if trial.value is not None:
        return float(trial.value)
    if trial.intermediate_values:
        return float(trial.intermediate_values[max(trial.intermediate_values)])
    return None
