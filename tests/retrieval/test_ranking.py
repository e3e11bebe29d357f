"""Rankings over rows equal a plain sort."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.ranking import Scored, by_key, by_relevance, similarity, top


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(1, 12))
def test_top_equals_full_sort(values, k):
    scores = np.array(values, dtype=np.float32)
    seq = np.arange(len(values))[::-1].copy()
    expected = sorted(range(len(values)), key=lambda place: (-scores[place], seq[place]))[:k]
    assert top(scores, seq, k).tolist() == expected


@pytest.mark.parametrize("share", [0.05, 0.9])
def test_similarity_equals_dot_product(share):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = np.flatnonzero(rng.random(200) < share)
    expected = [float(np.dot(vectors[row], vectors[3])) for row in rows]
    np.testing.assert_allclose(similarity(vectors, rows, vectors[3]), expected, atol=1e-6)


def scored(dense=None, lexical=None, count=3):
    def array(values):
        return None if values is None else np.array(values, dtype=np.float32)

    rows = np.arange(10, 10 + count)
    return Scored(rows, np.arange(count)[::-1].copy(), array(dense), array(lexical))


def rows_of(ranked):
    return [hit.row for hit in ranked]


def test_without_scores_insertion_decides():
    assert rows_of(by_relevance(scored(), 2)) == [12, 11]


def test_words_leave_out_the_rest():
    hits = by_relevance(scored(lexical=[0, 2, 1]), 5)
    assert [(hit.row, hit.score, hit.lexical) for hit in hits] == [(11, 2, 2), (12, 1, 1)]


def test_ties_of_fusion_follow_similarity():
    assert rows_of(by_relevance(scored([0.9, 0.1, 0.5], [0, 3, 0]), 3)) == [11, 10, 12]


def test_keys_sort_before_scores():
    keys = np.array([np.nan, 2.0, 2.0])
    assert rows_of(by_key(scored(dense=[0.9, 0.1, 0.5]), keys, 3)) == [12, 11, 10]
