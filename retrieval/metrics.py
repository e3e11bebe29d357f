"""Measures of rankings, and how sure one can be of them. Pure; knows no index and no items.

A ranking is a sequence of keys (item ids, rows …), best first, each at most once. Judgements are a
mapping from key to rating, or a set of relevant keys. What nobody rated is not in the mapping: it
counts as 0 in a ranking as it stands, and is left out of a `condensed` one. Where a measure has no
value for a query (nothing relevant was judged) it is NaN, and the caller says how many there were.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=Hashable)
Gain = Callable[[float], float]

RESAMPLES = 2000
CHUNK = 1_000_000
"""Values drawn at a time in a bootstrap, so that many queries need no gigabytes."""


def exponential(rating: float) -> float:
    """Return 2^rating - 1: the best are worth much more (Burges et al., ICML 2005)."""
    return float(2.0**rating - 1.0)


def linear(rating: float) -> float:
    """Return the rating itself (Järvelin & Kekäläinen, TOIS 2002)."""
    return rating


def dcg(gains: Sequence[float], k: int) -> float:
    """Return the discounted cumulated gain of the first k: sum of gain / log2(rank + 1)."""
    first = np.asarray(gains[:k], dtype=np.float64)
    return float((first / np.log2(np.arange(2, len(first) + 2))).sum())


def ndcg_at_k(
    ranking: Sequence[T], ratings: Mapping[T, float], k: int, gain: Gain = exponential
) -> float:
    """Return DCG over that of the best possible ranking, 0 to 1 (Järvelin & Kekäläinen 2002).

    Keys without a rating gain nothing. NaN where no rating gains anything.
    """
    best = dcg(sorted(map(gain, ratings.values()), reverse=True), k)
    if best <= 0:
        return float("nan")
    return dcg([gain(ratings[key]) if key in ratings else 0.0 for key in ranking[:k]], k) / best


def condensed(ranking: Sequence[T], ratings: Collection[T]) -> list[T]:
    """Return a ranking without what nobody rated (condensed list; Sakai, SIGIR 2007)."""
    return [key for key in ranking if key in ratings]


def recall_at_k(ranking: Sequence[T], relevant: Collection[T], k: int) -> float:
    """Return the share of the relevant keys that are among the first k; NaN without any."""
    if not relevant:
        return float("nan")
    return len(set(ranking[:k]).intersection(relevant)) / len(set(relevant))


def reciprocal_rank(ranking: Sequence[T], relevant: Collection[T]) -> float:
    """Return 1 / rank of the first relevant key, 0 where there is none in the ranking."""
    found = (1.0 / rank for rank, key in enumerate(ranking, start=1) if key in relevant)
    return next(found, 0.0)


def mrr(rankings: Sequence[Sequence[T]], relevant: Sequence[Collection[T]]) -> float:
    """Return the mean reciprocal rank over queries, NaN without queries.

    Raises:
        ValueError: If there are not as many rankings as sets of relevant keys.
    """
    pairs = list(zip(rankings, relevant, strict=True))
    if not pairs:
        return float("nan")
    return float(np.mean([reciprocal_rank(ranking, keys) for ranking, keys in pairs]))


def average_precision(ranking: Sequence[T], relevant: Collection[T]) -> float:
    """Return the mean over relevant keys of the precision where each is found; NaN without any."""
    if not relevant:
        return float("nan")
    hits = np.array([key in relevant for key in ranking], dtype=np.float64)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / len(set(relevant)))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over queries with its bootstrap interval, 95 % unless asked otherwise."""

    mean: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float | int]:
        """Return the estimate as plain JSON values."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "n": self.n}


def mean_interval(
    values: Sequence[float], seed: int = 0, resamples: int = RESAMPLES, confidence: float = 0.95
) -> Estimate:
    """Return the mean with its percentile bootstrap interval (Efron & Tibshirani 1993, ch. 13).

    Raises:
        ValueError: If there are no values, or one is not a number.
    """
    data = np.asarray(values, dtype=np.float64)
    if not len(data) or not np.isfinite(data).all():
        raise ValueError(
            f"expected one finite value per query, got {len(data)} values of which "
            f"{int((~np.isfinite(data)).sum())} are not numbers; leave out queries without a value"
        )
    means = _resampled_means(data, seed, resamples)
    edge = 50 * (1 - confidence)
    low, high = np.percentile(means, [edge, 100 - edge])
    return Estimate(float(data.mean()), float(low), float(high), len(data))


def paired_bootstrap(
    ours: Sequence[float],
    theirs: Sequence[float],
    seed: int = 0,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Estimate:
    """Return the mean difference ours - theirs with its interval, queries resampled in pairs.

    The paired bootstrap of Sakai (SIGIR 2006): the same queries are drawn for both systems, so the
    difference of easy and hard queries does not blur that of the systems.

    Args:
        ours, theirs: The value of each query, in the same order.

    Raises:
        ValueError: If the lengths differ, there are no values, or one is not a number.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"expected the same queries twice, got {len(ours)} and {len(theirs)}")
    differences = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    return mean_interval(differences.tolist(), seed, resamples, confidence)


def holm(raw: Mapping[str, float]) -> dict[str, float]:
    """Return p-values corrected for how many there are (Holm 1979), at most 1."""
    adjusted, least = dict[str, float](), 0.0
    for place, name in enumerate(sorted(raw, key=lambda name: raw[name])):
        least = max(least, (len(raw) - place) * raw[name])
        adjusted[name] = min(1.0, least)
    return adjusted


def _resampled_means(data: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    at_once = max(1, CHUNK // len(data))
    means = [
        data[random.integers(len(data), size=(min(at_once, resamples - start), len(data)))].mean(1)
        for start in range(0, resamples, at_once)
    ]
    return np.concatenate(means)
