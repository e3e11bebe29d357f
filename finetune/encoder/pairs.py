"""Pairs to train on: a query, the item that answers it, and batches without false negatives.

In a batch every other item counts as a wrong answer to a query (Henderson et al. 2017), so no two
pairs come together where the item of one answers the query of the other. This module does not
train.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from finetune.encoder.corpus import Corpus, Wanted
from finetune.encoder.phrases import make_phrase

PENDING = 512
"""Pairs that wait for a batch they fit into."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and the row of an item that answers it.

    Args:
        wanted: What else answers it, as far as that is known from how it was made.
        known: Rows known to answer it, from judgements; never negatives.
        negative: Row of an item that does not answer it and is easily taken for one that does.
    """

    query: str
    positive: int
    wanted: Wanted = field(default_factory=Wanted)
    known: frozenset[int] = frozenset()
    negative: int | None = None
    family: str = "given"


def make_pairs(corpus: Corpus, rows: Sequence[int], count: int, seed: int) -> list[Pair]:
    """Return pairs made from these items alone, each item as often as any other.

    There are fewer than `count` when nothing can be said of some items.
    """
    random = Random(seed)
    pairs: list[Pair] = []
    while len(pairs) < count:
        before = len(pairs)
        for row in random.sample(rows, len(rows)):
            phrase = make_phrase(corpus, row, random)
            if phrase is not None and (phrase.wanted.values or phrase.wanted.stems):
                pairs.append(Pair(phrase.text, row, phrase.wanted, family=phrase.family))
            if len(pairs) == count:
                break
        if len(pairs) == before:
            break
    return pairs


def is_answer(corpus: Corpus, row: int, pair: Pair) -> bool:
    """Return whether an item may well answer the query of a pair."""
    if row == pair.positive or row in pair.known:
        return True
    if corpus.groups[row] and corpus.groups[row] == corpus.groups[pair.positive]:
        return True
    if not (pair.wanted.values or pair.wanted.stems):
        return False
    return corpus.answers(row, pair.wanted)


def _collide(corpus: Corpus, one: Pair, other: Pair) -> bool:
    """Return whether either pair has an item that answers the other's query."""
    if one.query == other.query:
        return True
    return any(
        row is not None and is_answer(corpus, row, pair)
        for pair, against in ((one, other), (other, one))
        for row in (against.positive, against.negative)
    )


def make_batches(corpus: Corpus, pairs: Iterable[Pair], size: int) -> Iterator[list[Pair]]:
    """Yield full batches in which no pair's item answers another's query.

    A pair that fits nowhere is left out in the end, as are those of a last batch that is not full.
    """
    waiting: list[Pair] = []
    source = iter(pairs)
    while True:
        batch: list[Pair] = []
        left: list[Pair] = []
        for pair in waiting:
            (batch if len(batch) < size and _fits(corpus, pair, batch) else left).append(pair)
        while len(batch) < size and (new := next(source, None)) is not None:
            if _fits(corpus, new, batch):
                batch.append(new)
            elif len(left) < PENDING:
                left.append(new)
        if len(batch) < size:
            return
        yield batch
        waiting = left


def _fits(corpus: Corpus, pair: Pair, batch: Sequence[Pair]) -> bool:
    return not any(_collide(corpus, pair, other) for other in batch)


def hash_of(corpus: Corpus, pairs: Iterable[Pair]) -> str:
    """Return a hash of the texts that are trained on."""
    digest = hashlib.sha256()
    for pair in pairs:
        negative = None if pair.negative is None else corpus.texts[pair.negative]
        row = [pair.query, corpus.texts[pair.positive], negative]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()
