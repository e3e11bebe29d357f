"""Weights of the fusion, on catalogs where the right answer is known by construction."""

import random
from zlib import crc32

import numpy as np
import pytest

from retrieval.catalog import Facet, Item
from retrieval.encoder import HashingEncoder, unit
from retrieval.errors import RetrievalError
from retrieval.exact import ExactIndex
from retrieval.fusion import PRIOR, Fusion
from retrieval.fusion_tuning import (
    FEWEST,
    GRID,
    START,
    choose,
    chosen_by_others,
    lists_of,
    tune_fusion,
    tune_fusion_on,
)
from retrieval.spelling import Spelling

WORDS = [first + second + third for first in "bdfgklmn" for second in "aeiou" for third in "rstlnd"]
COLOURS = ["Blue", "Red", "Green"]
FACETS = (Facet("colour", "categorical", "colour"), Facet("kind", "categorical", "kind"))


class NoiseEncoder(HashingEncoder):
    """Vectors that have nothing to do with the text."""

    def _vector(self, text):
        return np.random.default_rng(crc32(text.encode())).standard_normal(self.dimension)


class ConceptEncoder(HashingEncoder):
    """Knows that "concept7" means what the seventh item is, whose words it shares none of."""

    def _vector(self, text):
        vector = np.zeros(self.dimension)
        vector[int("".join(filter(str.isdigit, text)) or 0)] = 1.0
        return vector


class Shop:
    """A catalog with what `Searchable` asks for."""

    def __init__(self, folder, items, encoder, facets=FACETS):
        self.encoder = encoder
        self.facets = facets
        self.spelling = Spelling({}, lambda word: False)
        self.index = ExactIndex(folder, encoder.name, encoder.dimension)
        self.index.upsert(items, encoder.encode_items([item.title for item in items]))


def items(count=150):
    chance = random.Random(3)
    return [
        Item(str(number), " ".join(chance.sample(WORDS, 4)), "",
             {"colour": COLOURS[number % 3], "kind": chance.choice(WORDS)})
        for number in range(count)
    ]  # fmt: skip


@pytest.fixture
def shop(tmp_path):
    made = []

    def make(encoder, items=items(), **changes):  # noqa: B008
        made.append(Shop(tmp_path / str(len(made)), items, encoder, **changes))
        return made[-1]

    yield make
    for one in made:
        one.index.close()


def test_noise_moves_weight_to_words(shop):
    report = tune_fusion(shop(NoiseEncoder(32)))
    assert report.fusion.dense < PRIOR.dense
    assert report.gain.low > 0.05
    assert set(report.curves) == {"title", "values"}
    chosen = GRID.index(report.fusion)
    for curve in report.curves.values():
        assert curve[chosen] > max(curve) - 0.05
        assert curve[-1] < 0.1


def test_fitting_encoder_keeps_the_start(shop):
    report = tune_fusion(shop(HashingEncoder(256)))
    assert report.fusion == PRIOR
    assert report.gain.mean == 0


def test_same_seed_chooses_the_same(shop):
    same = shop(HashingEncoder(64))
    assert tune_fusion(same, seed=5) == tune_fusion(same, seed=5)


def test_catalog_too_small_keeps_the_start(shop):
    report = tune_fusion(shop(HashingEncoder(64), [Item("1", "Blue running shoes")]))
    assert (report.fusion, report.gain, report.n) == (PRIOR, None, 0)
    assert report.reason == "too few queries could be made"


def test_labels_find_meaning_where_words_fail(shop):
    numbered = [Item(str(n), f"{WORDS[n]} item{n}") for n in range(60)]
    meaning = ConceptEncoder(64)
    misleading = {f"concept{n} {WORDS[(n + 1) % 60]}": {str(n): 3.0} for n in range(60)}
    start = Fusion(dense=0.1, lexical=0.9, by="scores")
    report = tune_fusion_on(shop(meaning, numbered), misleading, start)
    assert report.fusion.dense > 0.5
    assert report.gain.low > 0
    assert report.curves["judged"][-1] == 1.0


def test_labels_that_do_not_decide_keep_the_start(shop):
    found = shop(HashingEncoder(256))
    ratings = {item.title: {item.id: 1.0} for item in items(40)}
    report = tune_fusion_on(found, ratings)
    assert report.fusion == PRIOR
    assert report.reason == "no better beyond doubt"


def test_too_few_judged_queries_are_refused(shop):
    ratings = {f"query {n}": {"1": 1.0} for n in range(FEWEST - 1)} | {"bad": {"2": 0.0}}
    with pytest.raises(RetrievalError, match=r"expected 20 or more queries.*got 19"):
        tune_fusion_on(shop(HashingEncoder(64)), ratings)


@pytest.mark.parametrize("fusion", [PRIOR, Fusion(), *GRID], ids=str)
def test_lists_rank_as_the_index_does(shop, fusion):
    found = shop(HashingEncoder(64))
    text = f"{WORDS[3]} {WORDS[40]} blue"
    own = lists_of(found, [text])[0].ranking(fusion)[:30]
    vector = found.encoder.encode_queries([text])[0]
    hits = found.index.search(vector, text, None, 30, fusion=fusion)
    assert own == [hit.item.id for hit in hits]


def test_lists_are_spelt_and_filtered(shop):
    found = shop(HashingEncoder(64), [Item("1", "blue gloves"), Item("2", "blue gloves")])
    found.spelling = Spelling({"gloves": 2}, lambda word: False)
    assert [id for id, _ in lists_of(found, ["glovs"])[0].words] == ["1", "2"]
    empty = lists_of(found, ["gloves"], filters=[None])[0]
    assert len(empty.meaning) == 2


def test_moving_must_be_worth_it():
    flat = np.full(len(GRID), 0.5)
    assert choose([flat]) == START
    words = flat + np.linspace(0.15, 0, len(GRID))
    assert choose([words]) == START
    assert choose([words + np.linspace(0.5, 0, len(GRID))]) == 0


def test_no_kind_may_lose():
    words = 0.5 + np.linspace(1.0, 0, len(GRID))
    meaning = 0.5 + np.linspace(0, 0.2, len(GRID))
    assert choose([words, words]) == 0
    assert choose([words, words, meaning]) >= START - 1


def test_values_are_of_folds_not_chosen_by():
    # Every query likes its own fusion best; what the others like is worth nothing to it.
    table = np.eye(len(GRID))[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]
    places = chosen_by_others(table, seed=1)
    assert table[np.arange(10), places].sum() <= 1
    agreed = np.tile(np.linspace(0, 1, len(GRID)), (20, 1))
    assert chosen_by_others(agreed, seed=1).tolist() == [len(GRID) - 1] * 20


def test_noise_is_a_unit_vector():
    assert np.linalg.norm(unit(NoiseEncoder(8).encode_queries(["a"]))) == pytest.approx(1)
