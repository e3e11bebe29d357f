"""What every reranker must do, whatever its kind."""

import math
from dataclasses import replace

import pytest

from retrieval.reranking.cross_encoder import CrossEncoderReranker
from retrieval.reranking.ltr import LTRReranker
from retrieval.reranking.protocol import NO_CONTEXT, NoReranker, reordered
from tests.retrieval.reranking.goods import (
    BAD,
    CANDIDATES,
    CONTEXT,
    SHIRT,
    SHOE,
    SOCK,
    tiny_cross_encoder,
    trees,
)

QUERY = "blue running shirt"


@pytest.fixture(scope="module", params=["none", "ltr", "cross-encoder"])
def reranker(request, tmp_path_factory):
    if request.param == "none":
        return NoReranker()
    if request.param == "ltr":
        return LTRReranker(trees())
    folder = tiny_cross_encoder(tmp_path_factory.mktemp("cross"))
    return CrossEncoderReranker(str(folder), ("kind",))


@pytest.mark.parametrize("context", [NO_CONTEXT, CONTEXT], ids=["nothing known", "context"])
def test_every_candidate_gets_a_number(reranker, context):
    scores = reranker.rank(QUERY, CANDIDATES, context)
    assert len(scores) == len(CANDIDATES)
    assert all(isinstance(score, float) and not math.isnan(score) for score in scores)


def test_same_input_same_scores(reranker):
    first = reranker.rank(QUERY, CANDIDATES, CONTEXT)
    assert reranker.rank(QUERY, list(CANDIDATES), CONTEXT) == first


def test_order_of_candidates_changes_nothing(reranker):
    forward = reranker.rank(QUERY, CANDIDATES, CONTEXT)
    backward = reranker.rank(QUERY, CANDIDATES[::-1], CONTEXT)
    assert backward[::-1] == pytest.approx(forward, abs=1e-5)


def test_nothing_to_rank_is_no_error(reranker):
    assert reranker.rank(QUERY, [], CONTEXT) == []


@pytest.mark.parametrize("query", ["", "the of", "🙂", "x" * 10_000, "\ud83d", "a\x00b"])
def test_any_query_is_ranked(reranker, query):
    assert len(reranker.rank(query, CANDIDATES, CONTEXT)) == len(CANDIDATES)


def test_a_bad_candidate_does_not_disturb_others(reranker):
    goods = [SHIRT, SHOE, SOCK]
    alone = reordered(goods, reranker.rank(QUERY, goods))
    among = reordered([*goods, BAD], reranker.rank(QUERY, [*goods, BAD]))
    assert [place for place in among if place < 3] == alone


def test_one_item_twice_scores_the_same(reranker):
    again = replace(SHIRT, item=replace(SHIRT.item, id="z"))
    first, second = reranker.rank(QUERY, [SHIRT, again])
    assert first == pytest.approx(second, abs=1e-5)


def test_none_keeps_the_order_of_the_search():
    scores = NoReranker().rank(QUERY, CANDIDATES)
    assert reordered(CANDIDATES, scores) == [0, 1, 2, 3]
    assert scores[3] == -math.inf


def test_equal_scores_keep_their_order():
    assert reordered(CANDIDATES, [1.0, 2.0, 1.0, 2.0]) == [1, 3, 0, 2]
