"""One graph (a qdrant-edge shard) over some rows of the store, as built by `edge_build`.

It never changes, so any number of processes read it. Rows are renumbered by a compaction; the graph
is kept, with the new number of each row. This module does not know which rows are alive.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.columns import Columns, Mask
from retrieval.engines.edge_build import FORMAT, Card, nearest, sizes_of, wanted_of
from retrieval.engines.edge_labels import ALL, LABEL, Labels, load_labels
from retrieval.errors import IndexError_
from retrieval.filters import And, Compare, Filter, Not, Or
from retrieval.query import Vectors
from retrieval.ranking import Rows

MOST = 5000
"""Never ask a graph for more neighbours than this: comparing all rows is as quick."""
MASKED_MOST = 1000
"""Up to so many neighbours, ask without a filter and leave out what does not match."""
FILTER_BREADTH = 2
"""A graph under a filter is searched so many times as broadly: it is less well linked."""
STEP = 4


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
        self._labels: tuple[Columns | None, Labels] = (None, Labels({}))

    def near(
        self,
        span: Span,
        query: Vectors,
        chosen: Mask,
        matching: int,
        k: int,
        bound: Filter,
    ) -> Rows | None:
        """Return at least the k chosen rows nearest to a query, None where it cannot tell.

        Args:
            chosen: Of all rows of the present generation, those that may be returned.
            matching: How many of them are in the span.
            bound: Labels that all chosen rows satisfy.
        """
        needed = min(k, matching)
        for limit, filter in self._attempts(matching / self.card.points, k, bound):
            breadth = self.breadth(limit) * (1 if filter is None else FILTER_BREADTH)
            rows = nearest(self._handle, query, limit, breadth, filter)
            if span.rows is not None:
                rows = span.rows[rows - self.card.first]
                rows = rows[rows >= 0]
            rows = rows[chosen[rows]]
            if len(rows) >= needed:
                return rows
        return None

    def _attempts(self, share: float, k: int, bound: Filter) -> list[tuple[int, Any]]:
        """Return what to ask the graph for, in turn: how many neighbours, under which filter."""
        wanted = wanted_of(k)
        unfiltered = int(1.3 * wanted / share)
        attempts: list[tuple[int, Any]] = []
        if unfiltered <= MASKED_MOST:
            attempts.append((unfiltered, None))
        if bound != ALL:
            under = translated(bound)
            attempts += [(wanted * STEP**turn, under) for turn in range(3)]
        elif MASKED_MOST < unfiltered <= MOST:
            attempts.append((unfiltered, None))
        return [(limit, under) for limit, under in attempts if limit <= MOST]

    def breadth(self, limit: int) -> int:
        """Return how broadly to search for so many neighbours, as was measured at build."""
        measured = sorted((wanted_of(int(k)), ef) for k, ef in self.card.breadth.items())
        for known, ef in measured:
            if limit <= known:
                return ef
        known, ef = measured[-1]
        return max(limit, ef)

    def labels(self, columns: Columns) -> Labels:
        """Return the labels by the codes of these columns."""
        with self._lock:
            known, labels = self._labels
            if known is not columns:
                labels = load_labels(self.path / "labels.npz", columns)
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
