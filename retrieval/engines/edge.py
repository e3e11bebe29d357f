"""Engine "qdrant-edge": the exact engine, and graphs that find near vectors without comparing all.

Filters, counts, facets, words and the store are those of the exact engine. How many rows match is
known before anything is compared: few are compared one by one; many are looked for in the graphs,
whose answer is checked against the filter and scored by the full vectors. Rows too new for a graph
are compared one by one. This module does not know qdrant-edge itself (`edge_shard`, `edge_build`).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from retrieval.columns import Mask
from retrieval.engines.edge_labels import ALL
from retrieval.engines.edge_shard import Shard, Span
from retrieval.engines.edge_shards import Shards, Source
from retrieval.errors import IndexError_
from retrieval.exact import ExactIndex, Question
from retrieval.query import Vectors
from retrieval.ranking import FUSED_DEPTH, Rows, Scores, similarity, top
from retrieval.vector_file import let_go, mapped_bytes
from retrieval.view import View

EXACT_ROWS = 50_000
"""So many matching rows are compared one by one, in about 20 ms."""
PART_ROWS = 5_000
"""So many matching rows of one graph are compared one by one: a graph is no quicker."""
RESIDENT_BYTES = 1_200 * 2**20
"""When files take so much more memory than at the opening, that of the vectors is given back: it is
the largest of all, and the kernel maps 64 KiB of it around each row that is read."""


class EdgeIndex(ExactIndex):
    """Items and vectors in a folder, searched through graphs where many match.

    Args:
        encoder_name, dimension: Of the vectors; an index built with others is refused.
        write: Take the writer's lock; without it the index can only be read.

    Raises:
        EncoderMismatch: If the index was built with another encoder or dimension.
        IndexLocked: If another process is writing.
        IndexError_: If qdrant-edge is not installed.
    """

    def __init__(
        self, folder: Path, encoder_name: str, dimension: int, *, write: bool = True
    ) -> None:
        if importlib.util.find_spec("qdrant_edge") is None:
            raise IndexError_(
                "engine 'qdrant-edge' needs the library qdrant-edge-py; "
                "install it with: pip install 'attune[edge]'"
            )
        super().__init__(folder, encoder_name, dimension, write=write)
        try:
            self._mapped_at_first = mapped_bytes()
            self._shards = Shards(folder, self._now().state.generation, write=write)
        except BaseException:
            super().close()
            raise

    def _contenders(self, view: View, asked: Question, chosen: Mask, shared: Scores | None) -> Rows:
        if mapped_bytes() - self._mapped_at_first > RESIDENT_BYTES:
            let_go(view.vectors)
        return self._candidates(view, asked, chosen, shared)

    def _candidates(self, view: View, asked: Question, chosen: Mask, shared: Scores | None) -> Rows:
        if asked.dense is None or np.count_nonzero(chosen) <= EXACT_ROWS:
            return super()._contenders(view, asked, chosen, shared)
        found = self._shards.at(view.state.generation)
        if found.next_span(view.state.rows) is not None:
            self._shards.build_aside(self._source(view))
        if found.covered > view.state.rows:  # built from later rows than this search may see
            return super()._contenders(view, asked, chosen, shared)
        k = asked.k if shared is None else max(asked.k, FUSED_DEPTH)
        parts = [_nearest(view, asked.dense, chosen, found.covered, view.state.rows, k)]
        parts += [_near(view, asked, chosen, k, shard, span) for shard, span in found.shards]
        if shared is not None:
            parts.append(_most_shared(view, chosen, shared, k))
        return np.unique(np.concatenate(parts))

    def _source(self, view: View) -> Source:
        state = view.state
        vectors = (self.folder / f"vectors-{state.generation}.f32").resolve()
        return Source(vectors, self.dimension, state.generation, view.live, view.memory.columns)

    def save(self) -> None:
        """Write what makes the next open quick, and build the graph that is due."""
        super().save()
        view = self._now()
        if view.state.rows > EXACT_ROWS:
            self._shards.build(self._source(view), polite=False)

    def settle(self) -> None:
        """Wait for a graph that is being built or loaded beside searches."""
        self._shards.settle()

    def close(self) -> None:
        """Release files and locks, giving up a graph that is being built; safe to call twice."""
        self._shards.close()
        super().close()


def _near(view: View, asked: Question, chosen: Mask, k: int, shard: Shard, span: Span) -> Rows:
    """Return the chosen rows of a graph nearest to the query, at least k if there are as many."""
    assert asked.dense is not None
    matching = int(np.count_nonzero(chosen[span.first : span.end]))
    if matching > PART_ROWS:
        columns = view.memory.columns
        rows = shard.near(span, asked.dense, chosen, k, asked.filter or ALL, columns)
        if rows is not None:
            return rows
    return _nearest(view, asked.dense, chosen, span.first, span.end, k)


def _nearest(view: View, query: Vectors, chosen: Mask, first: int, end: int, k: int) -> Rows:
    """Return the k chosen rows between two nearest to the query, by comparing all of them."""
    rows = np.flatnonzero(chosen[first:end])
    if len(rows) > k:
        scores = similarity(view.vectors[first:end], rows, query)
        rows = rows[top(scores, view.seq[first:end][rows], k)]
    return rows + first


def _most_shared(view: View, chosen: Mask, shared: Scores, k: int) -> Rows:
    """Return the k chosen rows with the highest BM25 score."""
    rows = np.flatnonzero(chosen & (shared > 0))
    return rows[top(shared[rows], view.seq[rows], k)]
