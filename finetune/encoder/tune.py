"""Tune a project's encoder: train, choose, decide, and switch only where it is better.

`prepare` reads and times, `fit` does the rest. A run that was cut off goes on where it was: at its
last checkpoint, or after the training. This module knows the order, not how each step is done.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from finetune.encoder.card import EncoderCard, keep, libraries, license_of, weights_hash, write_card
from finetune.encoder.compare import Decision, Measured, decide, halves, mean_of, measure
from finetune.encoder.pairs import Pair, hash_of
from finetune.encoder.prepare import (
    ALPHAS,
    Cost,
    Data,
    Options,
    base_place,
    make_config,
    read_data,
    rows_of,
    training_pairs,
)
from finetune.encoder.train import State, TrainConfig, between, load_model, train, weights
from finetune.errors import TrainingError
from retrieval.encoder import make_encoder
from retrieval.errors import IndexError_
from retrieval.lock import WriterLock
from retrieval.project import read_manifest
from retrieval.query import Encoder
from retrieval.reencode import Switch, check_can_switch, previous_encoder, reencode
from retrieval.retriever import Retriever

WORK = "tuning"
RUN = "run.json"
TUNED = "tuned.safetensors"
BATCH = 64
SAME = 1e-3
"""How far a vector of the exported encoder may be from torch's."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a tuning needs, and what it will take."""

    folder: Path
    options: Options
    retriever: Retriever
    data: Data
    place: Path
    config: TrainConfig
    cost: Cost | None
    resumed: bool

    @property
    def work(self) -> Path:
        """Return the folder of checkpoints."""
        return (self.options.out or self.folder) / WORK


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a tuning ended.

    Args:
        folder: Of the tuned encoder, where it was kept.
        switch: What was switched; None where the old encoder stays, or only files were asked for.
    """

    decision: Decision
    alpha: float
    name: str = ""
    folder: Path | None = None
    switch: Switch | None = None


def prepare(folder: Path, encoder: Encoder, options: Options) -> Prepared:
    """Read and check everything that is cheap and can fail, and time a few steps.

    Args:
        encoder: The one the project has.

    Raises:
        RetrievalError: If there is no such project, or it cannot be switched to another encoder.
        FinetuneError: If its encoder cannot be tuned, there are too few items, or the feedback or
            judgements cannot be used.
    """
    manifest = read_manifest(folder)
    if options.out is None:
        check_can_switch(folder, manifest, "")
        WriterLock(folder).release()
    place = base_place(folder, manifest.encoder)
    retriever = Retriever.open(folder, encoder, write=False)
    try:
        data = read_data(retriever, options)
        work = (options.out or folder) / WORK
        asked = _asked(data, options, place)
        config = _unfinished(work / RUN, asked)
        cost = None
        resumed = config is not None
        if config is None:
            config, cost = make_config(data, options, place, encoder)
    except BaseException:
        retriever.close()
        raise
    return Prepared(folder, options, retriever, data, place, config, cost, resumed)


def _asked(data: Data, options: Options, place: Path) -> dict[str, Any]:
    """Return what makes two runs the same, as JSON values."""
    given = [[case.query, sorted(case.ratings.items())] for case in data.given.cases]
    asked = {
        "options": {name: str(value) for name, value in asdict(options).items()},
        "items": data.hash,
        "pairs": hash_of(data.corpus, data.given.pairs),
        "cases": given,
        "base": weights_hash(place),
    }
    loaded: dict[str, Any] = json.loads(json.dumps(asked))
    return loaded


def _unfinished(path: Path, asked: dict[str, Any]) -> TrainConfig | None:
    """Return the configuration of the same run, if it was begun before."""
    try:
        run = json.loads(path.read_text("utf-8"))
        return TrainConfig(**run["config"]) if run["asked"] == asked else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fit(prepared: Prepared, *, progress: bool = False) -> Outcome:
    """Train, and switch the project to the new encoder where held-out queries say it is better.

    Raises:
        TrainingError: If training diverged, or the export is not equal to what was trained.
        IndexLocked: If another process is writing to the project by then; the next call goes on.
    """
    try:
        pairs, base, tuned = _train(prepared, progress)
        alpha, alphas, decision, model = _choose(prepared, base, tuned)
        if not decision.accepted:
            shutil.rmtree(prepared.work, ignore_errors=True)
            return Outcome(decision, alpha)
        parent = prepared.options.out or prepared.folder
        kept = keep(model, parent)
        name = f"tuned:{kept.name.removeprefix('encoder-')}"
        write_card(kept, _card(prepared, name, pairs, alpha, alphas, decision))
        encoder = make_encoder(name, None, parent)
        _check_export(encoder, model, prepared.data)
    finally:
        prepared.retriever.close()
    switch = None
    if prepared.options.out is None:
        switch = reencode(prepared.folder, encoder, progress=progress)
        remove_unused(prepared.folder)
    shutil.rmtree(prepared.work, ignore_errors=True)
    return Outcome(decision, alpha, name, kept, switch)


def _train(prepared: Prepared, progress: bool) -> tuple[list[Pair], State, State]:
    """Return the pairs, the weights before and those after; trains only what was not yet."""
    from safetensors.torch import load_file, save_file

    work, config = prepared.work, prepared.config
    if not prepared.resumed:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        asked = _asked(prepared.data, prepared.options, prepared.place)
        (work / RUN).write_text(json.dumps({"asked": asked, "config": asdict(config)}), "utf-8")
    pairs = training_pairs(prepared.data, prepared.retriever, config)
    model = load_model(str(prepared.place))
    base = weights(model)
    if not (work / TUNED).is_file():
        rows = rows_of(prepared.data, pairs)
        train(model, rows, config, work, resume=prepared.resumed, progress=progress)
        save_file(weights(model), work / f"{TUNED}.tmp")
        os.replace(work / f"{TUNED}.tmp", work / TUNED)
    return pairs, base, load_file(work / TUNED)


def _choose(
    prepared: Prepared, base: State, tuned: State
) -> tuple[float, dict[str, float], Decision, Any]:
    """Return how far to go, the figures that say so, the decision, and the model.

    One half of the cases chooses, the other decides.
    """
    data = prepared.data
    choosing, deciding = halves(data.cases, prepared.options.seed)
    old = measure(
        data.cases, data.pool, data.vectors[data.pool], prepared.retriever.encoder.encode_queries
    )
    model = load_model(str(prepared.place))
    texts = [data.corpus.texts[row] for row in data.pool]

    def measured(alpha: float) -> Measured:
        model.load_state_dict(between(base, tuned, alpha))
        items = model.encode_document(texts, batch_size=BATCH, normalize_embeddings=True)
        return measure(data.cases, data.pool, items, lambda queries: model.encode_query(
            list(queries), batch_size=BATCH, normalize_embeddings=True))  # fmt: skip

    found = {alpha: measured(alpha) for alpha in ALPHAS}
    alphas = {alpha: mean_of(one, data.cases, choosing) for alpha, one in found.items()}
    best = max(alphas, key=lambda alpha: alphas[alpha])
    model.load_state_dict(between(base, tuned, best))
    decision = decide(old, found[best], data.cases, deciding, prepared.options.seed)
    return best, {f"{alpha:g}": figure for alpha, figure in alphas.items()}, decision, model


def _check_export(encoder: Encoder, model: Any, data: Data) -> None:
    """Check that the encoder as served gives the vectors of the one that was measured."""
    texts = data.corpus.texts[:BATCH] + [case.query for case in data.cases[:BATCH]]
    served = encoder.encode_items(texts)
    difference = float(np.abs(served - model.encode_document(
        texts, batch_size=BATCH, normalize_embeddings=True)).max())  # fmt: skip
    if difference > SAME:
        raise TrainingError(
            f"the exported encoder differs from the trained one by up to {difference:.2g}, "
            f"expected {SAME:g}; nothing was switched"
        )


def _card(
    prepared: Prepared,
    name: str,
    pairs: list[Pair],
    alpha: float,
    alphas: dict[str, float],
    decision: Decision,
) -> EncoderCard:
    data = prepared.data
    families = Counter(pair.family for pair in pairs)
    return EncoderCard(
        name=name,
        base=prepared.retriever.manifest.encoder,
        base_license=license_of(prepared.place),
        base_hash=weights_hash(prepared.place),
        data_hash=hash_of(data.corpus, pairs),
        data={
            "items": len(data.train),
            "held_out_items": len(data.corpus) - len(data.train),
            "pairs": len(pairs),
            **{f"pairs_{family}": count for family, count in sorted(families.items())},
        },
        config=asdict(prepared.config),
        alpha=alpha,
        alphas=alphas,
        decision=decision,
        libraries=libraries(),
        created=datetime.now(UTC).date().isoformat(),
    )


def rollback(folder: Path, cache: Path | None, *, progress: bool = False) -> Switch:
    """Switch a project back to the encoder it had before.

    Args:
        cache: Where exported encoders are kept that are not the project's own.

    Raises:
        IndexError_: If it has had no other.
        IndexLocked: If another process is writing to it.
    """
    read_manifest(folder)
    before = previous_encoder(folder)
    if before is None:
        raise IndexError_(
            f"the project at {str(folder)!r} has had one encoder only; there is none to go back to"
        )
    switch = reencode(folder, make_encoder(before, cache, folder), progress=progress)
    remove_unused(folder)
    return switch


def remove_unused(folder: Path) -> None:
    """Remove tuned encoders that are neither the present one nor the one before."""
    names = {read_manifest(folder).encoder, previous_encoder(folder)}
    for path in folder.glob("encoder-*"):
        if f"tuned:{path.name.removeprefix('encoder-')}" not in names:
            shutil.rmtree(path, ignore_errors=True)
