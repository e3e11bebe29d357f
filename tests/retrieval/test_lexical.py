"""BM25: rows in the base and rows added since are scored alike."""

import numpy as np
import pytest

from retrieval import lexical
from retrieval.catalog import Item
from retrieval.columns import Columns
from retrieval.lexical import Lexical, Stems, build_base, load_base, save_base, tokens_between

ITEMS = [
    Item("1", "Blue running shoes", "light shoes for the road", {"colour": "Blue"}),
    Item("2", "Red boots", "warm", {"colour": "Red", "tags": ("winter", "leather")}),
    Item("3", "", "", {"price": 3.0}),
    Item("4", "Running shirt", "the blue of the sea", {"colour": "Green"}),
    Item("5", "the of and"),
]
QUERIES = ["blue", "running shoes", "runs boot", "leather", "green sea the", "shoes shoes"]


@pytest.fixture
def columns():
    filled = Columns()
    filled.extend(ITEMS)
    return filled


@pytest.fixture
def stems(columns):
    known = Stems()
    known.extend(list(columns.text.vocabulary))
    return known


@pytest.mark.parametrize("query", QUERIES)
def test_base_and_addition_score_alike(columns, stems, query):
    n = len(ITEMS)
    base = build_base(tokens_between(columns, stems, 0, n), stems)
    from_base = Lexical(columns, stems, base, n).scores(query)
    added = Lexical(columns, stems, None, n).scores(query)
    np.testing.assert_allclose(from_base, added, rtol=1e-5)


@pytest.mark.parametrize("query", QUERIES)
def test_scores_equal_the_formula(columns, stems, query):
    n = len(ITEMS)
    documents = [[] for _ in range(n)]
    tokens = tokens_between(columns, stems, 0, n)
    for row, stem in zip(tokens.rows, tokens.stems, strict=True):
        documents[row].append(int(stem))
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
    np.testing.assert_allclose(Lexical(columns, stems, None, n).scores(query), expected, rtol=1e-5)


def test_title_words_count_double(columns, stems):
    tokens = tokens_between(columns, stems, 0, 1)
    names = {code: stem for stem, code in stems.codes.items()}
    first = [names[stem] for stem in tokens.stems.tolist()]
    assert first == ["blue", "blue", "run", "run", "shoe", "shoe", "light", "shoe", "road", "blue"]


def test_addition_uses_words_new_to_the_base(columns, stems):
    base = build_base(tokens_between(columns, stems, 0, 5), stems)
    columns.extend([Item("6", "Zebra kilt"), Item("7", "Red kilt")])
    stems.extend(list(columns.text.vocabulary))
    scores = Lexical(columns, stems, base, 7).scores("red zebra")
    assert scores[5] > scores[6] > 0
    assert scores[1] > 0
    assert scores[[0, 2, 3, 4]].tolist() == [0, 0, 0, 0]


def test_saved_base_scores_the_same(columns, stems, tmp_path):
    base = build_base(tokens_between(columns, stems, 0, 5), stems)
    save_base(base, stems, 3, tmp_path / "bm25")
    save_base(base, stems, 3, tmp_path / "bm25")
    loaded = load_base(tmp_path / "bm25", stems, 3, 5)
    query = stems.of_query("blue boots")
    np.testing.assert_array_equal(loaded.scores(query), base.scores(query))
    assert load_base(tmp_path / "bm25", stems, 4, 5) is None
    assert load_base(tmp_path / "bm25", stems, 3, 4) is None
    assert load_base(tmp_path / "bm25", Stems(), 3, 5) is None


def test_only_stop_words_need_no_base(stems):
    empty = Columns()
    empty.extend([Item("1", "the of"), Item("2", "")])
    known = Stems()
    known.extend(list(empty.text.vocabulary))
    assert build_base(tokens_between(empty, known, 0, 2), known) is None
    assert Lexical(empty, known, None, 2).scores("blue") is None


@pytest.mark.parametrize(
    ("text", "expected"), [("red", True), ("the", False), ("This is THE", False), ("🦄 !", False)]
)
def test_stop_words_are_not_searched(text, expected):
    assert lexical.is_searchable(text) is expected


@pytest.mark.parametrize(("base", "n", "expected"), [(0, 10, False), (0, 2000, True)])
def test_base_is_built_for_many_rows(base, n, expected):
    assert lexical.wants_base(None, n) is expected
