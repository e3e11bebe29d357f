"""Retrieval measured on tiny judged sets whose figures are known by hand."""

from math import log2

import pytest

from finetune.errors import DataError
from finetune.retrieval_quality import (
    FLOORS,
    JudgedSet,
    PlainBM25,
    evaluate,
    find,
    in_development,
    measures,
    numbered,
    usable,
)
from retrieval.catalog import Item
from retrieval.encoder import HashingEncoder
from retrieval.exact import ExactIndex
from retrieval.fusion import EQUAL, PRIOR
from retrieval.spelling import Spelling

ITEMS = numbered(
    [
        Item("a", "Blue running shoes", "for the road"),
        Item("b", "Blue boots", "warm"),
        Item("c", "Red running shirt", "light"),
        Item("d", "Green kettle", "boils water"),
        Item("e", "Green lamp", "warm light"),
    ]
)
GRADES = {
    "blue shoes": {"a": 2.0, "b": 1.0, "d": 0.0},
    "kettel": {"d": 2.0, "e": 0.0},
    "running": {"a": 1.0, "c": 1.0},
}


class Shop:
    """What `Searchable` asks for, over `ITEMS`."""

    def __init__(self, folder):
        self.encoder = HashingEncoder(64)
        self.facets = ()
        self.spelling = Spelling({"kettle": 3}, lambda word: word in ("blue", "shoes", "running"))
        self.index = ExactIndex(folder, self.encoder.name, 64)
        self.index.upsert(ITEMS, self.encoder.encode_items([item.title for item in ITEMS]))


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path)
    yield made
    made.index.close()


def judged(scope, grades=GRADES, **changes):
    return JudgedSet("tiny", grades, scope, "as a test", **changes)


def found(shop, scope, query):
    one = judged(scope, {query: GRADES[query]})
    return one, find(shop, PlainBM25(ITEMS), one, [query])[0]


def test_floors_are_what_they_are_called(shop):
    _, hit = found(shop, "catalog", "kettel")
    assert hit.ranking("bm25", EQUAL, 10) == []
    assert hit.ranking("encoder", EQUAL, 10)[0] == "d"
    assert set(hit.ranking("rrf", EQUAL, 10)) == {"a", "b", "c", "d", "e"}
    assert hit.ranking("ours", PRIOR, 10)[0] == "d"
    assert [id for id, _ in hit.lists.words] == ["d"]


def test_plain_bm25_is_the_librarys():
    plain = PlainBM25(ITEMS)
    assert plain.search("the running shirts", None, 5) == ["c", "a"]
    assert plain.search("running", None, 1) == ["a"]
    assert plain.search("running", ["c", "d"], 5) == ["c"]
    assert plain.search("zebra", None, 5) == []


def test_measures_of_the_catalog_by_hand(shop):
    one, hit = found(shop, "catalog", "blue shoes")
    got = measures(hit, "bm25", EQUAL, GRADES["blue shoes"], one)
    assert hit.ranking("bm25", EQUAL, 10) == ["a", "b"]
    assert got == {"ndcg@10": 1, "ndcg@10_linear": 1, "ndcg@10_condensed": 1, "recall@10": 1,
                   "rated@10": 0.2}  # fmt: skip


def test_unrated_items_push_rated_ones_down(shop):
    grades = {"c": 2.0}
    one, hit = found(shop, "catalog", "running")
    got = measures(hit, "bm25", EQUAL, grades, one)
    assert got["ndcg@10"] == pytest.approx(1 / log2(3))
    assert got["ndcg@10_condensed"] == 1
    assert (got["recall@10"], got["rated@10"]) == (1, 0.1)


def test_judged_items_are_all_ranked(shop):
    one, hit = found(shop, "judged", "kettel")
    assert set(hit.encoder) == {"d", "e"}
    # BM25 knows no kettel: both come in the catalog's order, the good one first by luck.
    assert measures(hit, "bm25", EQUAL, {"d": 2.0, "e": 0.0}, one)["ndcg@10"] == 1
    late = measures(hit, "bm25", EQUAL, {"d": 0.0, "e": 2.0}, one)
    assert late["ndcg@10"] == pytest.approx(1 / log2(3))


def test_report_compares_with_every_floor(shop):
    report = evaluate(shop, ITEMS, judged("catalog"), PRIOR, seed=0).to_json()
    assert set(report["baselines"]) == set(report["ours_minus"]) == set(FLOORS)
    assert report["n"]["queries"] == 3
    assert report["n"]["judged_pairs"] == 7
    assert "held_out" not in report
    ours, bm25 = report["ours"]["ndcg@10"], report["baselines"]["bm25"]["ndcg@10"]
    assert ours["mean"] == 1
    assert bm25["mean"] == pytest.approx(2 / 3)
    minus = report["ours_minus"]["bm25"]["ndcg@10"]
    assert minus["mean"] == pytest.approx(1 / 3)
    assert minus["low"] <= minus["mean"] <= minus["high"]


def test_half_that_was_not_looked_at_stands_alone(shop):
    report = evaluate(shop, ITEMS, judged("catalog", halved=True), PRIOR, seed=0).to_json()
    assert report["held_out"]["queries"] == sum(not in_development(query) for query in GRADES)


def test_queries_are_halved_by_their_text():
    halves = [in_development(f"query {number}") for number in range(400)]
    assert 160 < sum(halves) < 240


def test_what_cannot_be_measured_is_counted():
    grades = {
        **GRADES,
        "nothing good": {"a": 0.0, "b": 0.0},
        "gone": {"z": 2.0},
        "half gone": {"a": 1.0, "z": 1.0},
    }
    ids = frozenset(item.id for item in ITEMS)
    kept, left = usable(judged("catalog", grades), ids)
    assert list(kept) == [*GRADES, "half gone"]
    assert left == {
        "items_not_in_catalog": 2,
        "queries_without_relevant": 2,
        "queries_of_one_grade": 0,
    }
    assert list(usable(judged("judged", grades), ids)[0]) == ["blue shoes", "kettel"]


@pytest.mark.parametrize(
    ("grades", "message"),
    [
        ({"x": {"z": 1.0}}, "none of the 1 judged ids is in the catalog, for instance 'z'.*'a'"),
        ({"x": {"a": 0.0}}, "no query has a relevant item"),
    ],
)
def test_sets_that_say_nothing_are_refused(grades, message):
    with pytest.raises(DataError, match=message):
        usable(judged("catalog", grades), frozenset("abc"))
