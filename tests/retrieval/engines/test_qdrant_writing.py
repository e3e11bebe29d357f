"""Writing to Qdrant: leases, crashes, marks, weights of words, the beam of the graph search."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qdrant_client", reason="needs attune[qdrant]")
pytest.importorskip("qdrant_edge", reason="needs attune[edge]")

from retrieval.catalog import Item
from retrieval.engines import qdrant_writing
from retrieval.engines.qdrant import QdrantIndex
from retrieval.engines.qdrant_collection import Collection, Hit
from retrieval.engines.qdrant_payload import key_of
from retrieval.engines.qdrant_writing import BEAMS, checked_beam
from retrieval.errors import CatalogError, FilterError, IndexError_
from retrieval.exact import ExactIndex
from retrieval.filters import Compare, Not, matches
from retrieval.query import Order
from tests.retrieval.engines.qdrant_places import *  # noqa: F403
from tests.retrieval.index_contract import ENCODER, SHOP, found, put, vectors_of
from tests.retrieval.recall_contract import crowd, queries_near

ROOT = Path(__file__).parents[3]


def opened(url, write=True, name="items"):
    return QdrantIndex(url, name, "hashing-16", 16, write=write)


@pytest.fixture
def index(local):
    filled = opened("path:here")
    put(filled, SHOP)
    yield filled
    filled.close()


# Steps


def test_mark_is_kept(index):
    assert index.mark == -1
    index.set_mark(7)
    put(index, [Item("new", "thing")])
    assert index.mark == 7
    index.close()
    again = opened("path:here", write=False)
    assert again.mark == 7
    with pytest.raises(IndexError_, match="opened for reading"):
        again.set_mark(8)
    again.close()


def test_broken_write_can_be_repeated(index, monkeypatch):
    monkeypatch.setattr(qdrant_writing, "BATCH", 2)
    items = [Item(f"n{number}", "lamp", fields={"watts": 5.0}) for number in range(3)]
    items += [Item("s1", "Lamp"), Item("s2", "Lamp")]
    whole, calls = Collection.put, []

    def break_off(collection, points):
        calls.append(points)
        if len(calls) == 2:
            raise IndexError_("cannot reach the server")
        whole(collection, points)

    index.set_mark(1)
    before = index.version
    with monkeypatch.context() as patch:
        patch.setattr(Collection, "put", break_off)
        with pytest.raises(IndexError_, match="cannot reach"):
            index.apply(items, vectors_of(items), ["s3"])
    assert index.mark == 1
    assert index.version > before
    assert index.count() == len(SHOP) + 2
    assert [item.title for item in index.get(["s1", "s2", "s3"])] == [
        item.title for item in SHOP[:3]
    ]
    assert index.apply(items, vectors_of(items), ["s3"]) == 1
    index.save()
    assert index.ids() == ["s1", "s2", "s4", "s5", "s6", "n0", "n1", "n2"]
    assert index._point.read().items == 8
    assert len(index.search(text="lamp")) == 5


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Item("", "thing"), "expected an id"),
        (Item("x", "thing", fields={"size": None}), "'size' = None"),
        (Item("x", None), "needs text as title"),
    ],
)
def test_unusable_item_leaves_nothing(index, bad, message):
    before = index.version
    with pytest.raises(CatalogError, match=message):
        index.apply([Item("new", "thing"), bad], vectors_of(SHOP[:2]), ["s1"])
    assert index.ids() == [item.id for item in SHOP]
    assert index.version == before
    assert index.get([bad.id]) == []


def test_deleted_and_added_item_is_new(index, tmp_path):
    exact = ExactIndex(tmp_path / "exact", "hashing-16", 16)
    put(exact, SHOP)
    for one in (index, exact):
        assert one.apply(SHOP[:1], vectors_of(SHOP[:1]), ["s1", "s2", "s1", "\x00"]) == 2
        assert one.ids() == ["s3", "s4", "s5", "s6", "s1"]
    exact.close()


def indexed(core):
    """Return which fields of items were indexed, each checked to be so only once."""
    path = "/collections/items/index"
    made = [body["field_name"] for _, asked, body in core.requests if asked == path]
    assert len(made) == len(set(made))
    return set(made)


def test_indexes_come_before_items(core):
    index = opened(core.url)
    put(index, SHOP[:1])
    first = [path for _, path, body in core.requests if path.endswith("/index") or "points" in body]
    assert first.index("/collections/items/points") > len(indexed(core)) >= 12
    put(index, [Item("x", "thing", fields={"price": 2.0, "new one": "2024-01-01"})])
    odd = key_of("new one")
    assert {"n.price", "v.price", "v.colour", "d.released", f"d.{odd}", f"v.{odd}"} <= indexed(core)
    assert {"seq", "e", "k", "t", "w"} <= indexed(core)
    index.close()


def test_rare_fields_do_without_indexes(core, monkeypatch):
    monkeypatch.setattr("retrieval.engines.qdrant_fields.INDEXED_FIELDS", 3)
    index = opened(core.url)
    items = [Item(f"i{n}", "thing", fields={"price": float(n)}) for n in range(50)]
    rare = {"watts": 5.0, "made": "2024-02-01", "maker": "Oak"}
    put(index, [*items, Item("rare", "thing", fields=rare)])
    assert "n.price" in indexed(core)
    assert not {name for name in indexed(core) if name[2:] in rare}
    for field, value in rare.items():
        assert index.facet(field) == [(str(value).removesuffix(".0"), 1)]
        assert found(index.search(order=Order(field), k=2)) == ["rare", "i0"]
        assert index.ids(Compare(field, "gte", value)) == ["rare"]
        assert index.ids(Compare(field, "eq", value)) == ["rare"]
    common = [Item(f"c{n}", "thing", fields=rare) for n in range(9)]
    for item in common:
        put(index, [item])
    assert not {name for name in indexed(core) if name[2:] in rare}
    index.save()
    assert len({name[2:] for name in indexed(core) if name[2:] in rare}) == 2
    for field in rare:
        assert [count for _, count in index.facet(field)] == [10]
    index.close()


# Weights of words


@pytest.mark.parametrize("small", [0, 1000])
def test_weights_follow_the_mean_length(local, tmp_path, monkeypatch, small):
    monkeypatch.setattr(qdrant_writing, "SMALL", small)
    index, exact = opened("path:here"), ExactIndex(tmp_path / "exact", "hashing-16", 16)
    items = [Item("short", "lamp", "oak"), Item("other", "lamp lamp", "steel and oak")]
    long = [Item(str(n), "lamp", "oak table " * n) for n in range(2, 30)]
    for part in (items, long):
        put(index, part)
        put(exact, part)
    wanted = [hit.lexical for hit in exact.search(text="oak lamp", k=50)]
    if not small:
        assert [hit.lexical for hit in index.search(text="oak lamp", k=50)] != pytest.approx(wanted)
        version = index.version
        index.save()
        assert index.version > version
    hits = index.search(text="oak lamp", k=50)
    assert [hit.lexical for hit in hits] == pytest.approx(wanted, rel=0.06)
    np.testing.assert_allclose(index.vectors(["short"]), vectors_of(items[:1]), atol=1e-6)
    exact.close()
    index.close()


def test_broken_reweighing_is_taken_up(index, monkeypatch):
    put(index, [Item(str(n), "lamp", "oak table " * 40) for n in range(9)])
    before = index._point.read().mean
    monkeypatch.setattr(qdrant_writing, "DRIFT", 0.0)
    monkeypatch.setattr(qdrant_writing, "SMALL", 0)
    put(index, [Item("more", "lamp", "oak " * 999)])

    def break_off(collection, weights):
        raise IndexError_("cannot reach the server")

    with monkeypatch.context() as patch:
        patch.setattr(Collection, "reweigh", break_off)
        with pytest.raises(IndexError_, match="cannot reach"):
            index.save()
    assert index._point.read().weighing
    assert index._point.read().mean > before
    index.save()
    assert not index._point.read().weighing


def test_items_without_words_count(local, tmp_path):
    index, exact = opened("path:here"), ExactIndex(tmp_path / "exact", "hashing-16", 16)
    items = [Item("a", "lamp"), Item("b", "lamp oak"), *(Item(str(n), "the") for n in range(9))]
    for one in (index, exact):
        put(one, items)
        one.save()
    hits, wanted = (one.search(text="oak lamp") for one in (index, exact))
    assert [hit.lexical for hit in hits] == pytest.approx([hit.lexical for hit in wanted], rel=1e-5)
    exact.close()
    index.close()


# What the server cannot say


def test_texts_compared_by_order_are_checked(index):
    filter = Compare("colour", "lt", "N")
    assert index.ids(filter) == ["s1"]
    assert index.ids(Not(filter)) == ["s2", "s3", "s4", "s5", "s6"]
    assert (index.count(filter), index.count(Not(filter))) == (1, 5)
    assert index.facet("tags", Not(filter)) == [("rain", 1), ("sport", 1), ("winter", 1)]
    assert found(index.search(text="blue", filter=Not(filter))) == ["s4"]
    assert index.delete_where(filter) == 1


def test_too_many_to_check_is_said(index, monkeypatch):
    monkeypatch.setattr("retrieval.engines.qdrant.MOST_CHECKED", 2)
    with pytest.raises(FilterError, match="narrow it to 2"):
        index.search(filter=Compare("colour", "gte", "A"))


def test_item_changed_meanwhile_is_left_out(index, monkeypatch):
    rank = Collection.rank
    waiting = [Item("s1", "Blue shoes", fields={"colour": "red"})]

    def change_after(collection, *arguments):
        answer = rank(collection, *arguments)
        if waiting:
            item = waiting.pop()
            index.apply([item], vectors_of([item]), ["s4"])
        return answer

    monkeypatch.setattr(Collection, "rank", change_after)
    query = ENCODER.encode_queries(["blue"])
    assert found(index.search(query, "blue", Compare("colour", "eq", "blue"))) == []


def test_facets_of_many_values_are_complete(index, monkeypatch):
    monkeypatch.setattr("retrieval.engines.qdrant_collection.FACET_VALUES", 2)
    put(index, [Item(f"i{n}", "x", fields={"code": f"c{n % 30}"}) for n in range(45)])
    counts = index.facet("code")
    assert counts == sorted(counts, key=lambda pair: (-pair[1], pair[0]))
    assert dict(counts) == {f"c{n}": 2 if n < 15 else 1 for n in range(30)}
    assert index.facet("code", limit=1) == [("c0", 2)]


# The beam of the graph search


def test_smallest_good_beam_is_kept():
    class Graph:
        """Finds the true neighbours from a beam on."""

        def __init__(self, good):
            self.good = good

        def sample(self, count):
            return [[1.0, float(n)] for n in range(count)]

        def rank(self, queries, condition, limit, precision):
            right = precision.exact or precision.ef >= self.good
            return [
                [Hit(f"{n if right else -n - 1}", n, 1.0) for n in range(limit)] for _ in queries
            ]

    assert checked_beam(Graph(1), 1000) == BEAMS[0]
    assert checked_beam(Graph(300), 1000) == 512
    assert checked_beam(Graph(4000), 3_000_000) == BEAMS[-1]


def test_nothing_to_sample_takes_the_widest_beam():
    class Empty:
        def sample(self, count):
            return [[1.0, 0.0]] * 2

    assert checked_beam(Empty(), 1000) == BEAMS[-1]


def test_low_recall_is_said(caplog):
    class Blind:
        def sample(self, count):
            return [[1.0], [1.0], [1.0]]

        def rank(self, queries, condition, limit, precision):
            assert len(queries) == 1
            return [[Hit("right" if precision.exact else "wrong", 1, 1.0)]]

    assert checked_beam(Blind(), 1000) == BEAMS[-1]
    assert "recall@10 is only 0.000" in caplog.text


def test_graph_is_searched_beyond_few(core):
    index = QdrantIndex(core.url, "items", "random-32", 32, few=100)
    items, vectors = crowd(1200)
    index.upsert(items, vectors)
    core.optimize()
    assert core.shards["items"].info().indexed_vectors_count > 0
    index.save()
    assert index._point.read().ef in BEAMS
    assert index._point.read().ef_items == len(items)
    core.requests.clear()
    index.save()  # nothing grew
    assert not any(path.endswith("query/batch") for _, path, _ in core.requests)
    for filter, exact in (
        (None, False),
        (Compare("price", "gt", 50.0), False),
        (Compare("kind", "eq", "kind 3"), False),
        (Compare("hundredth", "eq", "yes"), True),
    ):
        core.requests.clear()
        chosen = [row for row, item in enumerate(items) if matches(filter, item)]
        right = []
        for query in queries_near(vectors, 20):
            hits = index.search(query, filter=filter)
            best = np.sort(vectors[chosen] @ query)[::-1][:10]
            right += [hit.dense >= best[-1] - 1e-6 for hit in hits] + [False] * (
                len(best) - len(hits)
            )
        assert np.mean(right) >= (1.0 if exact else 0.95)
        asked = [body for _, path, body in core.requests if path.endswith("query/batch")]
        params = asked[0]["searches"][0]["params"]
        assert bool(params.get("exact")) == exact
        assert exact or params["quantization"]["rescore"] is True
    index.close()
