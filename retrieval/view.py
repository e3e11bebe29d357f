"""The exact index as of one version: which rows match, how they score, what they are sorted by."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from retrieval import lexical
from retrieval.catalog import FieldValue
from retrieval.columns import Floats, Mask
from retrieval.filters import Filter
from retrieval.masks import mask
from retrieval.memory import Memory
from retrieval.query import Order, Vectors
from retrieval.ranking import Rows, Scored, Scores, similarity
from retrieval.remembered import Remembered
from retrieval.store import State


@dataclass(frozen=True, slots=True)
class View:
    """The index as of one version. Never changes, so a search needs no lock.

    Args:
        found: What was worked out from it already; one turn asks the same several times.
    """

    state: State
    memory: Memory
    live: Mask
    seq: Rows
    vectors: Vectors
    found: Remembered = field(default_factory=Remembered)

    def renumbered(self, kept: Rows, state: State) -> View:
        """Return what is known of a state whose generation kept only these rows."""
        then = State(state.generation, self.state.version, len(kept))
        memory = self.memory.renumbered(kept, state)
        return View(then, memory, self.live[kept], self.seq[kept], self.vectors[:0])

    def matching(self, filter: Filter | None) -> Mask:
        """Return which rows are matching items."""
        if filter is None:
            return self.live

        def look() -> Mask:
            return self.live & mask(self.memory.columns, filter, self.state.rows)

        # By its text: True, 1 and 1.0 are equal to Python and different to a catalog.
        return self.found.get(("matching", repr(filter)), look)

    def counts(self, name: str, filter: Filter | None) -> list[tuple[str, int]]:
        """Return the values of a facet among matching items with counts, most frequent first."""

        def count() -> list[tuple[str, int]]:
            column = self.memory.columns.fields.get(name)
            if column is None:
                return []
            counts: dict[str, int] = {}
            for code, count in enumerate(column.counts(self.matching(filter)).tolist()):
                if count:
                    value = written(column.values[code])
                    counts[value] = counts.get(value, 0) + count
            return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))

        return self.found.get(("counts", name, repr(filter)), count)

    def sort_key(self, order: Order) -> Floats:
        """Return a number per row that sorts ascending as asked; NaN where there is no value."""
        down = order.direction == "descending"

        def work_out() -> Floats:
            return self.memory.columns.sort_key(order.facet, self.state.rows, down)

        return self.found.get(("sort_key", order.facet, down), work_out)

    def lexical(self, text: str | None) -> Scores | None:
        """Return the BM25 score of each row, None without a text worth searching."""
        if not text or not lexical.is_searchable(text):
            return None
        scores = self.memory.lexical(self.state.rows).scores(text)
        rows = self.state.rows
        return np.zeros(rows, np.float32) if scores is None else scores[:rows]

    def scored(self, rows: Rows, dense: Vectors | None, shared: Scores | None) -> Scored:
        """Return rows with their scores; `shared` is of all rows."""
        similar = None if dense is None else similarity(self.vectors, rows, dense)
        return Scored(rows, self.seq[rows], similar, None if shared is None else shared[rows])


def written(value: FieldValue) -> str:
    """Return a field's single value as facets list it: true, 12.5, Blue."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)
