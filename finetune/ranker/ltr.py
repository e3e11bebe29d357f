"""LambdaMART (Burges 2010) with LightGBM over groups: cross-validated by query, then fitted.

This module does not know files, nor whether the model is used (`finetune.ranker.tune`).
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finetune.errors import MissingExtra, TrainingError
from finetune.ranker.groups import Group
from retrieval.metrics import exponential
from retrieval.reranking.features import NAMES

LEVELS = 30
"""Grades are told to LightGBM, which takes whole numbers, in so many steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LTRConfig:
    """How trees are grown.

    Args:
        folds: Of the cross-validation, by query.
        rounds: Trees, at most; early stopping finds how many help.
        patience: Trees without a better inner score before stopping.
        inner: Share of a fold's training queries that early stopping looks at.
        few: Queries below which an inner split says nothing; then `few_rounds` are grown.
        leaves: Of a tree; small, since labelled queries are few.
    """

    seed: int = 7
    folds: int = 5
    rounds: int = 400
    patience: int = 40
    inner: float = 0.2
    few: int = 250
    few_rounds: int = 150
    learning_rate: float = 0.05
    leaves: int = 4
    smallest_leaf: int = 20
    feature_share: float = 0.7
    row_share: float = 0.8
    l2: float = 5.0


def parameters(config: LTRConfig, highest: float) -> dict[str, Any]:
    """Return LightGBM's parameters; the same seed gives the same trees.

    Args:
        highest: The highest grade, which becomes level 30.
    """
    return {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [10],
        "label_gain": [exponential(level / LEVELS * highest) for level in range(LEVELS + 1)],
        "lambdarank_truncation_level": 20,
        "learning_rate": config.learning_rate,
        "num_leaves": config.leaves,
        "min_data_in_leaf": config.smallest_leaf,
        "feature_fraction": config.feature_share,
        "bagging_fraction": config.row_share,
        "bagging_freq": 1,
        "lambda_l2": config.l2,
        "seed": config.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        "feature_pre_filter": False,
    }


@dataclass(frozen=True, slots=True)
class _List:
    """Rows that are compared with each other."""

    rows: NDArray[np.int64]
    grades: NDArray[np.float64]
    weight: float


def lists(group: Group) -> Iterator[_List]:
    """Yield the lists of a group: its candidates, or one list for each click.

    A click at a place that few look at stands for many: each clicked item is compared with what
    was valued less, all pairs weighted by its own inverse propensity (propensity SVM-rank;
    Joachims, Swaminathan & Schnabel, WSDM 2017).
    """
    if not group.clicks:
        yield _List(np.arange(len(group.grades)), group.grades, 1.0)
        return
    for place in np.flatnonzero(group.grades):
        lower = np.flatnonzero(group.grades < group.grades[place])
        rows = np.concatenate([[place], lower])
        grades = np.zeros(len(rows))
        grades[0] = group.grades[place]
        yield _List(rows, grades, float(group.weights[place]))


def dataset(groups: Sequence[Group], highest: float, reference: Any = None) -> Any:
    """Return groups as LightGBM wants them.

    Raises:
        MissingExtra: If lightgbm is not installed.
    """
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtra("training a ranker needs lightgbm: pip install -e '.[rank]'") from error
    parts = [(group, one) for group in groups for one in lists(group) if len(one.rows) > 1]
    grades = np.concatenate([one.grades for _, one in parts])
    return lightgbm.Dataset(
        np.concatenate([group.matrix[one.rows] for group, one in parts]),
        label=np.rint(grades / highest * LEVELS).astype(int),
        group=[len(one.rows) for _, one in parts],
        weight=np.concatenate([np.full(len(one.rows), one.weight) for _, one in parts]),
        feature_name=list(NAMES),
        reference=reference,
        free_raw_data=False,
    )


def highest_grade(groups: Sequence[Group]) -> float:
    """Return the highest grade of all groups."""
    return max(float(group.grades.max(initial=0.0)) for group in groups)


def share_of(keys: Sequence[str], share: float, seed: int) -> set[str]:
    """Return a share of the queries, at least one."""
    unique = sorted(set(keys))
    order = np.random.default_rng(seed).permutation(len(unique))
    return {unique[place] for place in order[: max(1, round(share * len(unique)))]}


def grow(groups: Sequence[Group], config: LTRConfig, highest: float) -> Any:
    """Return a model of groups, its size found by early stopping where there are enough."""
    import lightgbm

    rounds = config.few_rounds
    if len({group.key for group in groups}) >= config.few:
        rounds = _rounds(groups, config, highest)
    return lightgbm.train(parameters(config, highest), dataset(groups, highest), rounds)


def _rounds(groups: Sequence[Group], config: LTRConfig, highest: float) -> int:
    """Return how many trees are best for an inner share of the queries, trained on the others."""
    import lightgbm

    inner = share_of([group.key for group in groups], config.inner, config.seed)
    seen = dataset([group for group in groups if group.key not in inner], highest)
    held = dataset([group for group in groups if group.key in inner], highest, seen)
    stop = lightgbm.early_stopping(config.patience, verbose=False)
    model = lightgbm.train(
        parameters(config, highest), seen, config.rounds, valid_sets=[held], callbacks=[stop]
    )
    return max(1, int(model.best_iteration))


@dataclass(frozen=True)
class CrossValidated:
    """Scores of each group's candidates by a model that saw none of its queries.

    Args:
        scores: In the order of the groups.
        rounds: How many trees helped in each fold.
    """

    scores: tuple[NDArray[np.float64], ...]
    rounds: tuple[int, ...]


def cross_validate(groups: Sequence[Group], config: LTRConfig) -> CrossValidated:
    """Return out-of-fold scores; folds are of queries, so that no query is on both sides.

    Raises:
        TrainingError: If there are fewer queries to learn from than folds.
    """
    queries = sorted({group.key for group in groups if group.learnable})
    if len(queries) < 2 * config.folds:
        raise TrainingError(
            f"{len(queries)} queries with items rated differently; expected at least "
            f"{2 * config.folds} for {config.folds} folds"
        )
    order = np.random.default_rng(config.seed).permutation(len(queries))
    fold_of = {queries[place]: turn % config.folds for turn, place in enumerate(order)}
    highest, rounds = highest_grade(groups), list[int]()
    scores: list[NDArray[np.float64]] = [np.zeros(len(group.candidates)) for group in groups]
    for fold in range(config.folds):
        seen = [g for g in groups if g.learnable and fold_of[g.key] != fold]
        model = grow(seen, config, highest)
        rounds.append(int(model.current_iteration()))
        for place, group in enumerate(groups):
            if fold_of.get(group.key, 0) == fold and len(group.candidates):
                scores[place] = model.predict(group.matrix, num_threads=1)
    return CrossValidated(tuple(scores), tuple(rounds))


def fit(groups: Sequence[Group], config: LTRConfig, rounds: Sequence[int]) -> str:
    """Return trees grown on all groups, as many as helped in the middle fold."""
    import lightgbm

    learnable = [group for group in groups if group.learnable]
    highest = highest_grade(groups)
    count = int(statistics.median(rounds))
    model = lightgbm.train(parameters(config, highest), dataset(learnable, highest), count)
    return str(model.model_to_string())
