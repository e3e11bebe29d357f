"""Engine "pgvector" answers as the oracle does: filters, scores, orders, and the graph's recall."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.catalog import Item
from retrieval.engines import pg_link, pg_schema, pg_search
from retrieval.engines.pg_rows import restored, storable
from retrieval.engines.pgvector import PgvectorIndex
from retrieval.exact import ExactIndex
from retrieval.filters import And, Compare, Not, Or, matches
from retrieval.fusion import Fusion
from retrieval.query import Order
from tests.retrieval.index_contract import found


@pytest.fixture(scope="module")
def url(postgres):
    return postgres.database("attune_answers")


def sql(url, statement):
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


# Filters

TEXTS = ["", " ", "Blue", "blue ", "BLUE boots", "straße", "STRASSE", "true", " True", "5", "5.0",
         "a\x00b", "a\x01b", "\ud800", "\ud7ff", "\ue000", "2024-03-01", "2023-11-15",
         "rain, rain", "nan", "100 %", "it's", "1e5"]  # fmt: skip
NUMBERS = [0, 5, 5.0, -0.0, 0.1, -3.5, 1e300, 1e-7, 2**53]
BOUNDS = [*NUMBERS, float("inf"), float("-inf"), float("nan"), 10**400]
NAMES = ["colour", "size", "text", "it's %s \x00", ""]

single = st.one_of(st.sampled_from(TEXTS), st.sampled_from(BOUNDS), st.booleans())
comparisons = st.one_of(
    st.builds(Compare, st.sampled_from(NAMES), st.sampled_from(["eq", "ne"]), single),
    st.builds(
        Compare,
        st.sampled_from(NAMES),
        st.sampled_from(["in", "not_in"]),
        st.lists(single, max_size=3).map(tuple),
    ),
    st.builds(
        Compare,
        st.sampled_from(NAMES),
        st.sampled_from(["lt", "lte", "gt", "gte"]),
        st.one_of(st.sampled_from(TEXTS), st.sampled_from(BOUNDS[:-1])),
    ),
    st.builds(Compare, st.sampled_from(NAMES), st.just("exists"), st.booleans()),
    st.builds(
        Compare,
        st.sampled_from(NAMES),
        st.sampled_from(["contains", "not_contains"]),
        st.sampled_from([*TEXTS, "boots", "blue boots", "boots blue", "rain rain", "strasse"]),
    ),
)
filters = st.recursive(
    comparisons,
    lambda parts: st.one_of(
        st.lists(parts, max_size=3).map(lambda some: And(tuple(some))),
        st.lists(parts, max_size=3).map(lambda some: Or(tuple(some))),
        parts.map(Not),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def odd(url):
    """An index of items with every odd value in every kind of field."""
    chance = np.random.default_rng(6)

    def value():
        pool = [*TEXTS, *NUMBERS, True, False]
        if chance.random() < 0.3:
            return tuple(str(text) for text in chance.choice(TEXTS, chance.integers(0, 4)))
        return pool[chance.integers(len(pool))]

    items = [
        Item(
            f"i{number}",
            TEXTS[number % len(TEXTS)],
            "rain Boots" if number % 4 == 0 else "",
            {name: value() for name in NAMES if chance.random() < 0.7},
        )
        for number in range(150)
    ]
    index = PgvectorIndex(url, "odd", "hashing-16", 16)
    index.upsert(items, np.tile(np.eye(1, 16, dtype=np.float32), (len(items), 1)))
    yield index, items
    index.close()


@given(filter=filters)
@settings(max_examples=300)
def test_filter_agrees_with_its_definition(odd, filter):
    index, items = odd
    assert index.ids(filter) == [item.id for item in items if matches(filter, item)]


@given(st.text(), st.text())
def test_storable_text_keeps_order(one, other):
    assert restored(storable(one)) == one
    stored = [storable(text).encode("utf-8") for text in (one, other)]
    assert b"\x00" not in stored[0]
    assert (stored[0] < stored[1]) == (one < other)


# Answers are the oracle's

WORDS = [
    "red",
    "blue",
    "shoe",
    "boots",
    "running",
    "the",
    "rain",
    "light",
    "warm",
    "wool",
    "Straße",
]


def random_catalog(count, seed):
    rng = np.random.default_rng(seed)

    def text(most):
        return " ".join(rng.choice(WORDS, rng.integers(0, most)))

    items = []
    for number in range(count):
        fields = {"bucket": float(rng.integers(1000)), "note": text(5)}
        if number % 3:
            fields["price"] = float(rng.integers(1, 50))
            fields["tags"] = tuple(str(tag) for tag in rng.choice(WORDS, number % 3))
        if number % 5:
            fields["released"] = f"20{rng.integers(10, 25)}-0{rng.integers(1, 9)}-11"
        items.append(Item(f"i{number}", text(6), text(12), fields))
    vectors = rng.normal(size=(count, 16)).astype(np.float32)
    return items, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


ASKED = [
    {"text": "red wool shoes"},
    {"text": "rain rain boots"},
    {"text": "running in the light", "filter": Compare("price", "lt", 9.0), "k": 30},
    {"dense": True, "filter": Compare("tags", "eq", "Red")},
    {"dense": True, "text": "warm boots"},
    {"dense": True, "text": "strasse", "k": 150, "filter": Compare("text", "contains", "blue")},
    {"dense": True, "text": "red boot", "fusion": Fusion(0.2, 1.0, 10), "k": 40},
    {"dense": True, "text": "unheard-of"},
    {"dense": True, "order": Order("price"), "k": 40},
    {"dense": True, "text": "red", "order": Order("released", "descending"), "k": 40},
    {"text": "wool", "order": Order("price", "descending"), "filter": Compare("tags", "exists")},
    {"text": "red", "order": Order("tags"), "k": 20},
    {"text": "red", "order": Order("tags", "descending"), "k": 20},
    {"order": Order("released"), "k": 350},
]  # fmt: skip


@pytest.fixture(scope="module")
def oracle_and_index(url, tmp_path_factory):
    items, vectors = random_catalog(300, seed=4)
    oracle = ExactIndex(tmp_path_factory.mktemp("oracle"), "hashing-16", 16)
    index = PgvectorIndex(url, "compared", "hashing-16", 16)
    for one in (oracle, index):
        one.upsert(items, vectors)
    yield oracle, index, vectors
    oracle.close()
    index.close()


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_answers_are_the_oracles(oracle_and_index, asked):
    oracle, index, vectors = oracle_and_index
    asked = {**asked, "dense": vectors[5] if "dense" in asked else None}
    expected, hits = oracle.search(**asked), index.search(**asked)
    assert found(hits) == found(expected)
    for score in ("score", "dense", "lexical"):
        ours, theirs = ([getattr(hit, score) for hit in one] for one in (hits, expected))
        assert [one is None for one in ours] == [one is None for one in theirs]
        assert [one or 0.0 for one in ours] == pytest.approx(
            [one or 0.0 for one in theirs], abs=1e-5
        )


@pytest.mark.parametrize("facet", ["tags", "price", "note", "released", "nothing"])
def test_facets_are_the_oracles(oracle_and_index, facet):
    oracle, index, _ = oracle_and_index
    filter = Compare("bucket", "lt", 500.0)
    assert index.facet(facet) == oracle.facet(facet)
    assert index.facet(facet, filter, limit=3) == oracle.facet(facet, filter, limit=3)


def test_words_weigh_the_same_after_changes(url, tmp_path):
    items, vectors = random_catalog(60, seed=9)
    index = PgvectorIndex(url, "changed", "hashing-16", 16)
    index.upsert(items, vectors)
    index.delete([item.id for item in items[:20]])
    changed = [Item(item.id, "warm red boots", "", item.fields) for item in items[30:40]]
    index.apply([*changed, items[50], items[3]], vectors[:12], delete=["i3", "i55"])
    left = index.get(index.ids())
    fresh = ExactIndex(tmp_path, "hashing-16", 16)
    fresh.upsert(left, index.vectors([item.id for item in left]))
    for text in ("red boots", "wool light"):
        hits, expected = index.search(text=text, k=60), fresh.search(text=text, k=60)
        assert found(hits) == found(expected)
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in expected])
    fresh.close()
    index.close()


# The graph

FILTERED = {
    "none": None,
    "10 %": Compare("bucket", "lt", 100.0),
    "1 %": Compare("bucket", "lt", 10.0),
    "0.1 %": Compare("bucket", "lt", 1.0),
    "all but 1 %": Not(Compare("bucket", "lt", 10.0)),
    "half, a list": Compare("tags", "exists"),
    "a word": Compare("text", "contains", "wool"),
}


@pytest.fixture(scope="module")
def graph(url, tmp_path_factory):
    """An index whose graph is used for more than 100 matching items, and its oracle."""
    items, vectors = random_catalog(4000, seed=2)
    vectors[2000:] += 3 * vectors[:2000]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    oracle = ExactIndex(tmp_path_factory.mktemp("oracle"), "hashing-16", 16)
    index = PgvectorIndex(url, "graph", "hashing-16", 16)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pg_schema, "ANN_MINIMUM", 1000)
        patch.setattr(pg_search, "few_of", lambda items: 100)
        for one in (oracle, index):
            one.upsert(items, vectors)
            one.save()
        yield oracle, index, vectors
    oracle.close()
    index.close()


@pytest.mark.parametrize("share", FILTERED)
def test_graph_finds_what_is_nearest(graph, share):
    oracle, index, vectors = graph
    hit = total = 0
    for query in vectors[::200]:
        expected = oracle.search(query, filter=FILTERED[share])
        hits = index.search(query, filter=FILTERED[share])
        assert [one.dense for one in hits] == sorted((one.dense for one in hits), reverse=True)
        hit += len(set(found(hits)) & set(found(expected)))
        total += len(expected)
        both = index.search(query, "red wool", FILTERED[share])
        assert len(both) == len(oracle.search(query, "red wool", FILTERED[share]))
    assert hit / total >= 0.95


def test_graph_and_facet_indexes_are_used(graph, url):
    used = {row[0] for row in sql(url, "SELECT indexrelname FROM pg_stat_user_indexes "
            "WHERE relname LIKE 'graph%' AND idx_scan > 0")}  # fmt: skip
    assert "graph_hnsw" in used
    assert any(name.startswith("graph_facet_") for name in used)


def test_words_under_wide_filter_are_exact(graph):
    oracle, index, _ = graph
    for share in ("10 %", "all but 1 %"):
        expected = oracle.search(text="light wool", filter=FILTERED[share], k=25)
        assert found(index.search(text="light wool", filter=FILTERED[share], k=25)) == found(
            expected
        )


def test_graph_that_gives_up_is_replaced(graph, url, monkeypatch):
    oracle, _, vectors = graph
    monkeypatch.setitem(pg_link.SETTINGS, "hnsw.iterative_scan", "off")
    monkeypatch.setattr(pg_search, "EF", 20)
    reader = PgvectorIndex(url, "graph", "hashing-16", 16, write=False)
    for query in vectors[:5]:
        expected = oracle.search(query, filter=FILTERED["10 %"])
        assert found(reader.search(query, filter=FILTERED["10 %"])) == found(expected)
    reader.close()
