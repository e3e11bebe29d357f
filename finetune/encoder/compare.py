"""Old encoder against new on queries that training never saw, and which of them is to serve.

A case is a query with ratings of items. All rankings are over one pool of items: those held out and
others to be mistaken for them. The choice of how far to go from the old weights is made on one
half of the cases, the decision on the other. This module does not train or load encoders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np

from finetune.encoder.corpus import Corpus, share_of
from finetune.encoder.pairs import Pair, is_answer
from finetune.encoder.phrases import FAMILIES, HELD, make_phrase
from retrieval.metrics import Estimate, ndcg_at_k, paired_bootstrap, reciprocal_rank
from retrieval.query import Vectors

Source = Literal["made", "feedback", "judged"]
"""Where a case comes from: made from an item, said by users' choices, or judged by people."""

K = 10
DEPTH = 100
POOL = 4000
"""Items that are ranked: enough to make mistakes among, few enough to encode again and again."""
CASES = 2000
ENOUGH = 30
"""Fewer cases that people labelled decide nothing."""
CHUNK = 256


@dataclass(frozen=True, slots=True)
class Case:
    """A query, and the rating of each row that answers it; others are rated 0."""

    query: str
    ratings: Mapping[int, float]
    source: Source = "made"
    family: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """nDCG@10 and reciprocal rank of each case."""

    ndcg: list[float]
    reciprocal: list[float]


@dataclass(frozen=True, slots=True)
class Gain:
    """One figure of one kind of case: the old encoder's, the new one's, and new - old."""

    source: Source
    figure: str
    old: float
    new: float
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the new encoder is to serve, and what was measured."""

    accepted: bool
    reason: str
    gains: tuple[Gain, ...]


def made_cases(corpus: Corpus, held: Sequence[int], count: int, seed: int) -> list[Case]:
    """Return cases made from held-out items, by families trained on and by those that are not."""
    random = Random(f"cases {seed}")
    cases: list[Case] = []
    for place in range(min(count, 4 * len(held))):
        row = held[place % len(held)]
        phrase = make_phrase(corpus, row, random, HELD if place % 5 == 0 else FAMILIES)
        if phrase is None:
            continue
        pair = Pair(phrase.text, row, phrase.wanted)
        rows = corpus.answering(phrase.wanted) | {row}
        ratings = {row: 1.0 for row in rows if is_answer(corpus, row, pair)}
        cases.append(Case(phrase.text, ratings, family=phrase.family))
    return cases


def make_pool(corpus: Corpus, held: Sequence[int], cases: Sequence[Case], seed: int) -> list[int]:
    """Return the rows to rank: those held out, those that given cases rate, and others."""
    needed = dict.fromkeys(held[:POOL])
    for case in cases:
        if case.source != "made":
            needed.update(dict.fromkeys(case.ratings))
    others = [row for row in range(len(corpus)) if row not in needed]
    more = max(0, min(POOL - len(needed), len(others)))
    return sorted([*needed, *Random(f"pool {seed}").sample(others, more)])


def measure(
    cases: Sequence[Case],
    pool: Sequence[int],
    items: Vectors,
    encode_queries: Callable[[Sequence[str]], Vectors],
) -> Measured:
    """Return how an encoder ranks a pool for each case; every case has an answer in the pool.

    Args:
        items: Vectors of the pool's items, shape (len(pool), dimension).
    """
    rows = np.asarray(pool)
    inside = set(pool)
    ndcg: list[float] = []
    reciprocal: list[float] = []
    for start in range(0, len(cases), CHUNK):
        chunk = cases[start : start + CHUNK]
        scores = encode_queries([case.query for case in chunk]) @ items.T
        best = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
        for case, order in zip(chunk, best, strict=True):
            ranking = rows[order].tolist()
            ratings = {row: rating for row, rating in case.ratings.items() if row in inside}
            ndcg.append(ndcg_at_k(ranking, ratings, K))
            good = {row for row, rating in ratings.items() if rating >= max(ratings.values()) / 2}
            reciprocal.append(reciprocal_rank(ranking, good))
    return Measured(ndcg, reciprocal)


def in_pool(cases: Sequence[Case], pool: Sequence[int]) -> list[Case]:
    """Return the cases that have an answer in a pool."""
    inside = set(pool)
    return [
        case
        for case in cases
        if any(rating > 0 and row in inside for row, rating in case.ratings.items())
    ]


def halves(cases: Sequence[Case], seed: int) -> tuple[list[int], list[int]]:
    """Return the places of the cases to choose on, and of those to decide on; by the query."""
    first = [share_of(case.query.casefold(), seed + 1) < 0.5 for case in cases]
    choosing = [place for place, chosen in enumerate(first) if chosen]
    return choosing, [place for place, chosen in enumerate(first) if not chosen]


def decisive(cases: Sequence[Case]) -> Source:
    """Return which cases decide: people's where there are enough of them, else those made."""
    for source in ("judged", "feedback"):
        if sum(case.source == source for case in cases) >= ENOUGH:
            return source
    return "made"


def mean_of(measured: Measured, cases: Sequence[Case], places: Sequence[int]) -> float:
    """Return the mean nDCG@10 over those of the given cases that decide."""
    source = decisive([cases[place] for place in places])
    values = [measured.ndcg[place] for place in places if cases[place].source == source]
    return float(np.mean(values)) if values else math.nan


def decide(
    old: Measured, new: Measured, cases: Sequence[Case], places: Sequence[int], seed: int = 0
) -> Decision:
    """Return whether a new encoder is better on the given cases, beyond chance.

    Better: the 95 % interval of the mean difference in nDCG@10 (paired bootstrap) is above 0.
    """
    gains: list[Gain] = []
    for source in ("judged", "feedback", "made"):
        chosen = [place for place in places if cases[place].source == source]
        for name, before, after in (
            (f"ndcg@{K}", old.ndcg, new.ndcg), ("mrr", old.reciprocal, new.reciprocal),
        ):  # fmt: skip
            if chosen:
                a, b = [before[place] for place in chosen], [after[place] for place in chosen]
                gains.append(
                    Gain(source, name, float(np.mean(a)), float(np.mean(b)),
                         paired_bootstrap(b, a, seed))
                )  # fmt: skip
    source = decisive([cases[place] for place in places])
    deciding = next((g for g in gains if (g.source, g.figure) == (source, f"ndcg@{K}")), None)
    if deciding is None:
        return Decision(False, "no held-out query has an answer to be found", tuple(gains))
    accepted = deciding.difference.low > 0
    told = "above 0" if accepted else "not above 0"
    reason = (
        f"nDCG@{K} on {deciding.difference.n:,} held-out {_NAMES[source]} went from "
        f"{deciding.old:.3f} to {deciding.new:.3f}, difference {deciding.difference.mean:+.3f} "
        f"({deciding.difference.low:+.3f} to {deciding.difference.high:+.3f}), {told}"
    )
    return Decision(accepted, reason, tuple(gains))


_NAMES: dict[Source, str] = {
    "made": "queries made from items",
    "feedback": "queries of users",
    "judged": "judged queries",
}
