"""Postings: for each stem, the rows that have it and how often. Arrays, built and merged by numpy.

They hold counts and lengths, not scores, so that parts written at different times are scored with
the statistics of all of them. This module does not know BM25, words or items.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Rows = NDArray[np.int64]

FORMAT = 2
AT_ONCE = 2_000_000
"""Postings moved in one step of a merge, so that its own memory stays small."""
ARRAYS = ("lengths", "stems", "starts", "rows", "counts")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Row (counted from the first) and stem of every word of some rows, in row order."""

    rows: Rows
    stems: Ints
    count: int


@dataclass(frozen=True, slots=True)
class Postings:
    """Which of a range of rows have which stem.

    Args:
        first: The range's first row.
        tokens: Length of all rows of the range together.
        lengths: Tokens of each row of the range.
        stems: The stems there are, ascending.
        starts: Where the postings of each stem begin, and where the last ones end.
        rows, counts: Of each posting: the row, ascending within a stem, and how often it has it.
    """

    first: int
    tokens: int
    lengths: NDArray[np.float32]
    stems: Ints
    starts: Rows
    rows: Ints
    counts: NDArray[Any]

    @property
    def end(self) -> int:
        """Return the row after the range's last."""
        return self.first + len(self.lengths)

    def span(self, stem: int) -> slice:
        """Return where the postings of a stem are."""
        place = int(np.searchsorted(self.stems, stem))
        if place == len(self.stems) or self.stems[place] != stem:
            return slice(0, 0)
        return slice(int(self.starts[place]), int(self.starts[place + 1]))


def build(tokens: Tokens, first: int) -> Postings:
    """Return the postings of some tokens, whose rows are counted from `first`."""
    lengths = np.bincount(tokens.rows, minlength=tokens.count).astype(np.float32)
    keys = tokens.stems.astype(np.int64) * max(tokens.count, 1) + tokens.rows
    keys.sort()
    begins = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(begins, append=len(keys))
    stems, rows = np.divmod(keys[begins], max(tokens.count, 1))
    places = np.flatnonzero(np.diff(stems, prepend=-1))
    return Postings(
        first,
        len(keys),
        lengths,
        stems[places].astype(np.int32),
        np.append(places, len(stems)),
        (rows + first).astype(np.int32),
        counts.astype(np.min_scalar_type(int(counts.max(initial=0)))),
    )


def merge(parts: Sequence[Postings]) -> Postings:
    """Return neighbouring parts as one; their ranges must follow each other."""
    if len(parts) == 1:
        return parts[0]
    stems = np.unique(np.concatenate([part.stems for part in parts]))
    own = [np.searchsorted(stems, part.stems) for part in parts]
    sizes = np.zeros(len(stems), dtype=np.int64)
    for part, places in zip(parts, own, strict=True):
        sizes[places] += np.diff(part.starts)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    rows = np.empty(starts[-1], dtype=np.int32)
    counts = np.empty(starts[-1], dtype=np.result_type(*(part.counts for part in parts)))
    free = starts[:-1].copy()
    for part, places in zip(parts, own, strict=True):
        _move(part, free[places], rows, counts)
        free[places] += np.diff(part.starts)
    lengths = np.concatenate([part.lengths for part in parts])
    tokens = sum(part.tokens for part in parts)
    return Postings(parts[0].first, tokens, lengths, stems, starts, rows, counts)


def _move(part: Postings, to: Rows, rows: Ints, counts: NDArray[Any]) -> None:
    """Copy the postings of a part's stems to where each stem has room."""
    cuts = np.searchsorted(part.starts, np.arange(0, part.starts[-1], AT_ONCE))
    cuts = np.unique(np.append(cuts, len(part.stems)))
    for low, high in pairwise(cuts.tolist()):
        begin, end = part.starts[low], part.starts[high]
        shift = np.repeat(
            to[low:high] - part.starts[low:high], np.diff(part.starts[low : high + 1])
        )
        target = shift + np.arange(begin, end)
        rows[target] = part.rows[begin:end]
        counts[target] = part.counts[begin:end]


def keep(part: Postings, places: Ints) -> Postings:
    """Return the postings of the rows that are kept.

    Args:
        places: New number of each row of the index from row 0 on, -1 of those not kept; ascending.
    """
    lengths = part.lengths[places[part.first : part.end] >= 0]
    rows = places[part.rows]
    there = rows >= 0
    sizes = np.add.reduceat(there, part.starts[:-1], dtype=np.int64) if len(there) else there
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes[sizes > 0])])
    return Postings(
        int(np.count_nonzero(places[: part.first] >= 0)),
        int(lengths.sum(dtype=np.float64)),
        lengths,
        part.stems[sizes > 0],
        starts,
        rows[there],
        part.counts[there],
    )


def save(part: Postings, note: dict[str, Any], folder: Path) -> None:
    """Save postings with a note; a crash leaves those saved before, or none."""
    scratch = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for name in ARRAYS:
        np.save(scratch / f"{name}.npy", getattr(part, name))
    about = {"format": FORMAT, "first": part.first, "tokens": part.tokens, **note}
    (scratch / "postings.json").write_text(json.dumps(about))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(scratch, folder)


def load(folder: Path) -> tuple[Postings, dict[str, Any]] | None:
    """Return the saved postings, memory-mapped, and their note; None when none can be read."""
    try:
        note = json.loads((folder / "postings.json").read_text())
        if note["format"] != FORMAT:
            return None
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
        # Plain arrays over the maps: np.memmap's own bookkeeping slows small reads down.
        plain = {name: np.asarray(one) for name, one in arrays.items()}
        part = Postings(note["first"], note["tokens"], **plain)
        sound = len(part.rows) == len(part.counts) == part.starts[-1]
        if not sound or len(part.starts) != len(part.stems) + 1:
            raise ValueError("its arrays do not fit each other")
        return part, note
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
        logger.warning("%s is unusable and is built anew: %s", folder, error)
        return None
