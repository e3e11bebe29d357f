"""Queries that came from people: feedback and judged queries, read from files.

Feedback (JSON lines) is pairs, {"query": "…", "positive": "item id", "negative": "item id"}, the
negative if there is one: an item that was seen and passed over. Impressions as `attune tune
ranker` reads them are taken as well: what was clicked, selected or bought is positive, what stood
above it is not. Judgements are the CSV files of `finetune.ranker.data`. What cannot be used is
counted with its reason, never dropped in silence.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finetune.encoder.compare import Case, Source
from finetune.encoder.corpus import Corpus, share_of
from finetune.encoder.pairs import Pair
from finetune.errors import DataError
from finetune.ranker.data import Impression, read_judgements
from finetune.ranker.data import read_feedback as read_impressions

HELD_QUERIES = 0.2
GOOD, BAD = 2 / 3, 1 / 3
"""Shares of the scale: from the first on an item answers, up to the second it does not."""

Ratings = dict[str, dict[str, float]]
"""Query to item id to rating, 0 the lowest."""


@dataclass(slots=True)
class Given:
    """Queries of people: pairs to train on, cases that are held out, and what was left out."""

    pairs: list[Pair] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Query:
    """What is known of one query, by rows of the corpus."""

    text: str
    ratings: Mapping[int, float]
    source: Source
    good: float
    bad: float


def read_given(
    corpus: Corpus,
    held: list[bool],
    *,
    judgements: Path | None,
    feedback: Path | None,
    seed: int,
) -> Given:
    """Return the queries of two files, a fifth of them as cases; no case's query is trained on.

    Args:
        held: For each row whether training must not see that item.

    Raises:
        DataError: If a file cannot be read, or none of its rows can be used.
    """
    given = Given()
    if judgements is not None:
        ratings = {one.query: dict(one.grades) for one in read_judgements(judgements)}
        top = max((one for rated in ratings.values() for one in rated.values()), default=0.0)
        _add(given, corpus, held, ratings, ("judged", GOOD * top, BAD * top), seed)
        _check_used(given, judgements, "judged")
    if feedback is not None:
        _add(given, corpus, held, read_feedback(feedback), ("feedback", 0.5, 0.0), seed)
        _check_used(given, feedback, "feedback")
    return given


def read_feedback(path: Path) -> Ratings:
    """Return what users chose (1) and passed over (0) for each query.

    Raises:
        DataError: If the file cannot be read or a row is broken: says which and why.
    """
    ratings: Ratings = defaultdict(dict)
    for where, row in _rows(path):
        if "items" in row:
            return _of_impressions(read_impressions(path))
        query, positive = _text(row, "query", where), _text(row, "positive", where)
        ratings[query][positive] = 1.0
        if row.get("negative"):
            ratings[query].setdefault(_text(row, "negative", where), 0.0)
    if not ratings:
        raise DataError(f"{str(path)!r} has no pair")
    return dict(ratings)


def _of_impressions(impressions: list[Impression]) -> Ratings:
    ratings: Ratings = defaultdict(dict)
    for shown in impressions:
        chosen = [item for item in shown.items if item.grade > 0]
        last = max((item.rank for item in chosen), default=0)
        for item in shown.items:
            if item.grade > 0:
                ratings[shown.query][item.id] = 1.0
            elif item.rank < last:
                ratings[shown.query].setdefault(item.id, 0.0)
    return dict(ratings)


def _add(
    given: Given,
    corpus: Corpus,
    held: list[bool],
    ratings: Ratings,
    kind: tuple[Source, float, float],
    seed: int,
) -> None:
    source, good, bad = kind
    for text, by_id in ratings.items():
        rows = {corpus.rows[id]: rating for id, rating in by_id.items() if id in corpus.rows}
        given.left_out["item is not in the catalog"] += len(by_id) - len(rows)
        query = _Query(text, rows, source, good, bad)
        if not any(rating > 0 for rating in rows.values()):
            given.left_out["query without an answer"] += 1
        elif share_of(text.casefold(), seed + 2) < HELD_QUERIES:
            given.cases.append(Case(text, rows, source, source))
        else:
            found = list(_pairs(query, held))
            given.pairs += found
            given.left_out["query without a good answer to train on"] += not found


def _pairs(query: _Query, held: list[bool]) -> Iterator[Pair]:
    known = frozenset(row for row, rating in query.ratings.items() if rating > query.bad)
    wrong = [row for row, rating in query.ratings.items() if rating <= query.bad and not held[row]]
    good = [row for row, rating in query.ratings.items() if rating >= query.good and not held[row]]
    for place, row in enumerate(good):
        negative = wrong[place % len(wrong)] if wrong else None
        yield Pair(query.text, row, known=known, negative=negative, family=query.source)


def _check_used(given: Given, path: Path, source: Source) -> None:
    if not any(pair.family == source for pair in given.pairs):
        reasons = ", ".join(f"{count} × {why}" for why, count in given.left_out.items() if count)
        raise DataError(f"{str(path)!r} has no query that can be trained on ({reasons})")


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each row of a file, and where it stands."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path}:{number}", _object(line, f"{path}:{number}")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path} can't be read: {error}") from error


def _object(line: str, where: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise DataError(f"{where}: expected an object, got {line.strip()[:60]!r}")
    return row


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    found = row.get(name)
    if isinstance(found, bool) or not isinstance(found, str | int) or not str(found).strip():
        there = ", ".join(map(repr, row)) or "nothing"
        raise DataError(f"{where}: expected a text as {name!r}, got {found!r}; it has {there}")
    return str(found).strip()
