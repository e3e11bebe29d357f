"""Part of the index contract: what is written, replaced, deleted and kept (`index_contract`)."""

import threading

import numpy as np
import pytest

from retrieval.catalog import Item
from retrieval.errors import EncoderMismatch, IndexError_
from retrieval.filters import Compare
from tests.retrieval.contract_shop import ENCODER, SHOP, found, put, vectors_of


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
