"""BM25 over the words of coded columns.

The scores are those of bm25s ("lucene"). They are made of counts when a query is asked
(`retrieval.postings`), so that rows written a moment ago and rows written long ago are scored with
the same statistics: those of all rows together. This module does not know filters, vectors or
which rows are alive.
"""

from __future__ import annotations

import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import Stemmer
from bm25s.scoring import _score_idf_lucene
from bm25s.stopwords import STOPWORDS_EN
from numpy.typing import NDArray

from retrieval import postings
from retrieval.columns import Columns, Ints
from retrieval.filters import words
from retrieval.postings import Postings, Tokens

K1 = 1.5
B = 0.75
MAIN_REPEATS = 3
"""A word of title or description counts as often as this many of the other fields, which say
everything else that is known of an item (docs/retrieval.md)."""
NO_STEM = -1
QUERY_WORDS = 64
"""Words of a query that are looked at, so that a pasted essay does not stall the shop."""
BLOCK_ROWS = 65_536
"""Rows whose words are sorted at a time, so that a large catalog takes little memory."""

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
        self._lock = threading.Lock()
        self.codes: dict[str, int] = {}
        self.of_word: Ints = np.zeros(0, dtype=np.int32)

    def extend(self, vocabulary: Iterable[str]) -> None:
        """Take in the words that are new in a vocabulary that only grows."""
        with self._lock:
            # A list in one go: another thread may be adding words to the vocabulary.
            new = list(vocabulary)[len(self.of_word) :]
            codes = [
                NO_STEM if word in STOP else self.codes.setdefault(stem, len(self.codes))
                for word, stem in zip(new, self._stemmer.stemWords(new), strict=True)
            ]
            self.of_word = np.concatenate([self.of_word, np.array(codes, dtype=np.int32)])

    def of_query(self, text: str) -> list[int]:
        """Return the codes of a query's stems, those known here, repeated ones repeated."""
        kept = [word for word in words(text) if word not in STOP][:QUERY_WORDS]
        return [self.codes[stem] for stem in self._stemmer.stemWords(kept) if stem in self.codes]

    def checksum(self, count: int) -> int:
        """Return a number that tells whether the first stems are the same ones as elsewhere."""
        return zlib.crc32("\n".join(list(self.codes)[:count]).encode("utf-8", "replace"))


def tokens_between(columns: Columns, stems: Stems, first: int, end: int) -> Tokens:
    """Return the tokens of rows from first, end excluded; main words are repeated."""
    rows, codes = columns.text.pairs.between(first, end)
    _, main_words = columns.main_words.between(first, end)
    local = rows.astype(np.int64) - first
    position = np.arange(len(local)) - np.searchsorted(local, local)
    repeats = np.where(position < main_words[local], MAIN_REPEATS, 1)
    own = stems.of_word[codes]
    repeats[own == NO_STEM] = 0
    return Tokens(np.repeat(local, repeats), np.repeat(own, repeats), end - first)


def index(columns: Columns, stems: Stems, first: int, end: int) -> Postings:
    """Return the postings of the rows from first, end excluded; needs the stems of their words."""
    starts = range(first, end, BLOCK_ROWS) if end > first else [first]
    return postings.merge(
        [
            postings.build(
                tokens_between(columns, stems, start, min(start + BLOCK_ROWS, end)), start
            )
            for start in starts
        ]
    )


class Lexical:
    """BM25 over the first n rows: those of all parts, which follow each other from row 0 on."""

    def __init__(self, stems: Stems, parts: Sequence[Postings]) -> None:
        self._stems = stems
        self._parts = parts
        self.n = parts[-1].end if parts else 0
        self._mean = max(sum(part.tokens for part in parts) / max(self.n, 1), 1e-9)

    def scores(self, text: str) -> Scores | None:
        """Return the BM25 score of each row; None when no word of the text is known."""
        query = Counter(self._stems.of_query(text))
        if not query:
            return None
        scores = np.zeros(self.n, dtype=np.float32)
        for stem, times in query.items():
            self._add(stem, times, scores)
        return scores

    def _add(self, stem: int, times: int, scores: Scores) -> None:
        """Add what one stem of a query, asked so many times, is worth in each row."""
        found = [(part, span) for part in self._parts if (span := part.span(stem)).stop]
        frequency = sum(span.stop - span.start for _, span in found)
        if not frequency:
            return
        weight = times * _score_idf_lucene(frequency, N=self.n)
        for part, span in found:
            rows = part.rows[span].astype(np.intp)
            counts = part.counts[span].astype(np.float32)
            # idf × tf / (k1 (1 - b + b length / mean) + tf), Lucene's BM25 (Kamphuis et al., ECIR
            # 2020), in place: a common word is in hundreds of thousands of rows.
            norms = part.lengths[rows - part.first if part.first else rows]
            norms *= np.float32(K1 * B / self._mean)
            norms += np.float32(K1 * (1 - B))
            norms += counts
            np.divide(counts, norms, out=counts)
            counts *= np.float32(weight)
            scores[rows] += counts
