"""BM25 over the words of coded columns, through bm25s.

A large base is scored by a bm25s index, memory-mapped from disk where it was saved; rows added
since are scored by the same library's formulas with the statistics of base and addition together.
This module does not know filters, vectors or which rows are alive.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import Stemmer
from bm25s.scoring import _score_idf_lucene, _score_tfc_lucene
from bm25s.stopwords import STOPWORDS_EN
from numpy.typing import NDArray

from retrieval.columns import Columns, Ints
from retrieval.filters import words

K1 = 1.5
B = 0.75
TITLE_REPEATS = 2
"""A word of the title counts as often as this many words elsewhere."""
REBUILD_SHARE = 0.25
REBUILD_MINIMUM = 1000
NO_STEM = -1
QUERY_WORDS = 64
"""Words of a query that are looked at, so that a pasted essay does not stall the shop."""

logger = logging.getLogger(__name__)
Scores = NDArray[np.float32]


STOP = frozenset(word for stop in STOPWORDS_EN for word in words(stop))
"""Words that are not searched."""


def is_searchable(text: str) -> bool:
    """Return whether a text has a word that is not a stop word."""
    return any(word not in STOP for word in words(text))


class Stems:
    """The stem of every word of a vocabulary, as codes; stop words have none."""

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english")
        self.codes: dict[str, int] = {}
        self.of_word: Ints = np.zeros(0, dtype=np.int32)

    def extend(self, vocabulary: list[str]) -> None:
        """Take in the words that are new in a vocabulary that only grows."""
        new = vocabulary[len(self.of_word) :]
        codes = [
            NO_STEM if word in STOP else self.codes.setdefault(stem, len(self.codes))
            for word, stem in zip(new, self._stemmer.stemWords(new), strict=True)
        ]
        self.of_word = np.concatenate([self.of_word, np.array(codes, dtype=np.int32)])

    def of_query(self, text: str) -> list[int]:
        """Return the codes of a query's stems, those known here, repeated ones repeated."""
        kept = [word for word in words(text) if word not in STOP][:QUERY_WORDS]
        return [self.codes[stem] for stem in self._stemmer.stemWords(kept) if stem in self.codes]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Row (counted from the first) and stem of every word of some rows, in row order."""

    rows: NDArray[np.int64]
    stems: Ints
    count: int


def tokens_between(columns: Columns, stems: Stems, first: int, end: int) -> Tokens:
    """Return the tokens of rows from first, end excluded; title words are repeated."""
    rows, codes = columns.text.pairs.between(first, end)
    _, title_words = columns.title_words.between(first, end)
    local = rows.astype(np.int64) - first
    position = np.arange(len(local)) - np.searchsorted(local, local)
    repeats = np.where(position < title_words[local], TITLE_REPEATS, 1)
    own = stems.of_word[codes]
    repeats[own == NO_STEM] = 0
    return Tokens(np.repeat(local, repeats), np.repeat(own, repeats), end - first)


@dataclass(frozen=True, slots=True)
class Base:
    """A bm25s index over the first rows."""

    model: Any
    rows: int
    words: int
    """Length of its documents together, in tokens."""

    def scores(self, query: list[int]) -> Scores:
        """Return the BM25 score of each row."""
        known = [stem for stem in query if stem < len(self.model.scores["indptr"]) - 1]
        if not known:
            return np.zeros(self.rows, dtype=np.float32)
        result: Scores = self.model.get_scores(known)
        return result

    def frequency(self, stem: int) -> int:
        """Return how many rows have a stem."""
        starts = self.model.scores["indptr"]
        return int(starts[stem + 1] - starts[stem]) if stem < len(starts) - 1 else 0


def build_base(tokens: Tokens, stems: Stems) -> Base | None:
    """Return a bm25s index over tokens; None when there is nothing to index."""
    if not len(tokens.stems):
        return None
    ends = np.searchsorted(tokens.rows, np.arange(tokens.count) + 1)
    documents = [part.tolist() for part in np.split(tokens.stems, ends[:-1])]
    model = bm25s.BM25(k1=K1, b=B, method="lucene")
    vocabulary = dict(list(stems.codes.items())[: int(tokens.stems.max()) + 1])
    model.index((documents, vocabulary), create_empty_token=False, show_progress=False)
    return Base(model, tokens.count, len(tokens.stems))


class Lexical:
    """BM25 over the first n rows; a fixed view of them."""

    def __init__(self, columns: Columns, stems: Stems, base: Base | None, n: int) -> None:
        self._stems = stems
        self._base = base
        self.n = n
        self._first = base.rows if base else 0
        self._new = tokens_between(columns, stems, self._first, n)
        self._lengths = np.bincount(self._new.rows, minlength=self._new.count).astype(np.float32)
        total = len(self._new.stems) + (base.words if base else 0)
        self._mean = max(total / n, 1e-9) if n else 1.0

    def scores(self, text: str) -> Scores | None:
        """Return the BM25 score of each row; None when no word of the text is known."""
        query = self._stems.of_query(text)
        if not query:
            return None
        new = np.zeros(self._new.count, dtype=np.float32)
        for stem in query:
            new += self._new_scores(stem)
        return np.concatenate([self._base.scores(query), new]) if self._base else new

    def _new_scores(self, stem: int) -> Scores:
        found = self._new.rows[self._new.stems == stem]
        if not len(found):
            return np.zeros(self._new.count, dtype=np.float32)
        counts = np.bincount(found, minlength=self._new.count).astype(np.float32)
        frequency = int(np.count_nonzero(counts))
        if self._base:
            frequency += self._base.frequency(stem)
        idf = _score_idf_lucene(frequency, N=self.n)
        part: Scores = _score_tfc_lucene(counts, self._lengths, self._mean, K1, B)
        return np.where(counts > 0, idf * part, 0).astype(np.float32)


def wants_base(base: Base | None, n: int) -> bool:
    """Return whether so many rows lie beyond the base that it should be built anew."""
    rows = base.rows if base else 0
    return n - rows > max(REBUILD_MINIMUM, REBUILD_SHARE * rows)


def _checksum(stems: Stems, count: int) -> int:
    return zlib.crc32("\n".join(list(stems.codes)[:count]).encode("utf-8", "replace"))


def save_base(base: Base, stems: Stems, generation: int, folder: Path) -> None:
    """Save a base so that `load_base` finds it; a crash leaves the old one, or none."""
    scratch = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    base.model.save(scratch, show_progress=False)
    count = len(base.model.scores["indptr"]) - 1
    note = {
        "generation": generation,
        "rows": base.rows,
        "words": base.words,
        "stems": count,
        "checksum": _checksum(stems, count),
    }
    (scratch / "base.json").write_text(json.dumps(note))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(scratch, folder)


def load_base(folder: Path, stems: Stems, generation: int, n: int) -> Base | None:
    """Return the saved base, memory-mapped; None when there is none that fits these rows."""
    try:
        note = json.loads((folder / "base.json").read_text())
        if note["generation"] != generation or note["rows"] > n:
            return None
        if note["checksum"] != _checksum(stems, note["stems"]):
            return None
        model = bm25s.BM25.load(folder, mmap=True, load_vocab=False, show_progress=False)
    except FileNotFoundError:
        return None
    except (OSError, EOFError, ValueError, KeyError) as error:
        logger.warning(
            "the saved BM25 index at %s is unusable and is built anew: %s", folder, error
        )
        return None
    return Base(model, note["rows"], note["words"])
