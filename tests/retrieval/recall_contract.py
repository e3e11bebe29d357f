"""Part of the index contract: near vectors are found under every filter (`index_contract`).

An engine with approximate search brings a fixture `eager_ann` that makes it approximate at once: a
function called with the index after it was filled."""

import numpy as np
import pytest

from retrieval.catalog import Item
from retrieval.filters import And, Compare, Not, Or, matches

COUNT, DIMENSION, CLUSTERS = 4000, 32, 20
WANTED = 0.95

SELECTIONS = {
    "all": None,
    "10 % at random": Compare("tenth", "eq", "yes"),
    "1 % at random": Compare("hundredth", "eq", "yes"),
    "0.1 % at random": Compare("thousandth", "eq", True),
    "kin": Compare("kind", "eq", "KIND 3"),
    "not kin": Not(Compare("kind", "eq", "kind 3")),
    "none of two kinds": Compare("kind", "not_in", ("kind 3", "kind 7")),
    "not one, missing too": Compare("brand", "ne", "acme"),
    "missing": Compare("brand", "exists", False),
    "not missing": Compare("brand", "exists", True),
    "list": Compare("tags", "eq", "b"),
    "not in list": Compare("tags", "ne", "b"),
    "cheap": Compare("price", "lt", 12.5),
    "range": And((Compare("price", "gte", 30), Compare("price", "lte", 60.0))),
    "dates": Compare("released", "gte", "2024-07"),
    "words": Compare("text", "contains", "kind 3"),
    "cheap kin": And((Compare("kind", "eq", "kind 3"), Compare("price", "lt", 50.0))),
    "either": Or((Compare("kind", "eq", "kind 3"), Compare("price", "lt", 10.0))),
    "neither": Not(Or((Compare("kind", "eq", "kind 3"), Compare("tags", "in", ("a", "c"))))),
}


@pytest.fixture
def eager_ann():
    return lambda index: None


@pytest.fixture
def crowd_size():
    """How many items; an engine that is slow in tests and not approximate there may want fewer."""
    return COUNT


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def crowd(count=COUNT, seed=0):
    """Return items in clusters, so that kind goes with nearness and the rest does not; vectors."""
    centres = np.random.default_rng(99).normal(size=(CLUSTERS, DIMENSION))
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, CLUSTERS, count)
    items = []
    for number in range(count):
        fields = {
            "kind": f"kind {cluster[number] // 2}",
            "tenth": "yes" if rng.random() < 0.1 else "no",
            "price": float(rng.integers(1, 1000)) / 10,
            "tags": tuple(str(tag) for tag in rng.choice(list("abcdef"), rng.integers(0, 3))),
            "released": f"2024-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}",
        }
        if rng.random() < 0.01:
            fields["hundredth"] = "yes"
        if number % 1000 == 503:
            fields["thousandth"] = True
        if rng.random() < 0.6:
            fields["brand"] = str(rng.choice(["acme", "bolt", "core"]))
        items.append(Item(f"{seed}-{number}", f"Thing of kind {cluster[number] // 2}", "", fields))
    return items, unit(centres[cluster] + 0.7 * rng.normal(size=(count, DIMENSION)))


def queries_near(vectors, count=15):
    """Return queries between two items: most filters leave out what is nearest to some of them."""
    rng = np.random.default_rng(7)
    first, second = (vectors[rng.integers(0, len(vectors), count)] for _ in range(2))
    return unit(0.8 * first + 0.4 * second)


def recalls(index, items, vectors, k=10):
    """Return recall@k by selection, having checked that every hit is right in itself."""
    queries = queries_near(vectors)
    rows = {item.id: row for row, item in enumerate(items)}
    result = {}
    for name, filter in SELECTIONS.items():
        chosen = np.array([row for row, item in enumerate(items) if matches(filter, item)], int)
        shares = []
        for query in queries:
            hits = index.search(query, filter=filter, k=k)
            found = [rows[hit.item.id] for hit in hits]
            scores = vectors @ query
            assert set(found) <= set(chosen.tolist()), name
            assert len(set(found)) == len(found) == min(k, len(chosen)), name
            np.testing.assert_allclose([hit.dense for hit in hits], scores[found], atol=1e-5)
            best = np.sort(scores[chosen])[::-1][:k]
            shares.append(np.mean(scores[found] >= best[-1] - 1e-6))
        result[name] = float(np.mean(shares))
    return result


def test_recall_holds_under_every_filter(make_index, tmp_path, eager_ann, crowd_size):
    items, vectors = crowd(crowd_size)
    index = make_index(tmp_path / "crowd", "random-32", DIMENSION)
    index.upsert(items, vectors)
    eager_ann(index)
    found = recalls(index, items, vectors)
    assert {name: recall for name, recall in found.items() if recall < WANTED} == {}
    index.close()


def test_recall_holds_after_changes(make_index, tmp_path, eager_ann, crowd_size):
    items, vectors = crowd(crowd_size)
    index = make_index(tmp_path / "crowd", "random-32", DIMENSION)
    index.upsert(items, vectors)
    eager_ann(index)
    index.delete([item.id for item in items[::5]])
    moved, elsewhere = crowd(crowd_size // 5, seed=1)
    moved = [
        Item(item.id, new.title, "", new.fields)
        for item, new in zip(items[1::5], moved, strict=True)
    ]
    index.upsert(moved, elsewhere)
    new, beside = crowd(crowd_size // 15, seed=2)
    index.upsert(new, beside)
    present = {item.id: (item, vector) for item, vector in zip(items, vectors, strict=True)}
    for item in items[::5]:
        del present[item.id]
    for item, vector in zip([*moved, *new], [*elsewhere, *beside], strict=True):
        present[item.id] = (item, vector)
    now, where = zip(*present.values(), strict=True)
    found = recalls(index, now, np.array(where))
    assert {name: recall for name, recall in found.items() if recall < WANTED} == {}
    index.close()
