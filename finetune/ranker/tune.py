"""`attune tune ranker` and `cross-encoder`: train, compare with the present ranking, keep or not.

A reranker becomes the project's only if its nDCG@10 on queries it did not see is better than that
of the present ranking, with the paired bootstrap interval of the difference above 0.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from finetune.errors import TrainingError
from finetune.ranker import cross_encoder, ltr
from finetune.ranker.cross_encoder import CrossEncoderConfig, Pair
from finetune.ranker.data import read_feedback, read_judgements
from finetune.ranker.groups import (
    Gathered,
    Group,
    feedback_groups,
    judged_groups,
    linked_context,
)
from finetune.ranker.ltr import LTRConfig
from finetune.weights import file_hash
from retrieval.metrics import Estimate, linear, ndcg_at_k, paired_bootstrap
from retrieval.project import replace_file
from retrieval.reranking.behaviour import to_json
from retrieval.reranking.card import (
    BEHAVIOUR,
    CARD,
    TREES,
    WEIGHTS,
    RankerCard,
    text_hash,
    write_card,
)
from retrieval.reranking.cross_encoder import CrossEncoderReranker
from retrieval.reranking.features import NAMES
from retrieval.reranking.protocol import reordered
from retrieval.retriever import Retriever
from retrieval.texts import item_text

FEWEST = 20
"""Queries with items rated differently below which nothing is trained."""
K = 10


@dataclass(frozen=True, slots=True)
class Source:
    """The file of labels: judgements or feedback, exactly one."""

    judgements: Path | None = None
    feedback: Path | None = None

    def __post_init__(self) -> None:
        """Refuse both or neither."""
        if (self.judgements is None) == (self.feedback is None):
            raise TrainingError("expected a file of judgements or one of feedback, one of the two")

    @property
    def path(self) -> Path:
        """The file that is given."""
        path = self.judgements or self.feedback
        assert path is not None
        return path


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a reranker did on queries it did not see, beside the present ranking."""

    ours: float
    present: float
    difference: Estimate

    @property
    def better(self) -> bool:
        """Whether it is better beyond chance."""
        return self.difference.low > 0

    def metrics(self) -> dict[str, float]:
        """Return the figures under the names of a card."""
        return {
            "ndcg@10": self.ours,
            "ndcg@10_present": self.present,
            "difference": self.difference.mean,
            "difference_low": self.difference.low,
            "difference_high": self.difference.high,
            "queries": float(self.difference.n),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a tuning: the verdict, and where the reranker is kept, if it is."""

    kind: str
    verdict: Verdict
    kept: Path | None
    groups: int
    unfound: int


def gather(retriever: Retriever, source: Source) -> Gathered:
    """Return labelled candidates of a project.

    Raises:
        DataError: If the file can't be used, or is about another catalog.
        TrainingError: If too few queries have items rated differently.
    """
    context_of = linked_context(retriever)
    if source.judgements is not None:
        found = judged_groups(retriever, read_judgements(source.judgements), context_of)
    else:
        found = feedback_groups(retriever, read_feedback(source.path), context_of)
    enough(found.groups)
    return found


def enough(groups: Sequence[Group]) -> None:
    """Refuse labels that nothing can be learned from."""
    count = len({group.key for group in groups if group.learnable})
    if count < FEWEST:
        raise TrainingError(
            f"{count} queries have found items that are rated differently; at least {FEWEST} are "
            "needed, and some hundreds to be sure of a difference"
        )


def ndcg(group: Group, scores: Sequence[float]) -> float:
    """Return nDCG@10 of a group's candidates by scores; NaN where nothing is worth showing."""
    order = reordered(group.candidates, scores)
    return ndcg_at_k([group.candidates[at].item.id for at in order], group.gains, K, linear)


def compare(groups: Sequence[Group], scores: Sequence[Sequence[float]], seed: int) -> Verdict:
    """Return the verdict on scores; candidates of a group are in the present order."""
    ours = [ndcg(group, own) for group, own in zip(groups, scores, strict=True)]
    present = [ndcg(group, [0.0] * len(group.candidates)) for group in groups]
    both = [(a, b) for a, b in zip(ours, present, strict=True) if not np.isnan(a)]
    left, right = [a for a, _ in both], [b for _, b in both]
    difference = paired_bootstrap(left, right, seed)
    return Verdict(float(np.mean(left)), float(np.mean(right)), difference)


def tune_ltr(
    retriever: Retriever, source: Source, config: LTRConfig, out: Path | None = None
) -> Outcome:
    """Cross-validate a learning-to-rank model and keep one of all labels if it is better.

    Args:
        out: Where it is kept; by default the project.
    """
    found = gather(retriever, source)
    validated = ltr.cross_validate(found.groups, config)
    verdict = compare(found.groups, [list(own) for own in validated.scores], config.seed)
    kept = None
    if verdict.better:
        kept = out or retriever.folder
        trees = ltr.fit(found.groups, config, validated.rounds)
        keep_trees(kept, trees, found, _told(retriever, found, source, verdict, asdict(config)))
    return Outcome("ltr", verdict, kept, len(found.groups), found.unfound)


def keep_trees(folder: Path, trees: str, found: Gathered, told: Mapping[str, Any]) -> None:
    """Make trees the reranker of a project; the card comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)
    replace_file(folder / TREES, trees)
    if found.behaviour is not None:
        replace_file(folder / BEHAVIOUR, json.dumps(to_json(found.behaviour)))
    else:
        (folder / BEHAVIOUR).unlink(missing_ok=True)
    card = RankerCard(
        kind="ltr", model=TREES, model_hash=text_hash(trees), features=NAMES,
        libraries=_versions("lightgbm"), **told,
    )  # fmt: skip
    write_card(folder, card)


def _told(
    retriever: Retriever,
    found: Gathered,
    source: Source,
    verdict: Verdict,
    config: Mapping[str, Any],
) -> dict[str, Any]:
    data = {
        "kind": "judgements" if source.judgements is not None else "feedback",
        "groups": len(found.groups),
        "queries": len({group.key for group in found.groups}),
        "candidates": sum(len(group.candidates) for group in found.groups),
        "labels_not_found": found.unfound,
        "hash": file_hash(source.path),
    }
    return {
        "encoder": retriever.encoder.name,
        "data": data,
        "metrics": verdict.metrics(),
        "config": dict(config),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _versions(*libraries: str) -> dict[str, str]:
    return {name: version(name) for name in libraries}


def tune_cross_encoder(
    retriever: Retriever,
    source: Source,
    config: CrossEncoderConfig,
    out: Path | None = None,
    *,
    progress: bool = False,
) -> Outcome:
    """Train a cross-encoder on four fifths of the queries; keep it if it is better on the rest.

    With `epochs` 0 the base is compared as it is, and kept by its name.

    Args:
        out: Where it is kept; by default the project.
    """
    found = gather(retriever, source)
    held_queries = ltr.share_of([group.key for group in found.groups], 0.2, config.seed)
    held = [group for group in found.groups if group.key in held_queries]
    seen = [group for group in found.groups if group.key not in held_queries]
    leading = retriever.manifest.leading
    folder = out or retriever.folder
    with tempfile.TemporaryDirectory() as scratch:
        place, trained = config.base, Path(scratch) / WEIGHTS
        if config.epochs:
            pairs = pairs_of(seen, leading)
            cross_encoder.train(pairs, trained, config, progress=progress)
            place = str(trained)
        reranker = CrossEncoderReranker(place, leading)
        scores = [reranker.rank(group.query, group.candidates) for group in held]
        verdict = compare(held, scores, config.seed)
        if verdict.better:
            told = _told(retriever, found, source, verdict, asdict(config))
            keep_cross_encoder(folder, trained if config.epochs else None, config.base, told)
    kept = folder if verdict.better else None
    return Outcome("cross-encoder", verdict, kept, len(found.groups), found.unfound)


def keep_cross_encoder(
    folder: Path, trained: Path | None, name: str, told: Mapping[str, Any]
) -> None:
    """Make a cross-encoder the reranker of a project: a trained folder, or one by name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)
    own = folder / WEIGHTS
    shutil.rmtree(own, ignore_errors=True)
    if trained is not None:
        scratch = own.with_name(f"{own.name}.{os.getpid()}.tmp")
        shutil.copytree(trained, scratch)
        os.replace(scratch, own)
    libraries = _versions("sentence-transformers", "transformers", "torch")
    model = WEIGHTS if trained is not None else name
    write_card(folder, RankerCard(kind="cross-encoder", model=model, libraries=libraries, **told))


def pairs_of(groups: Sequence[Group], leading: Sequence[str]) -> list[Pair]:
    """Return the labelled pairs of groups; labels are grades over the highest."""
    highest = ltr.highest_grade(groups)
    return [
        Pair(group.query, item_text(one.item, leading), float(grade) / highest)
        for group in groups
        for one, grade in zip(group.candidates, group.grades, strict=True)
    ]
