"""The engine for a Qdrant server: the contract, and that it ranks as the exact engine does.

The contract runs on the client's local mode, as a slow test over REST on Qdrant's own core
(`edge_server`), and where ATTUNE_TEST_QDRANT_URL names a server, there.
"""

import os
import uuid

import numpy as np
import pytest

pytest.importorskip("qdrant_client", reason="needs attune[qdrant]")
pytest.importorskip("qdrant_edge", reason="needs attune[edge]")

from retrieval.catalog import Item
from retrieval.engines import qdrant_writing
from retrieval.engines.qdrant import QdrantIndex
from retrieval.engines.qdrant_server import Server
from retrieval.exact import ExactIndex
from retrieval.filters import And, Compare, Not, Or
from retrieval.fusion import PRIOR
from retrieval.query import Order
from tests.retrieval.engines.qdrant_places import *  # noqa: F403
from tests.retrieval.index_contract import *  # noqa: F403
from tests.retrieval.index_contract import ENCODER, FILTERS, found, put

SERVER = os.environ.get("ATTUNE_TEST_QDRANT_URL", "")
KEY = os.environ.get("ATTUNE_TEST_QDRANT_KEY") or None
NO_SERVER = pytest.mark.skipif(not SERVER, reason="ATTUNE_TEST_QDRANT_URL names no server")


@pytest.fixture(
    params=[
        "local",
        pytest.param("core", marks=pytest.mark.slow),
        pytest.param("server", marks=NO_SERVER),
    ]
)
def where(request):
    return request.param


@pytest.fixture
def make_index(where, request):
    place = None if where == "server" else request.getfixturevalue(where)
    names = {}

    def make(folder, encoder_name="hashing-16", dimension=16, write=True):
        name = names.setdefault(folder, f"attune_test_{uuid.uuid4().hex}")
        url = {"local": f"path:{folder}", "server": SERVER}.get(where) or place.url
        return QdrantIndex(url, name, encoder_name, dimension, write=write, api_key=KEY)

    yield make
    if where == "server":
        server = Server(SERVER, KEY)
        for name in names.values():
            server.ask("delete_collection", collection_name=name)
            server.ask("delete_collection", collection_name=f"{name}__meta")
        server.close()


@pytest.fixture
def eager_ann(where, request):
    """Searches of more than 100 items go through a graph, which Qdrant's core builds at once."""

    def make(index):
        index._few = 100
        if where == "core":
            request.getfixturevalue("core").optimize()

    return make


@pytest.fixture
def crowd_size(where):
    if where == "local":
        pytest.skip("local mode has no graph; test_graph_is_searched_beyond_few has")
    return 4000


def catalog(count, seed=0):
    """Items with fields of every kind, many of them equal, mixed or missing."""
    rng = np.random.default_rng(seed)
    nouns = ["red boot", "blue shoe", "shoe", "warm winter jacket", "socks", "dress", ""]
    odd = ["x", "2024-01-05", "Blue", "blue", 3.0, True]
    items = []
    for number in range(count):
        fields = {"price": float(rng.integers(1, 9)), "brand": f"Brand {rng.integers(0, 5)}"}
        if rng.random() < 0.5:
            fields["released"] = f"2024-0{rng.integers(1, 4)}-1{rng.integers(0, 3)}"
        if rng.random() < 0.6:
            fields["odd"] = odd[rng.integers(len(odd))]
        if rng.random() < 0.7:
            fields["days"] = tuple(f"2024-0{n}-01" for n in rng.integers(1, 9, rng.integers(0, 3)))
        words = " ".join([*rng.choice(nouns, rng.integers(0, 4)), f"number{number}"])
        items.append(Item(f"i{number}", str(rng.choice(nouns)), words, fields))
    return items


@pytest.fixture
def twins(core, tmp_path, monkeypatch):
    """The same catalog in the engine under test, on Qdrant's core, and in the exact one."""
    monkeypatch.setattr(qdrant_writing, "DRIFT", 0.0)
    index = QdrantIndex(core.url, "items", "hashing-16", 16)
    exact = ExactIndex(tmp_path / "exact", "hashing-16", 16)
    items = catalog(150)
    for start in range(0, len(items), 50):
        for one in (index, exact):
            put(one, items[start : start + 50])
    yield index, exact
    index.close()
    exact.close()


def same(hits, expected):
    """Check that two answers agree; where scores are all but equal the order is free."""
    assert len(hits) == len(expected)
    for name in ("score", "dense", "lexical"):
        own, wanted = ([getattr(hit, name) for hit in one] for one in (hits, expected))
        assert (own == wanted == [None] * len(own)) or own == pytest.approx(wanted, abs=1e-4)
    scores = {hit.item.id: hit.score for hit in expected}
    last = expected[-1].score if expected else 0.0
    assert all(scores.get(hit.item.id, last) == pytest.approx(hit.score, abs=1e-4) for hit in hits)


QUERIES = [(None, None), ("blue", None), (None, "blue shoe"), ("warm", "red winter boots"),
           ("socks", "xylophone"), ("dress", "the")]  # fmt: skip
SELECTIONS = [
    None,
    Compare("price", "lt", 4.0),
    Compare("brand", "gte", "Brand 3"),
    Not(Compare("brand", "lt", "Brand 2")),
    And((Compare("released", "lte", "2024-02"), Not(Compare("odd", "eq", True)))),
    Or((Compare("text", "contains", "winter jackets"), Compare("odd", "gt", "a"))),
]


def test_answers_are_the_exact_engines(twins):
    index, exact = twins
    index.save()
    for filter in [*FILTERS, *SELECTIONS]:
        assert index.ids(filter) == exact.ids(filter)
        assert index.count(filter) == exact.count(filter)
        for facet in ("odd", "price", "days"):
            assert index.facet(facet, filter) == exact.facet(facet, filter)
    for filter in SELECTIONS:
        for dense, text in QUERIES:
            query = None if dense is None else ENCODER.encode_queries([dense])
            for k in (3, 200):
                same(index.search(query, text, filter, k), exact.search(query, text, filter, k))
            fused = [one.search(query, text, filter, 7, fusion=PRIOR) for one in twins]
            same(*fused)


@pytest.mark.parametrize("facet", ["price", "released", "brand", "odd", "days", "nothing"])
@pytest.mark.parametrize("direction", ["ascending", "descending"])
def test_order_is_the_exact_engines(twins, facet, direction):
    index, _ = twins
    index.save()
    query = ENCODER.encode_queries(["warm red boots"])
    order = Order(facet, direction)
    for filter in (None, SELECTIONS[1], SELECTIONS[2]):
        for dense, text in ((query, None), (query, "boot"), (None, None)):
            for k in (1, 10, 1000):
                own, wanted = (one.search(dense, text, filter, k, order) for one in twins)
                assert found(own) == found(wanted)
                same(own, wanted)
