"""What a right answer to a critique is: which items satisfy it, and how much each keeps.

`holds` and `keep_score` are the definition, on one item; `Table` gives the same answers for a whole
catalog at once. Knows no text and no system.

Missing values: an item without the facet fails a change and a relative edit, and passes a negation.
A list facet holds a change when any of its values is wanted, and a negation when none is excluded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from finetune.critiques.format import Direction, Edits
from retrieval.catalog import FieldValue, Item
from retrieval.filters import fold

TOLERANCE = 0.05
"""An item is gold when its keep score is at most this much below the best one possible."""

Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]


def folded(item: Item, facet: str) -> frozenset[str]:
    """Return the values of a facet as they are compared."""
    return frozenset(fold(str(value)) for value in item.values(facet))


def amount(value: FieldValue | None) -> float:
    """Return a number, or a date as its day; NaN for anything else."""
    if isinstance(value, bool):
        return float("nan")
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(date.fromisoformat(str(value)[:10]).toordinal())
    except ValueError:
        return float("nan")


def holds(edits: Edits, item: Item, reference: Item) -> bool:
    """Return whether an item satisfies every edit of a reference."""
    changed = all(
        folded(item, facet) & {fold(value) for value in values}
        for facet, values in edits.change.items()
    )
    clean = not any(
        folded(item, facet) & {fold(value) for value in values}
        for facet, values in edits.negate.items()
    )
    return (
        changed
        and clean
        and all(
            _beyond(amount(item.fields.get(facet)), amount(reference.fields.get(facet)), direction)
            for facet, direction in edits.relative.items()
        )
    )


def _beyond(own: float, other: float, direction: Direction) -> bool:
    return own > other if direction == "up" else own < other


def keep_score(item: Item, reference: Item, keep: Mapping[str, float]) -> float:
    """Return how much of a reference an item keeps, 0 to 1.

    sum over kept facets f of w_f |V_f(item) ∩ V_f(reference)| / |V_f(reference)|, over sum of w_f.
    """
    shared = sum(
        weight * len(folded(item, facet) & own) / len(own)
        for facet, weight in keep.items()
        if (own := folded(reference, facet))
    )
    return shared / sum(keep.values())


class Table:
    """The items of a catalog by value, so that a critique is judged on all of them at once.

    Args:
        facets: Names of the facets that are compared by value.
        numbers: Names of those that are compared by amount.
    """

    def __init__(
        self, items: Sequence[Item], facets: Sequence[str], numbers: Sequence[str]
    ) -> None:
        self.items = tuple(items)
        self.rows = {item.id: row for row, item in enumerate(self.items)}
        self._postings = {facet: _postings(self.items, facet) for facet in facets}
        self._amounts = {
            facet: np.array([amount(item.fields.get(facet)) for item in self.items])
            for facet in numbers
        }

    def with_value(self, facet: str, value: str) -> NDArray[np.intp]:
        """Return the rows of the items that have a value."""
        return self._postings[facet].get(fold(value), np.empty(0, dtype=np.intp))

    def satisfying(self, edits: Edits, reference: Item) -> Mask:
        """Return one boolean per item: whether it satisfies the edits; never the reference."""
        mask = np.ones(len(self.items), dtype=np.bool_)
        for facet, values in edits.change.items():
            mask &= self._having(facet, values)
        for facet, values in edits.negate.items():
            mask &= ~self._having(facet, values)
        for facet, direction in edits.relative.items():
            own, other = self._amounts[facet], amount(reference.fields.get(facet))
            mask &= own > other if direction == "up" else own < other
        mask[self.rows[reference.id]] = False
        return mask

    def _having(self, facet: str, values: Sequence[str]) -> Mask:
        mask = np.zeros(len(self.items), dtype=np.bool_)
        for value in values:
            mask[self.with_value(facet, value)] = True
        return mask

    def keep_scores(self, reference: Item, keep: Mapping[str, float]) -> Scores:
        """Return the keep score of every item."""
        scores = np.zeros(len(self.items))
        for facet, weight in keep.items():
            own = folded(reference, facet)
            for value in own:
                scores[self.with_value(facet, value)] += weight / len(own)
        return scores / sum(keep.values())


def _postings(items: Sequence[Item], facet: str) -> dict[str, NDArray[np.intp]]:
    rows: dict[str, list[int]] = {}
    for row, item in enumerate(items):
        for value in folded(item, facet):
            rows.setdefault(value, []).append(row)
    return {value: np.array(found, dtype=np.intp) for value, found in rows.items()}
