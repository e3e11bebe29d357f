"""Labels: the values of coded columns in groups, so that a graph can be searched under a filter.

A group is one frequent value, or neighbours in sort order that together are as frequent. A filter
then has a bound in labels: rows outside an upper bound cannot match, rows inside a lower bound do.
This module does not know the graph, nor which rows are alive.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.columns import Column, Columns, Floats, Ints
from retrieval.filters import And, Compare, Filter, Not, Or
from retrieval.masks import NEGATED, hits, is_absence

LABEL = "label"
"""The one facet of the bounds: what groups a row is in."""
GROUPS = 32
"""A group has about this part of a column's values; rarer ones are found without a graph."""
MOST_COLUMNS = 8
"""Labels cost time to build: only the columns that most rows have a value in get some."""
DISTINCT_SHARE = 0.5
"""A text column with more distinct values than this is no filter: titles, links, part numbers."""

ALL: Filter = And()
NONE: Filter = Or()


@dataclass(frozen=True, slots=True)
class RowLabels:
    """Labels of consecutive rows; those of row i are `labels[starts[i] : starts[i + 1]]`."""

    starts: NDArray[np.int64]
    labels: Ints

    def of(self, row: int) -> Ints:
        """Return the labels of a row, counted from the first."""
        return self.labels[self.starts[row] : self.starts[row + 1]]


class Labels:
    """The labels of some rows.

    Args:
        groups: By column: the label of each of its first codes, -1 where no row has the value.
        shares: The part of the rows that have each label.
    """

    def __init__(self, groups: dict[str, Ints], shares: Floats) -> None:
        self.groups = groups
        self.shares = shares

    def of_rows(self, columns: Columns, first: int, end: int) -> RowLabels:
        """Return the labels of rows from first, end excluded."""
        count = max(len(self.shares), 1)
        parts = [np.zeros(0, np.int64)]
        for name, labels in self.groups.items():
            rows, codes = columns.fields[name].pairs.between(first, end)
            parts.append((rows.astype(np.int64) - first) * count + labels[codes])
        pairs = np.unique(np.concatenate(parts))
        starts = np.searchsorted(pairs // count, np.arange(end - first + 1))
        return RowLabels(starts, (pairs % count).astype(np.int32))

    def bound(self, filter: Filter, columns: Columns, *, above: bool = True) -> Filter:
        """Return a filter on labels that every matching row satisfies.

        With `above` false: one that only matching rows satisfy.
        """
        match filter:
            case And(parts):
                return _all([self.bound(part, columns, above=above) for part in parts])
            case Or(parts):
                return _any([self.bound(part, columns, above=above) for part in parts])
            case Not(part):
                return _not(self.bound(part, columns, above=not above))
            case Compare():
                if filter.op in NEGATED or is_absence(filter):
                    return _not(self._leaf(filter, columns, above=not above))
                return self._leaf(filter, columns, above=above)

    def _leaf(self, compare: Compare, columns: Columns, *, above: bool) -> Filter:
        """Return a bound of a comparison read without its negation."""
        labels = self.groups.get(compare.facet)
        if labels is None or compare.op in ("contains", "not_contains"):
            return ALL if above else NONE
        hit = hits(columns.fields[compare.facet], compare)[: len(labels)]
        found = np.unique(labels[hit])
        if not above:
            found = np.setdiff1d(found, labels[~hit])
        found = found[found >= 0]
        return Compare(LABEL, "in", tuple(found.tolist())) if len(found) else NONE

    def share(self, bound: Filter) -> float:
        """Return about which part of the rows satisfies a bound, as if labels were independent."""
        match bound:
            case And(parts):
                return math.prod(self.share(part) for part in parts)
            case Or(parts):
                return 1 - math.prod(1 - self.share(part) for part in parts)
            case Not(part):
                return 1 - self.share(part)
            case Compare(_, _, labels):
                assert isinstance(labels, tuple)
                return min(1.0, float(self.shares[[int(label) for label in labels]].sum()))

    def save(self, columns: Columns, path: Path) -> None:
        """Write the label of each value to a file."""
        about = [
            [name, columns.fields[name].values[: len(labels)]]
            for name, labels in self.groups.items()
        ]
        arrays: dict[str, Any] = {
            f"labels{place}": labels for place, labels in enumerate(self.groups.values())
        }
        with path.open("wb") as file:
            note = np.frombuffer(json.dumps(about).encode(), np.uint8)
            np.savez(file, about=note, shares=self.shares, **arrays)


def load_labels(path: Path, columns: Columns) -> Labels:
    """Return saved labels by the present codes of columns, which a compaction may have changed.

    Raises:
        OSError, ValueError, KeyError: If the file cannot be read.
    """
    groups = {}
    with np.load(path, allow_pickle=False) as arrays:
        for place, (name, values) in enumerate(json.loads(arrays["about"].tobytes())):
            labels = arrays[f"labels{place}"]
            known = {
                (type(value), value): label
                for value, label in zip(values, labels.tolist(), strict=True)
            }
            present = list(columns.fields.get(name, Column()).values)
            groups[name] = np.array(
                [known.get((type(value), value), -1) for value in present], np.int32
            )
        shares = arrays["shares"]
    return Labels({name: labels for name, labels in groups.items() if len(labels)}, shares)


def choose_labels(columns: Columns, first: int, end: int) -> Labels:
    """Return groups for the columns worth it, by the rows from first, end excluded."""
    sizes: dict[str, int] = {}
    for name, column in list(columns.fields.items()):
        rows, codes = column.pairs.between(first, end)
        there = np.unique(codes)
        numeric = not np.isnan(column.numbers()[there]).all()
        if len(codes) and (numeric or len(there) <= DISTINCT_SHARE * len(codes)):
            sizes[name] = len(np.unique(rows))
    chosen = sorted(sizes, key=lambda name: (-sizes[name], name))[:MOST_COLUMNS]
    groups: dict[str, Ints] = {}
    shares = [np.zeros(0)]
    used = 0
    for name in chosen:
        column = columns.fields[name]
        _, codes = column.pairs.between(first, end)
        labels = _grouped(column, codes)
        labels[labels >= 0] += used
        shares.append(np.bincount(labels[codes] - used) / (end - first))
        used += len(shares[-1])
        groups[name] = labels
    return Labels(groups, np.concatenate(shares))


def _grouped(column: Column, codes: Ints) -> Ints:
    """Return a label per code, counted from 0; -1 for codes that do not occur."""
    counts = np.bincount(codes)
    enough = len(codes) / GROUPS
    labels = np.full(len(counts), -1, dtype=np.int32)
    label, filled = 0, 0
    there = np.flatnonzero(counts)
    order = np.argsort(column.ranks()[: len(counts)][there], kind="stable")
    for code in there[order].tolist():
        # A frequent value has its group to itself.
        if filled and (filled >= enough or counts[code] >= enough):
            label, filled = label + 1, 0
        labels[code] = label
        filled += int(counts[code])
    return labels


def _all(parts: list[Filter]) -> Filter:
    parts = [part for part in parts if part != ALL]
    if NONE in parts:
        return NONE
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _any(parts: list[Filter]) -> Filter:
    parts = [part for part in parts if part != NONE]
    if ALL in parts:
        return ALL
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _not(part: Filter) -> Filter:
    if part in (ALL, NONE):
        return NONE if part == ALL else ALL
    return Not(part)
