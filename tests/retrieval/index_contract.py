"""What every index engine must do: searching here, writing in `writing_contract`.

An engine's test file imports these tests and brings a fixture
`make_index(folder, encoder_name="hashing-16", dimension=16, write=True)` that opens its index."""

import numpy as np
import pytest

from retrieval.catalog import Item
from retrieval.errors import FilterError, IndexError_
from retrieval.filters import Compare, matches
from retrieval.fusion import EQUAL, PRIOR, Fusion, combine
from retrieval.query import Order
from tests.retrieval.contract_shop import *  # noqa: F403
from tests.retrieval.contract_shop import ENCODER, FILTERS, SHOP, found, make_items, put
from tests.retrieval.recall_contract import *  # noqa: F403
from tests.retrieval.writing_contract import *  # noqa: F403


@pytest.mark.parametrize("filter", FILTERS, ids=str)
def test_filter_finds_what_matches(index, filter):
    expected = [item.id for item in SHOP if matches(filter, item)]
    assert index.ids(filter) == expected
    assert index.count(filter) == len(expected)
    assert found(index.search(filter=filter)) == expected
    query = ENCODER.encode_queries(["blue shoes"])
    assert sorted(found(index.search(query, filter=filter))) == expected
    assert set(found(index.search(text="blue sport", filter=filter))) <= set(expected)
    assert sorted(found(index.search(query, "blue", filter))) == expected


@pytest.mark.parametrize("filter", [Compare("price", "lt", True), Compare("text", "contains", 1.0)])
def test_wrong_filter_value_is_refused(index, filter):
    with pytest.raises(FilterError):
        index.search(filter=filter)


def test_dense_search_equals_brute_force(make_index, tmp_path):
    items = make_items(300)
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(300, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = make_index(tmp_path / "index")
    index.upsert(items, vectors)
    for filter in (None, Compare("colour", "eq", "red"), Compare("price", "lt", 4.0)):
        query = vectors[7] + 0.1 * vectors[8]
        query /= np.linalg.norm(query)
        rows = [row for row, item in enumerate(items) if matches(filter, item)]
        best = sorted(rows, key=lambda row: -float(vectors[row] @ query))[:10]
        hits = index.search(query, filter=filter, k=10)
        assert found(hits) == [items[row].id for row in best]
        assert [hit.dense for hit in hits] == pytest.approx(
            [float(vectors[row] @ query) for row in best], abs=1e-5
        )
        assert all(hit.score == hit.dense and hit.lexical is None for hit in hits)
    index.close()


def test_text_search_ranks_by_words(index):
    hits = index.search(text="blue shoes")
    assert found(hits) == ["s1", "s4"]
    assert hits[0].lexical > hits[1].lexical > 0
    assert all(hit.dense is None for hit in hits)


def test_text_search_stems_words(index):
    assert found(index.search(text="the boot")) == ["s2"]
    assert found(index.search(text="run")) == ["s1"]


def test_rare_word_outweighs_common_one(make_index, tmp_path):
    index = make_index(tmp_path / "index")
    put(index, [Item(str(n), "plain shirt") for n in range(20)] + [Item("x", "plain kimono")])
    assert found(index.search(text="shirt kimono", k=1)) == ["x"]
    index.close()


@pytest.mark.parametrize("text", ["xylophone", "xylophone zebra"])
def test_unknown_words_find_nothing(index, text):
    assert index.search(text=text) == []


@pytest.mark.parametrize("text", ["", "   ", "the", "?!", "\x00\x07", "🦄"])
def test_text_without_words_lists_everything(index, text):
    assert found(index.search(text=text)) == [item.id for item in SHOP]


def test_both_rankings_are_fused(index):
    query = ENCODER.encode_queries(["plain socks"])
    hits = index.search(query, "blue", k=6)
    assert set(found(hits)) == {item.id for item in SHOP}
    assert set(found(hits)[:3]) == {"s5", "s1", "s4"}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    scores = {hit.item.id: (hit.dense, hit.lexical) for hit in hits}
    assert scores["s5"][1] == 0
    assert scores["s1"][1] > 0
    assert scores["s5"][0] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("fusion", [EQUAL, PRIOR, Fusion(0.0, by="scores")], ids=str)
def test_fusion_has_one_definition(index, fusion):
    query = ENCODER.encode_queries(["plain socks"])[0]
    meaning = [(hit.item.id, hit.dense) for hit in index.search(query, k=6)]
    words = [(hit.item.id, hit.lexical) for hit in index.search(text="blue", k=6)]
    hits = index.search(query, "blue", k=6, fusion=fusion)
    expected = dict(combine(meaning, words, fusion))
    assert {hit.item.id: hit.score for hit in hits} == pytest.approx(expected, abs=1e-4)


def test_query_vector_may_be_a_row(index):
    query = ENCODER.encode_queries(["socks"])
    assert found(index.search(query)) == found(index.search(query[0]))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order("price"), ["s5", "s4", "s1", "s3", "s2", "s6"]),
        (Order("price", "descending"), ["s2", "s3", "s1", "s4", "s5", "s6"]),
        (Order("released"), ["s2", "s1", "s4", "s3", "s5", "s6"]),
        (Order("released", "descending"), ["s4", "s1", "s2", "s3", "s5", "s6"]),
        (Order("nothing"), ["s1", "s2", "s3", "s4", "s5", "s6"]),
    ],
    ids=str,
)
def test_order_sorts_all_matching_items(index, order, expected):
    assert found(index.search(order=order)) == expected


def test_order_keeps_filter_and_scores(index):
    query = ENCODER.encode_queries(["blue"])
    stock = Compare("stock", "eq", True)
    hits = index.search(query, "shoes", stock, k=2, order=Order("price", "descending"))
    assert found(hits) == ["s3", "s1"]
    assert hits[1].lexical > 0
    assert hits[1].dense is not None


def test_equal_sort_values_follow_relevance(make_index, tmp_path):
    index = make_index(tmp_path / "index")
    put(index, [Item(n, n, fields={"price": 1.0}) for n in ("socks", "gloves", "hats")])
    assert found(index.search(text="hats", order=Order("price"))) == ["hats", "socks", "gloves"]
    index.close()


@pytest.mark.parametrize(("k", "count"), [(-1, 0), (0, 0), (1, 1), (6, 6), (1000, 6)])
def test_k_limits_the_answer(index, k, count):
    query = ENCODER.encode_queries(["blue"])
    assert len(index.search(query, k=k)) == count
    assert len(index.search(query, "blue", k=k)) == count
    assert len(index.search(k=k)) == count


def test_empty_index_answers_nothing(make_index, tmp_path):
    index = make_index(tmp_path / "index")
    query = ENCODER.encode_queries(["blue"])
    assert index.search(query, "blue", Compare("colour", "eq", "blue")) == []
    assert index.search(text="blue", order=Order("price")) == []
    assert (index.ids(), index.count(), index.facet("colour")) == ([], 0, [])
    assert index.get(["s1"]) == []
    assert index.delete(["s1"]) == 0
    assert index.vectors([]).shape == (0, 16)
    index.close()


def test_facet_counts_matching_values(index):
    assert index.facet("colour") == [("Blue", 1), ("Navy", 1), ("Red", 1), ("blue", 1)]
    assert index.facet("tags") == [("sport", 2), ("rain", 1), ("summer", 1), ("winter", 1)]
    assert index.facet("stock") == [("true", 3), ("false", 1)]
    assert index.facet("tags", Compare("price", "gt", 100.0)) == [("winter", 1)]
    assert index.facet("tags", limit=1) == [("sport", 2)]
    assert index.facet("price", Compare("price", "lt", 50.0)) == [("39", 1), ("5", 1)]


@pytest.mark.parametrize("query", [np.zeros(16), np.full(16, np.nan), np.eye(1, 8), np.eye(2, 16)])
def test_wrong_query_vector_is_refused(index, query):
    with pytest.raises(IndexError_, match="query"):
        index.search(query)
