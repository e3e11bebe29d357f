"""BM25: the library's scores, whatever parts the rows are in."""

from itertools import pairwise

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import lexical
from retrieval.catalog import Item
from retrieval.columns import Columns
from retrieval.lexical import Lexical, Stems, index, tokens_between

ITEMS = [
    Item("1", "Blue running shoes", "light shoes for the road", {"colour": "Blue"}),
    Item("2", "Red boots", "warm", {"colour": "Red", "tags": ("winter", "leather")}),
    Item("3", "", "", {"price": 3.0}),
    Item("4", "Running shirt", "the blue of the sea", {"colour": "Green"}),
    Item("5", "the of and"),
]
QUERIES = ["blue", "running shoes", "runs boot", "leather", "green sea the", "shoes shoes"]
WORDS = ["red", "shoes", "shoe", "running", "the", "boot", "straße", "wool", "12", "sea"]


def filled(items):
    columns, stems = Columns(), Stems()
    columns.extend(items)
    stems.extend(columns.text.vocabulary)
    return columns, stems


@pytest.fixture
def columns():
    return filled(ITEMS)[0]


@pytest.fixture
def stems(columns):
    known = Stems()
    known.extend(columns.text.vocabulary)
    return known


def documents_of(columns, stems, n):
    documents = [[] for _ in range(n)]
    tokens = tokens_between(columns, stems, 0, n)
    for row, stem in zip(tokens.rows, tokens.stems, strict=True):
        documents[row].append(int(stem))
    return documents


@pytest.mark.parametrize("query", QUERIES)
def test_scores_equal_the_formula(columns, stems, query):
    n = len(ITEMS)
    documents = documents_of(columns, stems, n)
    mean = sum(map(len, documents)) / n
    expected = []
    for document in documents:
        score = 0.0
        for stem in stems.of_query(query):
            frequency = sum(stem in other for other in documents)
            idf = np.log(1 + (n - frequency + 0.5) / (frequency + 0.5))
            count = document.count(stem)
            norm = lexical.K1 * (1 - lexical.B + lexical.B * len(document) / mean)
            score += idf * count / (count + norm)
        expected.append(score)
    scores = Lexical(stems, [index(columns, stems, 0, n)]).scores(query)
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


texts = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
catalogs = st.lists(st.builds(Item, st.just("x"), texts, texts), min_size=1, max_size=12)


@given(catalogs, texts, st.lists(st.integers(0, 12), max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_parts_score_as_the_library(catalog, query, cuts):
    columns, stems = filled(catalog)
    n = len(catalog)
    bounds = sorted({0, n, *(cut for cut in cuts if cut < n)})
    parts = [index(columns, stems, low, high) for low, high in pairwise(bounds)]
    scores = Lexical(stems, parts).scores(query)
    documents = documents_of(columns, stems, n)
    if scores is None or not any(documents):
        assert stems.of_query(query) == []
        return
    model = bm25s.BM25(k1=lexical.K1, b=lexical.B, method="lucene")
    model.index((documents, stems.codes), create_empty_token=False, show_progress=False)
    np.testing.assert_allclose(scores, model.get_scores(stems.of_query(query)), rtol=1e-4)


def test_blocks_add_up_to_one(columns, stems, monkeypatch):
    whole = index(columns, stems, 0, 5)
    monkeypatch.setattr(lexical, "BLOCK_ROWS", 2)
    in_blocks = index(columns, stems, 0, 5)
    np.testing.assert_array_equal(in_blocks.rows, whole.rows)
    np.testing.assert_array_equal(in_blocks.counts, whole.counts)
    assert (in_blocks.end, in_blocks.tokens) == (5, whole.tokens)


def test_main_words_count_thrice(columns, stems):
    tokens = tokens_between(columns, stems, 0, 1)
    names = {code: stem for stem, code in stems.codes.items()}
    first = [names[stem] for stem in tokens.stems.tolist()]
    main = ["blue", "run", "shoe", "light", "shoe", "road"]
    assert first == [word for word in main for _ in range(3)] + ["blue"]


def test_addition_brings_new_words(columns, stems):
    base = index(columns, stems, 0, 5)
    columns.extend([Item("6", "Zebra kilt"), Item("7", "Red kilt")])
    stems.extend(columns.text.vocabulary)
    scores = Lexical(stems, [base, index(columns, stems, 5, 7)]).scores("red zebra")
    assert scores[5] > scores[6] > 0
    assert scores[1] > 0
    assert scores[[0, 2, 3, 4]].tolist() == [0, 0, 0, 0]


def test_only_stop_words_find_nothing():
    columns, stems = filled([Item("1", "the of"), Item("2", "")])
    found = Lexical(stems, [index(columns, stems, 0, 2)])
    assert found.n == 2
    assert found.scores("blue") is None
    assert Lexical(stems, []).scores("blue") is None


def test_checksum_tells_other_stems_apart(stems):
    assert stems.checksum(3) != stems.checksum(2)
    assert stems.checksum(3) != Stems().checksum(3)


@pytest.mark.parametrize(
    ("text", "expected"), [("red", True), ("the", False), ("This is THE", False), ("🦄 !", False)]
)
def test_stop_words_are_not_searched(text, expected):
    assert lexical.is_searchable(text) is expected
