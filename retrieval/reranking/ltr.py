"""A learning-to-rank model: LightGBM's trees over `features`. Loads and scores; trains nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from retrieval.errors import RerankerError
from retrieval.query import Candidate
from retrieval.reranking.behaviour import Behaviour, from_json
from retrieval.reranking.card import BEHAVIOUR, RankerCard, text_hash
from retrieval.reranking.features import NAMES, features
from retrieval.reranking.protocol import NO_CONTEXT, Context

ONE_THREAD = 1
"""A hundred rows are scored faster by one thread than shared out."""


class LTRReranker:
    """Scores candidates by trained trees.

    Args:
        trees: The model in LightGBM's text format.
        behaviour: What people did, where the context of a call brings nothing newer.

    Raises:
        RerankerError: If the model can't be read, or was trained on other features.
    """

    name = "ltr"

    def __init__(self, trees: str, behaviour: Behaviour | None = None) -> None:
        try:
            from lightgbm import Booster
            from lightgbm.basic import LightGBMError
        except ImportError as error:
            raise RerankerError(
                "this project's reranker needs lightgbm: pip install -e '.[rank]'"
            ) from error
        try:
            self._model: Any = Booster(model_str=trees)
        except LightGBMError as error:
            raise RerankerError(f"the trees of the reranker are broken: {error}") from error
        self._behaviour = behaviour
        _check_features(tuple(self._model.feature_name()))

    def rank(
        self, query: str, candidates: Sequence[Candidate], context: Context = NO_CONTEXT
    ) -> list[float]:
        """Return the trees' score of each candidate."""
        if not candidates:
            return []
        if context.behaviour is None:
            context = replace(context, behaviour=self._behaviour)
        matrix = features(query, candidates, context)
        scores: list[float] = self._model.predict(matrix, num_threads=ONE_THREAD).tolist()
        return scores


def _check_features(trained: tuple[str, ...]) -> None:
    if trained != NAMES:
        gone = [name for name in trained if name not in NAMES]
        new = [name for name in NAMES if name not in trained]
        raise RerankerError(
            f"the reranker was trained on {len(trained)} features, this version has {len(NAMES)} "
            f"(unknown now: {gone!r}, new: {new!r}, or another order); tune it again"
        )


def open_ltr(folder: Path, card: RankerCard) -> LTRReranker:
    """Return the learning-to-rank model of a project.

    Raises:
        RerankerError: If a file is missing or damaged, or it was trained on other features.
    """
    path = folder / card.model
    try:
        trees = path.read_text(encoding="utf-8")
        told = folder / BEHAVIOUR
        table = from_json(json.loads(told.read_text("utf-8"))) if told.is_file() else None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RerankerError(
            f"the reranker in {str(folder)!r} can't be read: {error!r}; tune it again, or delete "
            "ranker.json to go without"
        ) from error
    if text_hash(trees) != card.model_hash:
        raise RerankerError(
            f"{str(path)!r} is not the file that ranker.json was written for; tune it again, or "
            "delete ranker.json to go without"
        )
    return LTRReranker(trees, table)
