"""How far the satisfaction formula agrees with what people said of dialogues.

Dialogues are split in two by a hash of their id: the word lists and weights were chosen on the dev
part, and only figures of the test part count. Pure; knows no file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from finetune.simulator.satisfaction import satisfaction
from finetune.simulator.transcripts import Said, read_signals

RESAMPLES = 1000
Part = Literal["dev", "test"]
Values = NDArray[np.float64]
Statistic = Callable[[Values, Values], float]


@dataclass(frozen=True, slots=True)
class Judged:
    """A dialogue, or the part of one up to a turn, with what people said of it.

    Args:
        dialogue: Id of the dialogue; what belongs to one is resampled together.
        rating: The judgement, more is better; 0 or 1 where people only said satisfied or not.
        system: Who talked, where several were compared.
    """

    dialogue: str
    said: tuple[Said, ...]
    rating: float
    system: str = ""


def part_of(dialogue: str) -> Part:
    """Return the part of the split that a dialogue belongs to, whatever else there is."""
    return "test" if sha256(dialogue.encode()).digest()[-1] % 2 else "dev"


def spearman(estimates: Values, ratings: Values) -> float:
    """Return Spearman's rank correlation; NaN where one side is constant."""
    from scipy.stats import rankdata

    if np.ptp(estimates) == 0 or np.ptp(ratings) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(estimates), rankdata(ratings))[0, 1])


def kendall(estimates: Values, ratings: Values) -> float:
    """Return Kendall's tau-b; NaN where one side is constant."""
    from scipy.stats import kendalltau

    if np.ptp(estimates) == 0 or np.ptp(ratings) == 0:
        return float("nan")
    return float(kendalltau(estimates, ratings).statistic)


def auc(estimates: Values, ratings: Values) -> float:
    """Return the chance that a satisfied dialogue gets more than another, ties counting half.

    The Mann-Whitney statistic over its maximum (Hanley and McNeil 1982); NaN where all are alike.
    """
    from scipy.stats import rankdata

    good = ratings > 0.5
    n, m = int(good.sum()), int((~good).sum())
    if n == 0 or m == 0:
        return float("nan")
    return float((rankdata(estimates)[good].sum() - n * (n + 1) / 2) / (n * m))


@dataclass(frozen=True, slots=True)
class Agreement:
    """A statistic with its 95 % bootstrap interval, dialogues resampled."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Return plain JSON values; None where the statistic has no value."""
        named = {"value": self.value, "low": self.low, "high": self.high}
        return {key: round(v, 4) if np.isfinite(v) else None for key, v in named.items()}


def agreement(
    estimates: Sequence[float], judged: Sequence[Judged], statistic: Statistic, seed: int = 0
) -> Agreement:
    """Return how estimates agree with judgements, in the same order."""
    made, ratings = np.asarray(estimates), np.array([one.rating for one in judged])
    rows = _rows([one.dialogue for one in judged])
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = np.concatenate([rows[i] for i in random.integers(len(rows), size=len(rows))])
        drawn.append(statistic(made[chosen], ratings[chosen]))
    return _interval(statistic(made, ratings), drawn)


def system_agreement(
    estimates: Sequence[float], judged: Sequence[Judged], statistic: Statistic, seed: int = 0
) -> Agreement:
    """Return how the mean estimates of systems agree with their mean judgements.

    Dialogues are resampled within their system, so that each keeps its number.
    """
    made, ratings = np.asarray(estimates), np.array([one.rating for one in judged])
    rows = _rows([one.system for one in judged])
    random = np.random.default_rng(seed)

    def means(own: Sequence[NDArray[np.int64]]) -> float:
        return statistic(
            np.array([made[rows].mean() for rows in own]),
            np.array([ratings[rows].mean() for rows in own]),
        )

    drawn = [means([random.choice(own, len(own)) for own in rows]) for _ in range(RESAMPLES)]
    return _interval(means(rows), drawn)


def _rows(keys: Sequence[str]) -> list[NDArray[np.int64]]:
    by_key: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        by_key[key].append(row)
    return [np.array(rows) for rows in by_key.values()]


def _interval(value: float, drawn: Sequence[float]) -> Agreement:
    known = [one for one in drawn if np.isfinite(one)]
    if not np.isfinite(value) or not known:
        return Agreement(value, float("nan"), float("nan"))
    low, high = np.percentile(known, [2.5, 97.5])
    return Agreement(value, float(low), float(high))


def estimate(judged: Judged) -> float:
    """Return the formula's satisfaction of a dialogue, from its words."""
    return satisfaction(read_signals(judged.said))


def _turns(judged: Judged) -> float:
    return float(sum(one.role == "user" for one in judged.said))


def _words(judged: Judged) -> float:
    return float(sum(len(one.text.split()) for one in judged.said))


ESTIMATORS: Mapping[str, Callable[[Judged], float]] = {
    "ours": estimate, "constant": lambda _: 0.0, "turns": _turns, "words": _words,
}  # fmt: skip
"""The formula, and what any estimator has to beat."""


def validity(judged: Sequence[Judged], *, binary: bool = False) -> dict[str, dict[str, Any]]:
    """Return the figures of every estimator on some judged dialogues.

    Args:
        binary: Whether people only said satisfied or not; then AUC, and where several systems
            talked, the rank correlation of their means.
    """
    named: dict[str, Statistic] = (
        {"auc": auc} if binary else {"spearman": spearman, "kendall": kendall}
    )
    found: dict[str, dict[str, Any]] = {}
    for name, estimator in ESTIMATORS.items():
        made = [estimator(one) for one in judged]
        found[name] = {
            key: agreement(made, judged, statistic).to_json() for key, statistic in named.items()
        }
        if any(one.system for one in judged):
            found[name] |= {
                "systems_spearman": system_agreement(made, judged, spearman).to_json(),
                "systems_kendall": system_agreement(made, judged, kendall).to_json(),
            }
    return found
