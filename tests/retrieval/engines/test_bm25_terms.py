"""BM25 cut into terms adds up to what `retrieval.lexical` scores."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.catalog import Item
from retrieval.columns import Columns
from retrieval.engines.bm25_terms import (
    idf,
    item_terms,
    item_weights,
    query_terms,
    query_weights,
    stem_id,
    tf_part,
)
from retrieval.lexical import QUERY_WORDS, Lexical, Stems, index

ROOT = Path(__file__).parents[3]
SHOE = 3_515_400_552
WORDS = ["red", "shoes", "shoe", "running", "runs", "the", "of", "Dresses", "boot", "straße", "12"]
texts = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
items = st.builds(
    Item,
    id=st.just("x"),
    title=texts,
    description=texts,
    fields=st.dictionaries(st.sampled_from(["a", "b"]), texts | st.lists(texts).map(tuple)),
)


def scores_of_terms(catalog, text):
    """BM25 as a server computes it: weights of the items times idf times weights of the query."""
    terms = [item_terms(item) for item in catalog]
    mean = sum(one.length for one in terms) / len(terms) or 1e-9
    weights = [item_weights(one, mean) for one in terms]
    scores = np.zeros(len(catalog))
    for number, asked in query_weights(text).items():
        having = [place for place, one in enumerate(weights) if number in one]
        for place in having:
            scores[place] += asked * idf(len(having), len(catalog)) * weights[place][number]
    return scores


@given(st.lists(items, min_size=1, max_size=8), texts, st.booleans())
@settings(max_examples=300, deadline=None)
def test_terms_add_up_to_bm25(catalog, text, in_parts):
    columns, stems = Columns(), Stems()
    columns.extend(catalog)
    stems.extend(columns.text.vocabulary)
    cut = len(catalog) // 2 if in_parts else 0
    parts = [index(columns, stems, 0, cut), index(columns, stems, cut, len(catalog))]
    expected = Lexical(stems, parts).scores(text)
    if expected is None:
        expected = np.zeros(len(catalog))
    np.testing.assert_allclose(scores_of_terms(catalog, text), expected, rtol=1e-5, atol=1e-6)


def test_main_words_count_thrice():
    terms = item_terms(Item("x", "Red shoes", "red and warm", {"tags": ("shoe", "wool"), "n": 3.0}))
    assert terms.counts == {"red": 6, "shoe": 4, "warm": 3, "wool": 1}
    assert terms.length == 14


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the boots", {"boot": 1}),
        ("running runs", {"run": 2}),
        ("", {}),
        ("the of ?!", {}),
        ("blue " * 100, {"blue": QUERY_WORDS}),
    ],
)
def test_query_terms_drop_stop_words(text, expected):
    assert query_terms(text) == expected
    assert query_weights(text) == {stem_id(stem): count for stem, count in expected.items()}


def test_long_texts_weigh_less():
    assert tf_part(1, 10, 10.0) == pytest.approx(1 / 2.5)
    assert tf_part(1, 20, 10.0) < tf_part(1, 10, 10.0) < tf_part(2, 10, 10.0) < 1


def test_rare_stems_weigh_more():
    assert idf(1, 1000) > idf(500, 1000) > idf(1000, 1000) > 0


def test_stem_numbers_never_change():
    assert stem_id("shoe") == SHOE
    assert 0 <= stem_id("straße") < 2**32
    code = "from retrieval.engines.bm25_terms import stem_id; print(stem_id('shoe'))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert int(run.stdout) == SHOE


def test_stem_numbers_hardly_collide():
    assert len({stem_id(f"word{number}") for number in range(50_000)}) >= 49_998


def test_stems_that_share_a_number_add_up(monkeypatch):
    monkeypatch.setattr("retrieval.engines.bm25_terms.stem_id", len)
    terms = item_terms(Item("x", "", fields={"tags": "red sky blue"}))
    assert item_weights(terms, 3.0) == pytest.approx({3: 2 / 2.5, 4: 1 / 2.5})
    assert query_weights("red sky") == {3: 2}
