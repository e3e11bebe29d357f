"""One graph (a qdrant-edge shard) over some rows of the store, as built by `edge_build`.

It never changes, so any number of processes read it. Rows are renumbered by a compaction; the graph
is kept, with the new number of each row. This module does not know which rows are alive.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.columns import Columns, Mask
from retrieval.engines.edge_build import FORMAT, Card, limit_of, nearest, sizes_of
from retrieval.engines.edge_labels import ALL, LABEL, Labels, load_labels
from retrieval.errors import IndexError_
from retrieval.filters import And, Compare, Filter, Not, Or
from retrieval.query import Vectors
from retrieval.ranking import Rows

MOST = 5000
"""Never ask a graph for more neighbours than this."""
WORTH = 15.0
"""Comparing so many rows one by one takes as long as one more candidate in a graph's search."""
MASKED_MOST = 1000
"""Up to so many neighbours, ask without a filter and leave out what does not match."""
SPARE = 1.2
"""Ask for so many times as many as should do."""
STEP = 4
"""How many times more to ask for when too few of the neighbours match."""

NO_LABELS = Labels({}, np.zeros(0))

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Span:
    """The rows of a graph in the present generation: from first, end excluded.

    Args:
        rows: The present number of each of the rows it was built from, -1 of those gone; None where
            numbers are the same.
    """

    first: int
    end: int
    rows: Rows | None = None


class Shard:
    """A graph with what is needed to search it."""

    def __init__(self, path: Path, card: Card, handle: Any) -> None:
        self.path = path
        self.card = card
        self._handle = handle
        self._lock = threading.Lock()
        self._labels: tuple[Columns | None, Labels] = (None, NO_LABELS)

    def near(
        self, span: Span, query: Vectors, chosen: Mask, k: int, filter: Filter, columns: Columns
    ) -> Rows | None:
        """Return at least the k chosen rows nearest to a query, None where it cannot tell.

        Args:
            chosen: Of all rows of the present generation, those that may be returned.
            filter: What they all satisfy.
        """
        matching = int(np.count_nonzero(chosen[span.first : span.end]))
        for depth, under in self._attempts(matching / self.card.points, k, filter, columns):
            limit, breadth = limit_of(depth), self.breadth(depth)
            if limit > MOST or breadth * WORTH > matching:
                continue
            rows = nearest(self._handle, query, limit, breadth, under)
            if span.rows is not None:
                rows = span.rows[rows - self.card.first]
                rows = rows[rows >= 0]
            rows = rows[chosen[rows]]
            if len(rows) >= min(k, matching):
                return rows
        return None

    def _attempts(
        self, share: float, k: int, filter: Filter, columns: Columns
    ) -> Iterator[tuple[int, Any]]:
        """Yield what to ask the graph for, in turn: how many neighbours, under which filter.

        Args:
            share: The part of the points that are chosen.
        """
        labels = self._labels_of(columns)
        bound = labels.bound(filter, columns)
        unfiltered = math.ceil(SPARE * k / share) if share < 1 else k
        if limit_of(unfiltered) <= MASKED_MOST or bound == ALL:
            yield unfiltered, None
        if bound != ALL:
            under = translated(bound)
            outside = labels.share(bound) / share
            filtered = math.ceil(SPARE * k * outside) if outside > 1 else k
            yield filtered, under
            yield STEP * filtered, under

    def breadth(self, depth: int) -> int:
        """Return how broadly to search for so many neighbours, as was measured at build."""
        measured = sorted((int(k), ef) for k, ef in self.card.breadth.items())
        for k, ef in measured:
            if depth <= k:
                return ef
        k, ef = measured[-1]
        return ef * depth // k

    def _labels_of(self, columns: Columns) -> Labels:
        """Return the labels by the codes of these columns, none where they cannot be read."""
        with self._lock:
            known, labels = self._labels
            if known is not columns:
                try:
                    labels = load_labels(self.path / "labels.npz", columns)
                except (OSError, ValueError, KeyError) as error:
                    logger.warning("searches under filters are slower: %s", error)
                    labels = NO_LABELS
                self._labels = (columns, labels)
            return labels


def open_shard(path: Path) -> Shard:
    """Return a built graph.

    Raises:
        IndexError_: If it is incomplete, damaged, or of another version.
    """
    import qdrant_edge as edge

    try:
        card = Card(**json.loads((path / "card.json").read_text()))
        if card.format != FORMAT:
            raise IndexError_(f"{path.name} has format {card.format}, expected {FORMAT}")
        if sizes_of(path) != card.sizes:
            raise IndexError_(f"files of {path.name} were cut or are missing")
        _warm(path)
        return Shard(path, card, edge.EdgeShard.load(str(path / "shard")))
    except IndexError_:
        raise
    except Exception as error:
        # The library raises plain exceptions for whatever is wrong with its files.
        raise IndexError_(f"{path.name} cannot be read: {error}") from error


def _warm(path: Path) -> None:
    """Read the files from first to last: quick, where the graph's own reads are at random."""
    for file in (path / "shard").rglob("*"):
        if file.is_file():
            with file.open("rb") as stream:
                while stream.read(1 << 24):
                    pass


def translated(bound: Filter) -> Any:
    """Return a filter on labels in the library's terms."""
    import qdrant_edge as edge

    match bound:
        case And(parts):
            return edge.Filter(must=[translated(part) for part in parts])
        case Or(parts) if parts:
            return edge.Filter(should=[translated(part) for part in parts])
        case Or():
            return edge.Filter(must=[edge.FieldCondition(LABEL, match=edge.MatchAny([-1]))])
        case Not(part):
            return edge.Filter(must_not=[translated(part)])
        case Compare(_, _, labels):
            assert isinstance(labels, tuple)
            found = edge.FieldCondition(LABEL, match=edge.MatchAny([int(one) for one in labels]))
            return edge.Filter(must=[found])
