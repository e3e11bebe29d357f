"""What rerankers learn from, as files: ratings by judges, or impressions with what people did.

Judgements are CSV (also gzip) with a query, an item's id and a rating in each row. Feedback is
JSONL (also gzip), an impression in each line, oldest first:

    {"query": "blue shirt",
     "items": [{"id": "7", "rank": 1, "clicked": true, "selected": false, "purchased": false,
                "propensity": 0.8}, …]}

`rank` counts from 1, in the order shown; what is not said did not happen. `propensity` is the
probability that somebody looked at that place; where it is missing it is 1 / rank^ETA.
This module does not know the catalog.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from finetune.errors import DataError

QUERY = ("query",)
ITEM = ("item_id", "id", "product_id")
RATING = ("rating", "relevance", "label")

ETA = 1.0
"""How fast attention falls with the rank, where nothing better is known (Joachims et al. 2017)."""

HIGHEST_GRADE = 4.0
"""The top of the scale that ratings are brought to, so that gains stay within bounds."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A query with the grades of its judged items, from 0, the lowest rating of the file."""

    query: str
    grades: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Shown:
    """An item of an impression.

    Args:
        grade: 0 nothing, 1 clicked, 2 selected, 3 purchased.
        propensity: Probability that its place was looked at, more than 0, at most 1.
    """

    id: str
    rank: int
    clicked: bool = False
    selected: bool = False
    purchased: bool = False
    propensity: float = 1.0

    @property
    def grade(self) -> float:
        """How far somebody went with it."""
        return 3.0 if self.purchased else 2.0 if self.selected else float(self.clicked)


@dataclass(frozen=True, slots=True)
class Impression:
    """A slate that was shown for a query."""

    query: str
    items: tuple[Shown, ...]


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _column(names: list[str], known: tuple[str, ...], path: Path) -> str:
    for name in known:
        if name in names:
            return name
    raise DataError(
        f"{path}: no column {' or '.join(map(repr, known))}; it has "
        f"{', '.join(map(repr, names)) or 'none'}"
    )


def read_judgements(path: Path) -> list[Judged]:
    """Return the judged queries of a CSV file, in order of first appearance.

    A pair rated more than once counts with the mean.

    Raises:
        DataError: If a column is missing, a row is broken, or all ratings are the same.
    """
    ratings: dict[str, dict[str, list[float]]] = {}
    try:
        with _open(path) as file:
            reader = csv.DictReader(file)
            names = list(reader.fieldnames or ())
            query, item, rating = (_column(names, known, path) for known in (QUERY, ITEM, RATING))
            for row in reader:
                value = _rating(row[rating], f"{path}:{reader.line_num}")
                own = ratings.setdefault((row[query] or "").strip(), {})
                own.setdefault((row[item] or "").strip(), []).append(value)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} can't be read: {error}") from error
    return _graded(ratings, path)


def _rating(text: str | None, where: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: rating {text!r} is no number")
    return value


def _graded(ratings: Mapping[str, Mapping[str, list[float]]], path: Path) -> list[Judged]:
    means = {
        query: {id: sum(given) / len(given) for id, given in own.items()}
        for query, own in ratings.items()
    }
    every = [value for own in means.values() for value in own.values()]
    if not every:
        raise DataError(f"{path}: no row; expected a query, an item and a rating in each")
    low, high = min(every), max(every)
    if low == high:
        raise DataError(
            f"{path}: all {len(every):,} ratings are {low:g}; there is nothing to learn from "
            "items that are all rated the same"
        )
    scale = min(1.0, HIGHEST_GRADE / (high - low))
    return [
        Judged(query, {id: (value - low) * scale for id, value in own.items()})
        for query, own in means.items()
        if query
    ]


def read_feedback(path: Path) -> list[Impression]:
    """Return the impressions of a JSONL file, as they happened.

    Raises:
        DataError: If a line is no impression; says which and why.
    """
    try:
        with _open(path) as file:
            found = list(_impressions(file, path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} can't be read: {error}") from error
    if not any(shown.grade for one in found for shown in one.items):
        raise DataError(
            f"{path}: {len(found):,} impressions, and nobody clicked, selected or purchased "
            'anything; expected some with "clicked": true'
        )
    return found


def _impressions(file: TextIO, path: Path) -> Iterator[Impression]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield _impression(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise DataError(f"{path}:{number}: no impression: {error!r}") from error


def _impression(data: dict[str, Any]) -> Impression:
    if not isinstance(data["query"], str):
        raise ValueError(f"query {data['query']!r} is no text")
    items = tuple(_shown(item) for item in data["items"])
    if len({shown.id for shown in items}) < len(items):
        raise ValueError("an item is shown twice")
    return Impression(data["query"].strip(), items)


def _shown(data: dict[str, Any]) -> Shown:
    rank = data["rank"]
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise ValueError(f"rank {rank!r}: expected 1, 2, …")
    propensity = data.get("propensity")
    if propensity is None:
        propensity = rank**-ETA
    if not 0 < propensity <= 1:
        raise ValueError(f"propensity {propensity!r}: expected more than 0, at most 1")
    told = {name: data.get(name, False) for name in ("clicked", "selected", "purchased")}
    if any(not isinstance(value, bool) for value in told.values()):
        raise ValueError(f"expected true or false, got {told!r}")
    return Shown(str(data["id"]), rank, **told, propensity=float(propensity))
