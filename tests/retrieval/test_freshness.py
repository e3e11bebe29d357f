"""Whatever is written is found by the next query: against a plain dict, here and elsewhere."""

import json
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.catalog import Item
from retrieval.encoder import HashingEncoder
from retrieval.filters import And, Compare
from retrieval.loading import Column, LoadedCatalog, Mapping, infer_facets
from retrieval.retriever import Retriever

ROOT = Path(__file__).parents[2]
ENCODER = HashingEncoder(32)
MAPPING = Mapping(
    (
        Column("id", "id"),
        Column("name", "title"),
        Column("price", "price", "price", "numeric", "price"),
        Column("stock", "facet", "stock", "boolean", "availability"),
    )
)
WORDS = ("red", "blue", "kilt", "boots", "wool")
SEED = Item("seed", "grey hat", fields={"price": 1.0, "stock": True})

ids = st.sampled_from("abcdefgh")
titles = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
prices = st.sampled_from([1.0, 2.0, 3.0])
steps = st.one_of(
    st.tuples(st.just("upsert"), ids, titles, prices),
    st.tuples(st.just("price"), ids, prices),
    st.tuples(st.just("stock"), ids, st.booleans()),
    st.tuples(st.just("delete"), ids),
    st.tuples(st.just("compact")),
    st.tuples(st.just("word"), st.sampled_from(WORDS)),
    st.tuples(st.just("filter"), prices, st.booleans()),
    st.tuples(st.just("facets")),
)

READER = """
    import json, sys
    from pathlib import Path
    from retrieval.encoder import HashingEncoder
    from retrieval.filters import Compare
    from retrieval.retriever import Retriever
    with Retriever.open(Path(sys.argv[1]), HashingEncoder(32), write=False) as retriever:
        for line in sys.stdin:
            word = json.loads(line)
            hits = retriever.index.search(text=word, k=99) if word else []
            items = {item.id: [item.title, dict(item.fields)] for item in retriever.items()}
            counts = {f.name: f.values for f in retriever.facets}
            print(json.dumps([[hit.item.id for hit in hits], items, counts]), flush=True)
"""


@pytest.fixture
def eager(monkeypatch):
    """Merges and compactions after a handful of rows, beside everything else."""
    monkeypatch.setattr("retrieval.tiers.TAIL_ROWS", 3)
    monkeypatch.setattr("retrieval.store.COMPACT_MINIMUM", 4)
    monkeypatch.setattr("retrieval.compaction.STEP", 2)


def build(folder):
    items = (SEED,)
    loaded = LoadedCatalog("shop", items, infer_facets(items, MAPPING), MAPPING)
    Retriever.build(loaded, folder, encoder=ENCODER)
    return Retriever.open(folder, ENCODER)


def write(retriever, shop, step):
    """Take one step in the retriever and in the dict."""
    match step:
        case ("upsert", id, title, price):
            shop[id] = Item(id, title, fields={"price": price, "stock": True})
            retriever.upsert([shop[id]])
        case ("price" | "stock" as field, id, value) if id in shop:
            shop[id] = replace(shop[id], fields={**shop[id].fields, field: value})
            retriever.upsert([shop[id]])
        case ("delete", id):
            assert retriever.delete([id]) == (shop.pop(id, None) is not None)
        case ("compact",):
            retriever.index.compact()


def check(retriever, shop, step):
    """Ask what the step asks, and compare with what the dict says."""
    match step:
        case ("word", word):
            hits = retriever.index.search(text=word, k=99)
            assert {hit.item.id for hit in hits} == having(shop, word)
            assert [hit.item for hit in hits] == [shop[hit.item.id] for hit in hits]
            both = retriever.search(word, k=99)
            assert {hit.item.id for hit in both} == set(shop)
        case ("filter", price, stock):
            wanted = And((Compare("price", "eq", price), Compare("stock", "eq", stock)))
            expected = {"price": price, "stock": stock}
            found = {hit.item.id for hit in retriever.search("red", filter=wanted, k=99)}
            assert found == {id for id, item in shop.items() if dict(item.fields) == expected}
        case ("facets",):
            stock = next(f for f in retriever.facets if f.name == "stock")
            counts = {str(value).lower(): 0 for value in (True, False)}
            for item in shop.values():
                counts[str(item.fields["stock"]).lower()] += 1
            assert dict(stock.values) == {value: n for value, n in counts.items() if n}


def having(shop, word):
    return {id for id, item in shop.items() if word in item.title.split()}


@given(st.lists(steps, min_size=5, max_size=40))
@settings(deadline=None, max_examples=12)
def test_every_step_is_seen_by_the_next(tmp_path_factory, steps):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retrieval.tiers.TAIL_ROWS", 3)
        patch.setattr("retrieval.store.COMPACT_MINIMUM", 4)
        patch.setattr("retrieval.compaction.STEP", 2)
        shop = {"seed": SEED}
        with build(tmp_path_factory.mktemp("fresh")) as retriever:
            for step in steps:
                write(retriever, shop, step)
                check(retriever, shop, step)
                assert retriever.get_many(list(shop)) == list(shop.values())
            assert {item.id: item for item in retriever.items()} == shop


def test_scores_are_those_of_a_new_index(tmp_path, eager):
    """Merged or not, compacted or not: rows score as if they had been written at once."""
    with build(tmp_path / "grown") as grown, build(tmp_path / "new") as new:
        items = [Item(str(n), " ".join(WORDS[(n * k) % 5] for k in range(1, 4))) for n in range(60)]
        for item in items:
            grown.upsert([item])
            grown.index.search(text="red")
        new.upsert(items)
        for word in (*WORDS, "red wool kilt"):
            expected = [(h.item.id, h.lexical) for h in new.index.search(text=word, k=99)]
            found = [(h.item.id, h.lexical) for h in grown.index.search(text=word, k=99)]
            assert [id for id, _ in found] == [id for id, _ in expected]
            assert [s for _, s in found] == pytest.approx([s for _, s in expected], rel=1e-5)


def test_another_process_sees_every_step(tmp_path, eager):
    shop = {"seed": SEED}
    retriever = build(tmp_path / "shop")
    reader = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(READER), str(tmp_path / "shop")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    steps = [
        ("upsert", "a", "red kilt", 2.0), ("upsert", "b", "blue kilt", 3.0), ("price", "a", 1.0),
        ("stock", "b", False), ("upsert", "a", "blue boots", 1.0), ("compact",), ("delete", "b"),
        ("upsert", "c", "wool kilt", 2.0), ("stock", "c", False), ("price", "seed", 9.0),
        ("delete", "a"), ("upsert", "b", "red wool", 1.0), ("delete", "seed"), ("compact",),
        ("upsert", "d", "blue wool", 2.0),
    ]  # fmt: skip
    for place, step in enumerate(steps):
        write(retriever, shop, step)
        word = WORDS[place % len(WORDS)]
        reader.stdin.write(json.dumps(word) + "\n")
        reader.stdin.flush()
        hits, items, counts = json.loads(reader.stdout.readline())
        assert set(hits) == having(shop, word)
        assert items == {id: [item.title, dict(item.fields)] for id, item in shop.items()}
        assert sum(count for _, count in counts["stock"]) == len(shop)
    reader.stdin.close()
    assert reader.wait(30) == 0
    reader.stdout.close()
    retriever.close()


def test_writes_are_seen_during_compactions(tmp_path, eager):
    """Many rounds of one item replaced: every round compacts, and none is missed."""
    with build(tmp_path / "shop") as retriever:
        for n in range(60):
            price = 100.0 + n
            retriever.upsert([Item("a", f"red kilt {n}", fields={"price": price})])
            hits = retriever.search("kilt", filter=Compare("price", "eq", price), k=3)
            assert [hit.item.title for hit in hits] == [f"red kilt {n}"]
            assert retriever.index.count() == 2
        retriever.index._store.settle()
        assert retriever.index._now().state.generation > 0
