"""What every index engine must do. An engine's test file imports these tests and brings a fixture
`make_index(folder, encoder_name="hashing-16", dimension=16, write=True)` that opens its index."""

import threading

import numpy as np
import pytest

from retrieval.catalog import Item
from retrieval.encoder import HashingEncoder
from retrieval.errors import EncoderMismatch, FilterError, IndexError_
from retrieval.filters import And, Compare, Not, Or, matches
from retrieval.fusion import EQUAL, PRIOR, Fusion, combine
from retrieval.query import Order
from tests.retrieval.recall_contract import *  # noqa: F403

ENCODER = HashingEncoder(16)

SHOP = [
    Item("s1", "Blue running shoes", "light mesh", {"colour": "Blue", "price": 59.0, "stock": True,
         "tags": ("sport", "summer"), "released": "2024-03-01"}),
    Item("s2", "Red leather boots", "warm lining", {"colour": "Red", "price": 129.0, "stock": False,
         "tags": ("winter",), "released": "2023-11-15"}),
    Item("s3", "Navy rain jacket", "waterproof", {"colour": "Navy", "price": 89.5, "stock": True,
         "tags": ("rain", "sport")}),
    Item("s4", "Blue summer dress", "cotton", {"colour": "blue", "price": 39.0,
         "released": "2024-05-20"}),
    Item("s5", "Plain socks", "", {"price": 5.0, "stock": True}),
    Item("s6", "Gift card", "any amount"),
]  # fmt: skip

FILTERS = [
    None,
    Compare("colour", "eq", "BLUE"),
    Compare("colour", "ne", "blue"),
    Compare("colour", "in", ("blue", "red")),
    Compare("colour", "not_in", ("blue", "red")),
    Compare("colour", "exists", True),
    Compare("colour", "exists", False),
    Compare("tags", "eq", "sport"),
    Compare("tags", "ne", "sport"),
    Compare("tags", "not_in", ("sport", "winter")),
    Compare("stock", "eq", True),
    Compare("stock", "eq", "true"),
    Compare("stock", "ne", True),
    Compare("price", "lt", 59.0),
    Compare("price", "lte", 59),
    Compare("price", "gt", 59.0),
    Compare("price", "gte", 59.0),
    Compare("price", "eq", 5.0),
    Compare("price", "in", (5.0, 39.0, 40.0)),
    Compare("released", "gte", "2024-01-01"),
    Compare("text", "contains", "blue"),
    Compare("text", "contains", "running shoe"),
    Compare("text", "contains", "shoes running"),
    Compare("text", "not_contains", "sports"),
    Compare("colour", "contains", "navy"),
    Compare("tags", "contains", "rain sport"),
    Compare("nothing", "eq", "x"),
    Compare("nothing", "ne", "x"),
    Compare("nothing", "not_contains", "x"),
    And(),
    Or(),
    Not(And()),
    And((Compare("colour", "eq", "blue"), Compare("price", "lt", 50.0))),
    Or((Compare("colour", "eq", "red"), Compare("price", "lt", 10.0))),
    Not(Or((Compare("colour", "eq", "blue"), Compare("tags", "exists", True)))),
    And((Not(Compare("price", "gt", 50.0)), Compare("tags", "exists", False))),
]


def vectors_of(items):
    return ENCODER.encode_items([f"{item.title} {item.description}" for item in items])


def put(index, items):
    index.upsert(items, vectors_of(items))


@pytest.fixture
def index(make_index, tmp_path):
    with_shop = make_index(tmp_path / "index")
    put(with_shop, SHOP)
    yield with_shop
    with_shop.close()


def found(candidates):
    return [candidate.item.id for candidate in candidates]


def make_items(count, seed=0):
    rng = np.random.default_rng(seed)
    nouns = ["shoe", "boot", "dress", "jacket", "sock"]
    colours = ["red", "blue", "green", "black"]
    items = []
    for number in range(count):
        noun, colour = rng.choice(nouns), rng.choice(colours)
        fields = {"colour": str(colour), "price": float(rng.integers(1, 100))}
        items.append(Item(f"i{number}", f"{colour} {noun} {number % 17}", fields=fields))
    return items


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


def test_items_come_back_equal(index):
    fields = {"n": 1.5, "l": ("a", ""), "b": False}
    odd = Item("öd/d 1", "Ünïcode \ud83d", "a\nb\x00", fields, "EUR", "pic.svg", "http://x")
    index.upsert([odd], vectors_of([Item("x", "odd")]))
    assert index.get(["öd/d 1"]) == [odd]
    assert index.get(["s2", "nobody", "s1", "s2"]) == [SHOP[1], SHOP[0], SHOP[1]]


def test_vectors_come_back_in_order(index):
    expected = vectors_of([SHOP[2], SHOP[0]])
    np.testing.assert_allclose(index.vectors(["s3", "s1"]), expected, atol=1e-6)
    with pytest.raises(KeyError, match="nobody"):
        index.vectors(["s1", "nobody"])


def test_upsert_replaces_and_keeps_place(index):
    put(index, [Item("s1", "Green sandals", fields={"price": 1.0})])
    assert index.ids() == [item.id for item in SHOP]
    assert index.get(["s1"])[0].title == "Green sandals"
    assert "s1" not in index.ids(Compare("colour", "eq", "blue"))
    assert found(index.search(text="running")) == []
    assert found(index.search(text="sandals")) == ["s1"]
    np.testing.assert_allclose(index.vectors(["s1"]), vectors_of(index.get(["s1"])), atol=1e-6)


def test_last_duplicate_of_a_call_wins(index):
    put(index, [Item("new", "first"), Item("other", "x"), Item("new", "last")])
    assert [item.title for item in index.get(["new"])] == ["last"]
    assert index.count() == len(SHOP) + 2


def test_repeated_upsert_changes_nothing(index):
    before = index.search(ENCODER.encode_queries(["blue"]), "blue")
    put(index, SHOP)
    after = index.search(ENCODER.encode_queries(["blue"]), "blue")
    assert found(after) == found(before)
    assert index.count() == len(SHOP)


def test_deleted_items_are_not_found(index):
    assert index.delete(["s1", "nobody", "s1"]) == 1
    assert index.get(["s1"]) == []
    assert "s1" not in found(index.search(ENCODER.encode_queries(["blue running shoes"])))
    assert found(index.search(text="blue")) == ["s4"]
    assert index.delete_where(Compare("colour", "eq", "blue")) == 1
    assert index.search(text="blue") == []
    assert index.ids() == ["s2", "s3", "s5", "s6"]


def test_deleted_item_returns_at_the_end(index):
    index.delete(["s1"])
    put(index, [SHOP[0]])
    assert index.ids() == ["s2", "s3", "s4", "s5", "s6", "s1"]


def test_version_grows_with_every_change(index):
    versions = [index.version]
    put(index, [Item("new", "thing")])
    versions.append(index.version)
    index.delete(["new"])
    versions.append(index.version)
    index.delete(["new"])
    index.upsert([], np.zeros((0, 16), np.float32))
    assert versions == sorted(set(versions))
    assert index.version == versions[-1]


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.zeros((1, 16), np.float32), "length 0"),
        (np.full((1, 16), np.nan, np.float32), "length nan"),
        (np.full((1, 16), np.inf, np.float32), "length inf"),
        (np.ones((1, 16), np.float32), "length 4"),
        (np.eye(1, 8, dtype=np.float32), r"shape \(1, 16\)"),
        (np.eye(2, 16, dtype=np.float32), r"shape \(1, 16\)"),
    ],
)
def test_wrong_vectors_are_refused(index, vectors, message):
    with pytest.raises(IndexError_, match=message):
        index.upsert([Item("new", "thing")], vectors)
    assert index.get(["new"]) == []


@pytest.mark.parametrize("query", [np.zeros(16), np.full(16, np.nan), np.eye(1, 8), np.eye(2, 16)])
def test_wrong_query_vector_is_refused(index, query):
    with pytest.raises(IndexError_, match="query"):
        index.search(query)


def test_reopened_index_is_the_same(make_index, tmp_path):
    folder = tmp_path / "again"
    index = make_index(folder)
    put(index, SHOP)
    index.delete(["s2"])
    put(index, [Item("s3", "Yellow jacket")])
    query = ENCODER.encode_queries(["jacket"])
    before = (index.version, index.ids(), index.search(query, "jacket"), index.facet("tags"))
    index.close()
    index.close()
    index = make_index(folder)
    assert (
        index.version,
        index.ids(),
        index.search(query, "jacket"),
        index.facet("tags"),
    ) == before
    index.close()


@pytest.mark.parametrize(("name", "dimension"), [("other", 16), ("hashing-16", 8)])
def test_other_encoder_is_refused(make_index, tmp_path, name, dimension):
    make_index(tmp_path / "index").close()
    with pytest.raises(EncoderMismatch, match="hashing-16"):
        make_index(tmp_path / "index", name, dimension)
    make_index(tmp_path / "index").close()


def test_reads_run_beside_a_writer(index):
    query = ENCODER.encode_queries(["blue shoes"])[0]
    stop, failures = threading.Event(), []

    def read():
        try:
            while not stop.is_set():
                hits = index.search(query, "blue shoes", Compare("price", "lt", 1000.0), k=50)
                ids = found(hits)
                # s1 is replaced all the time and must never be missing or double.
                assert ids.count("s1") == 1, ids
                assert all(hit.item.fields["price"] < 1000 for hit in hits)
                assert len(index.get(["s1", "s4"])) == 2
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(60):
        put(index, [Item("s1", f"Blue shoes {turn}", fields={"price": float(turn)})])
        put(index, [Item(f"extra{turn}", "shoes", fields={"price": 2000.0})])
        index.delete([f"extra{turn - 1}"])
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
