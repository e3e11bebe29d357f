"""Hard negatives: items that the present encoder, or the words, take for an answer.

An item that may well be an answer is never one: not what has all that was wanted, no near-duplicate
of the positive, and nothing that scores almost like the positive (at most 95 % of its score, as
in NV-Retriever, Moreira et al. 2024). This module does not train.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from random import Random

import numpy as np

from finetune.encoder.corpus import Corpus
from finetune.encoder.pairs import Pair, is_answer
from retrieval.query import Vectors

MARGIN = 0.95
DEPTH = 40
"""Best-ranked items that are looked at."""
CHOICES = 8
"""Of those that are no answer, one of so many first is taken."""
BY_WORDS = 4
"""For every so manyth pair the words choose, for the others the encoder."""
CHUNK = 512

Words = Callable[[str, int], Sequence[int]]
"""Rows of the best items for a text by its words."""


def mine(
    corpus: Corpus,
    pairs: Sequence[Pair],
    rows: Sequence[int],
    vectors: Vectors,
    encode_queries: Callable[[Sequence[str]], Vectors],
    by_words: Words,
    seed: int,
) -> list[Pair]:
    """Return the pairs, each with a hard negative among some rows; one that has any keeps it.

    A query that everything looked at answers gets none.

    Args:
        rows: Items that may be negatives.
        vectors: Of all items of the corpus, by the present encoder, shape (items, dimension).
        by_words: Search by words; may find any rows.
    """
    random = Random(f"negatives {seed}")
    allowed = np.asarray(sorted(rows))
    inside = set(rows)
    mined: list[Pair] = []
    for start in range(0, len(pairs), CHUNK):
        chunk = pairs[start : start + CHUNK]
        queries = encode_queries([pair.query for pair in chunk])
        scores = queries @ vectors[allowed].T
        depth = min(DEPTH, len(allowed))
        best = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
        for place, pair in enumerate(chunk):
            if pair.negative is not None:
                mined.append(pair)
                continue
            if (start + place) % BY_WORDS == 0:
                found = [row for row in by_words(pair.query, DEPTH) if row in inside]
            else:
                own = best[place][np.argsort(-scores[place][best[place]])]
                found = allowed[own].tolist()
            close = vectors[found] @ queries[place]
            limit = MARGIN * float(vectors[pair.positive] @ queries[place])
            wrong = [row for row, score in zip(found, close, strict=True) if score <= limit]
            mined.append(replace(pair, negative=_choose(corpus, pair, wrong, random)))
    return [_with_any(corpus, pair, allowed.tolist(), random) for pair in mined]


def _choose(corpus: Corpus, pair: Pair, found: Sequence[int], random: Random) -> int | None:
    """Return one of the first rows that do not answer a query."""
    answers = (row for row in found if not is_answer(corpus, row, pair))
    wrong = list(islice(answers, CHOICES))
    return random.choice(wrong) if wrong else None


def _with_any(corpus: Corpus, pair: Pair, rows: Sequence[int], random: Random) -> Pair:
    """Return a pair that has no negative yet with any item that is no answer, if one is found."""
    if pair.negative is not None:
        return pair
    drawn = [random.choice(rows) for _ in range(CHOICES)]
    return replace(pair, negative=_choose(corpus, pair, drawn, random))
