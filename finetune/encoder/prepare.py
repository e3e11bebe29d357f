"""Everything before the first training step: items, splits, queries, and what it will cost."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from finetune.encoder.compare import CASES, Case, in_pool, made_cases, make_pool
from finetune.encoder.corpus import Corpus, held_out
from finetune.encoder.negatives import mine
from finetune.encoder.pairs import Pair, make_batches, make_pairs
from finetune.encoder.sources import Given, read_given
from finetune.encoder.train import (
    FULL_RATE,
    LORA_RATE,
    Method,
    Row,
    TrainConfig,
    seconds_per_step,
)
from finetune.errors import TrainingError
from retrieval.encoder import tuned_folder, weights_of
from retrieval.query import Encoder, Vectors
from retrieval.retriever import Retriever

MIN_ITEMS = 200
MAX_ITEMS = 50_000
"""More items teach little more; a sample of so many is learned from."""
HELD_ITEMS = 0.1
MIN_STEPS, MAX_STEPS = 20, 600
PASSES = 4
"""How often each item is met, where steps are not given and there are few items."""
GIVEN_PASSES = 4
"""How often a pair from people is met at most."""
CHUNK = 4096
ENOUGH = 5
"""So many times the pairs needed are made before it is given up to find batches for them."""
ALPHAS = (0.3, 0.5, 0.7, 1.0)


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a tuning.

    Args:
        steps: Training steps; by default as many as the items are worth.
        minutes: How long all of it may take about.
        out: Folder to put the encoder into instead of switching the project to it.
    """

    steps: int | None = None
    minutes: float | None = None
    method: Method = "full"
    judgements: Path | None = None
    feedback: Path | None = None
    out: Path | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Data:
    """The items of a project and the queries over them, split.

    Args:
        vectors: Of all items of the corpus, by the present encoder.
        train: Rows of items that are trained on; no case of made queries is about one of them.
        pool: Rows that are ranked for each case.
    """

    corpus: Corpus
    vectors: Vectors
    train: list[int]
    given: Given
    cases: list[Case]
    pool: list[int]
    hash: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a tuning takes.

    Args:
        step: Seconds of a training step.
        rest: Seconds of everything else: negatives, comparing, encoding all items anew.
    """

    step: float
    rest: float

    def minutes(self, steps: int) -> float:
        """Return how long all of it takes."""
        return (steps * self.step + self.rest) / 60


def read_data(retriever: Retriever, options: Options) -> Data:
    """Return what a project's encoder can be tuned on.

    Raises:
        TrainingError: If it has too few items.
        DataError: If feedback or judgements cannot be used.
    """
    ids = retriever.index.ids()
    if len(ids) < MIN_ITEMS:
        raise TrainingError(
            f"the project has {len(ids):,} items; an encoder is tuned on {MIN_ITEMS} or more: with "
            f"fewer the present one is as good"
        )
    if len(ids) > MAX_ITEMS:
        ids = sorted(Random(options.seed).sample(ids, MAX_ITEMS))
    corpus = Corpus(retriever.get_many(ids), retriever.facets, retriever.manifest.leading)
    held = held_out(corpus, HELD_ITEMS, options.seed)
    given = read_given(
        corpus, held, judgements=options.judgements, feedback=options.feedback, seed=options.seed
    )
    apart = [row for row, out in enumerate(held) if out]
    cases = given.cases + made_cases(corpus, apart, CASES, options.seed)
    pool = make_pool(corpus, apart, cases, options.seed)
    return Data(
        corpus,
        retriever.index.vectors([item.id for item in corpus.items]),
        [row for row, out in enumerate(held) if not out],
        given,
        in_pool(cases, pool),
        pool,
        hashlib.sha256("\0".join(corpus.texts).encode("utf-8", "replace")).hexdigest(),
    )


def base_place(folder: Path, name: str) -> Path:
    """Return the folder of the weights that a project's encoder has.

    Raises:
        TrainingError: If it is no model, or one whose weights are not on this machine.
    """
    place = tuned_folder(name, folder) or Path(weights_of(name))
    if not (place / "modules.json").is_file():
        raise TrainingError(
            f"the encoder {name!r} cannot be tuned: expected a sentence-transformers model in a "
            f"folder; index with one, such as the default"
        )
    return place


def make_config(
    data: Data, options: Options, place: Path, encoder: Encoder
) -> tuple[TrainConfig, Cost]:
    """Return how to train within the limits given, after timing a few steps, and what it takes.

    Raises:
        TrainingError: If the minutes are too few for anything.
    """
    config = TrainConfig(
        method=options.method,
        learning_rate=FULL_RATE if options.method == "full" else LORA_RATE,
        seed=options.seed,
    )
    trial = rows_of(data, [pair for batch in _batches(data, None, config, 1) for pair in batch])
    timed = seconds_per_step(str(place), trial, config)
    quickest = min(timed, key=lambda bf16: timed[bf16])
    began = time.perf_counter()
    some = Random(0).sample(data.corpus.texts, min(128, len(data.corpus)))
    encoder.encode_items(some)
    each = (time.perf_counter() - began) / len(some)
    steps = options.steps or _worth(data, config)
    encoded = len(ALPHAS) * len(data.pool) + len(data.corpus)
    cost = Cost(timed[quickest], each * (encoded + steps * config.batch_size / 4))
    if options.minutes is not None:
        most = math.floor((60 * options.minutes - cost.rest) / cost.step)
        if most < MIN_STEPS:
            raise TrainingError(
                f"{options.minutes:g} minutes are too few: {MIN_STEPS} steps take about "
                f"{cost.minutes(MIN_STEPS):.1f} here"
            )
        steps = min(steps, most)
    return replace(config, steps=steps, bf16=quickest), cost


def _worth(data: Data, config: TrainConfig) -> int:
    """Return how many steps the items are worth."""
    pairs = PASSES * len(data.train) + GIVEN_PASSES * len(data.given.pairs)
    return max(MIN_STEPS, min(MAX_STEPS, pairs // config.batch_size))


def training_pairs(data: Data, retriever: Retriever, config: TrainConfig) -> list[Pair]:
    """Return the pairs of all steps in batches, with hard negatives; the same for the same seed.

    Raises:
        TrainingError: If the items are too much alike for so many batches.
    """
    pairs: list[Pair] = []
    for batch in _batches(data, retriever, config, config.steps):
        pairs += batch
    if len(pairs) < config.steps * config.batch_size:
        raise TrainingError(
            f"only {len(pairs) // config.batch_size} batches of {config.batch_size} queries with "
            f"different answers can be made of these items, {config.steps} steps need as many; "
            f"train fewer steps"
        )
    return pairs


def _batches(
    data: Data, retriever: Retriever | None, config: TrainConfig, steps: int
) -> Iterator[list[Pair]]:
    """Yield batches; without a retriever, with negatives by chance."""
    batches = make_batches(data.corpus, _stream(data, retriever, config, steps), config.batch_size)
    for _, batch in zip(range(steps), batches, strict=False):
        yield batch


def _stream(
    data: Data, retriever: Retriever | None, config: TrainConfig, steps: int
) -> Iterator[Pair]:
    """Yield pairs, those of people spread among those made, until far more came than needed."""
    random = Random(f"stream {config.seed}")
    needed = steps * config.batch_size
    given = list(data.given.pairs)
    share = min(0.5, GIVEN_PASSES * len(given) / needed)
    size = min(CHUNK, 2 * needed)
    waiting: list[Pair] = []
    for turn in range(math.ceil(ENOUGH * needed / size)):
        while len(waiting) < share * size:
            waiting += random.sample(given, len(given))
        count = round(share * size)
        chunk, waiting = waiting[:count], waiting[count:]
        chunk += make_pairs(data.corpus, data.train, size - count, config.seed + 1000 * turn)
        random.shuffle(chunk)
        yield from _with_negatives(data, retriever, chunk, config.seed + turn)


def _with_negatives(
    data: Data, retriever: Retriever | None, pairs: list[Pair], seed: int
) -> list[Pair]:
    corpus = data.corpus
    if retriever is None:
        drawn = Random(seed).choices(data.train, k=len(pairs))
        return [replace(pair, negative=row) for pair, row in zip(pairs, drawn, strict=True)]
    index, encode = retriever.index, retriever.encoder.encode_queries

    def by_words(text: str, k: int) -> list[int]:
        found = index.search(text=text, k=k)
        return [corpus.rows[hit.item.id] for hit in found if hit.item.id in corpus.rows]

    mined = mine(corpus, pairs, data.train, data.vectors, encode, by_words, seed)
    return [pair for pair in mined if pair.negative is not None]


def rows_of(data: Data, pairs: list[Pair]) -> list[Row]:
    """Return the texts that pairs are trained on: query, positive, negative."""
    texts = data.corpus.texts
    return [
        (pair.query, texts[pair.positive], texts[pair.negative])
        for pair in pairs
        if pair.negative is not None
    ]
