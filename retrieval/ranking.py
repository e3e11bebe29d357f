"""Scores of rows into a ranking. Pure; knows nothing of items, text or files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.fusion import EQUAL, Fusion, combine
from retrieval.query import Vectors

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]

GATHER_SHARE = 0.3
"""Below this share of rows, copying their vectors is faster than comparing all of them."""
GATHER_ROWS = 1024
"""So many vectors are copied at a time: they stay in the processor's cache."""
FUSED_DEPTH = 200
"""How deep each ranking goes into the fusion, at least."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A row with its scores."""

    row: int
    score: float
    dense: float | None
    lexical: float | None


@dataclass(frozen=True, slots=True)
class Scored:
    """The rows to rank, each with its place of insertion and the scores that were asked for."""

    rows: Rows
    seq: Rows
    dense: Scores | None = None
    lexical: Scores | None = None

    def ranked(self, place: int, score: float) -> Ranked:
        """Return one row with its scores."""
        return Ranked(
            int(self.rows[place]),
            score,
            None if self.dense is None else float(self.dense[place]),
            None if self.lexical is None else float(self.lexical[place]),
        )


def similarity(vectors: Vectors, rows: Rows, query: Vectors) -> Scores:
    """Return the cosine similarity of each row to a unit query vector, within -1 and 1."""
    if len(rows) >= GATHER_SHARE * len(vectors):
        every: Scores = vectors @ query
        return every[rows].clip(-1.0, 1.0)
    scores = np.empty(len(rows), dtype=np.float32)
    copies = np.empty((min(GATHER_ROWS, len(rows)), vectors.shape[1]), dtype=np.float32)
    for start in range(0, len(rows), GATHER_ROWS):
        part = rows[start : start + GATHER_ROWS]
        # Any other mode makes numpy copy twice.
        np.take(vectors, part, axis=0, out=copies[: len(part)], mode="clip")
        np.dot(copies[: len(part)], query, out=scores[start : start + len(part)])
    return scores.clip(-1.0, 1.0)


def top(scores: Scores, seq: Rows, k: int) -> Rows:
    """Return the places of the k best scores, best first, equal ones by insertion."""
    places = np.arange(len(scores))
    if k < len(scores):
        # Everything that ties with the last one competes, so that the cut does not depend on luck.
        places = np.flatnonzero(scores >= np.partition(scores, -k)[-k])
    return places[np.lexsort((seq[places], -scores[places]))][:k]


def by_relevance(scored: Scored, k: int, fusion: Fusion = EQUAL) -> list[Ranked]:
    """Return the k best rows: fused when there are two scores, by insertion when there is none."""
    if scored.dense is not None and scored.lexical is not None:
        return _fused(scored, k, fusion)
    if scored.dense is not None:
        best = top(scored.dense, scored.seq, k)
        return [scored.ranked(place, float(scored.dense[place])) for place in best]
    if scored.lexical is not None:
        best = _found(scored, k)
        return [scored.ranked(place, float(scored.lexical[place])) for place in best]
    places = smallest(scored.seq.astype(np.float64), k)
    places = places[np.argsort(scored.seq[places], kind="stable")][:k]
    return [scored.ranked(place, 0.0) for place in places]


def _found(scored: Scored, k: int) -> Rows:
    """Return the k best places by words; those without any of them are not found at all."""
    assert scored.lexical is not None
    places = top(scored.lexical, scored.seq, k)
    return places[scored.lexical[places] > 0]


def _fused(scored: Scored, k: int, fusion: Fusion) -> list[Ranked]:
    assert scored.dense is not None
    assert scored.lexical is not None
    depth = max(k, FUSED_DEPTH)
    meaning = top(scored.dense, scored.seq, depth)
    words = _found(scored, depth)
    fused = combine(
        list(zip(meaning.tolist(), scored.dense[meaning].tolist(), strict=True)),
        list(zip(words.tolist(), scored.lexical[words].tolist(), strict=True)),
        fusion,
    )
    return [scored.ranked(place, score) for place, score in fused[:k]]


def smallest(keys: NDArray[np.float64], k: int) -> Rows:
    """Return the places of the k smallest keys, NaN last, and of all that tie with the last one."""
    if k >= len(keys):
        return np.arange(len(keys))
    keys = np.where(np.isnan(keys), np.inf, keys)
    return np.flatnonzero(keys <= np.partition(keys, k - 1)[k - 1])


def by_key(scored: Scored, keys: NDArray[np.float64], k: int) -> list[Ranked]:
    """Return the k rows with the smallest keys, NaN last, equal ones by relevance."""
    relevance = scored.dense if scored.dense is not None else scored.lexical
    if relevance is None:
        relevance = np.zeros(len(scored.rows), dtype=np.float32)
    best = np.lexsort((scored.seq, -relevance, keys))[:k]
    return [scored.ranked(place, float(relevance[place])) for place in best]
