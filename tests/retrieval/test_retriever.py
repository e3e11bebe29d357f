"""Projects: build, build again, open, change, search."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval import project
from retrieval.catalog import Facet, Item
from retrieval.encoder import HashingEncoder
from retrieval.encoding import Scratch, digest, encode_once
from retrieval.errors import EncoderMismatch, IndexError_, IndexLocked
from retrieval.filters import Compare
from retrieval.fusion import Fusion
from retrieval.loading import Column, LoadedCatalog, Mapping, Reject, infer_facets
from retrieval.query import Order
from retrieval.retriever import Retriever
from retrieval.texts import item_text, leading_facets

ROOT = Path(__file__).parents[2]
FURNITURE = ROOT.parent / "shared/data/catalog_furniture_ikea.csv.gz"

MAPPING = Mapping(
    (
        Column("id", "id"),
        Column("name", "title"),
        Column("colour", "facet", "colour", "categorical", "colour"),
        Column("kind", "facet", "kind", "categorical", "category"),
        Column("price", "price", "price", "numeric", "price"),
        Column("released", "facet", "released", "date", "date"),
        Column("tags", "facet", "tags", "list"),
        Column("stock", "facet", "stock", "boolean", "availability"),
    ),
    currency="EUR",
)

ITEMS = (
    Item("1", "Running shoes", "light", {"colour": "Blue", "kind": "Shoes", "price": 60.0,
         "tags": ("sport", "new"), "released": "2024-01-01", "stock": True}),
    Item("2", "Rain boots", "", {"colour": "Green", "kind": "Shoes", "price": 40.0,
         "released": "2023-01-01", "stock": False}),
    Item("3", "Evening dress", "silk", {"colour": "Red", "kind": "Dresses", "price": 120.0}),
    Item("4", "Evening dress", "silk", {"colour": "Red", "kind": "Dresses", "price": 99.0}),
)  # fmt: skip


class CountingEncoder(HashingEncoder):
    """Remembers every text it was given."""

    def __init__(self, dimension=64):
        super().__init__(dimension)
        self.texts = []
        self.queries = 0

    def encode_items(self, texts, progress=False):
        self.texts += texts
        return super().encode_queries(texts)

    def encode_queries(self, texts):
        self.queries += len(texts)
        return super().encode_queries(texts)


def catalog(items=ITEMS, **changes):
    rejects = (Reject("shop.csv", 7, "price", "not a number", "abc"),)
    facets = infer_facets(items, MAPPING)
    loaded = LoadedCatalog("shop", tuple(items), facets, MAPPING, rejects, "EUR")
    return replace(loaded, **changes)


@pytest.fixture
def encoder():
    return CountingEncoder()


@pytest.fixture
def folder(tmp_path, encoder):
    Retriever.build(catalog(), tmp_path / "shop", encoder=encoder)
    encoder.texts.clear()
    return tmp_path / "shop"


@pytest.fixture
def retriever(folder, encoder):
    with Retriever.open(folder, encoder) as opened:
        yield opened


def found(candidates):
    return [candidate.item.id for candidate in candidates]


def test_first_build_takes_everything(tmp_path, encoder):
    report = Retriever.build(catalog(), tmp_path / "shop", encoder=encoder)
    assert (report.added, report.changed, report.unchanged, report.deleted) == (4, 0, 0, 0)
    assert (report.items, report.encoded, report.rejected) == (4, 3, 1)  # two have one text
    assert sorted(encoder.texts)[0] == "Evening dress. Dresses. Red. silk"


def test_project_has_its_files(folder):
    names = {path.name for path in folder.iterdir()}
    assert names >= {"manifest.json", "mapping.toml", "facets.json", "rejects.csv", "items.db"}
    assert "encoding" not in names
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["encoder"] == "hashing-64"
    assert manifest["created_by"].startswith("attune ")
    assert "not a number" in (folder / "rejects.csv").read_text()


def test_open_project_knows_its_catalog(retriever):
    assert (retriever.name, retriever.currency) == ("shop", "EUR")
    assert retriever.mapping == Mapping.from_toml(MAPPING.to_toml())
    assert retriever.facets == infer_facets(ITEMS, MAPPING)
    assert tuple(retriever.items()) == ITEMS
    assert retriever.get("2") == ITEMS[1]
    assert retriever.get("nobody") is None
    assert retriever.get_many(["3", "nobody", "1"]) == [ITEMS[2], ITEMS[0]]


@pytest.mark.parametrize(
    ("items", "counts", "encoded"),
    [
        (ITEMS, (0, 0, 4, 0), []),
        (ITEMS[:2], (0, 0, 2, 2), []),
        ((*ITEMS, Item("5", "Blue hat")), (1, 0, 4, 0), ["Blue hat"]),
        ((Item("1", "Walking shoes"), *ITEMS[1:]), (0, 1, 3, 0), ["Walking shoes"]),
        ((replace(ITEMS[0], fields={**ITEMS[0].fields, "price": 1.0}), *ITEMS[1:]),
         (0, 1, 3, 0), []),
        ((), (0, 0, 0, 4), []),
    ],
    ids=["same", "fewer", "more", "retitled", "repriced", "none"],
)  # fmt: skip
def test_building_again_encodes_changes_only(folder, encoder, items, counts, encoded):
    # The same facets throughout: other leading facets make other texts.
    loaded = replace(catalog(), items=tuple(items))
    report = Retriever.build(loaded, folder, encoder=encoder)
    assert (report.added, report.changed, report.unchanged, report.deleted) == counts
    assert encoder.texts == encoded
    with Retriever.open(folder, encoder) as retriever:
        assert list(retriever.items()) == list(items)
        texts = [item_text(item, retriever.manifest.leading) for item in items]
        stored = retriever.index.vectors([item.id for item in items])
        np.testing.assert_allclose(stored, HashingEncoder().encode_items(texts), atol=1e-6)


def test_other_leading_facets_encode_anew(folder, encoder):
    report = Retriever.build(catalog(facets=()), folder, encoder=encoder)
    assert report.changed == 4
    assert "Evening dress. silk. Red. Dresses" in encoder.texts


def test_failed_build_leaves_old_project(folder, encoder, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("retrieval.exact.ExactIndex.apply", crash)
    with pytest.raises(KeyboardInterrupt):
        Retriever.build(catalog([Item("9", "New thing")]), folder, encoder=encoder)
    monkeypatch.undo()
    encoder.texts.clear()
    with Retriever.open(folder, encoder) as retriever:
        assert tuple(retriever.items()) == ITEMS
        assert found(retriever.search("new thing", k=1)) != ["9"]
    report = Retriever.build(catalog([Item("9", "New thing")]), folder, encoder=encoder)
    assert (report.added, report.deleted, encoder.texts) == (1, 4, [])


BUILD = """
    import sys, time
    from pathlib import Path
    from retrieval import encoding
    from retrieval.catalog import Item
    from retrieval.encoder import HashingEncoder
    from retrieval.loading import LoadedCatalog, Mapping
    from retrieval.retriever import Retriever
    encoding.CHUNK = 10
    class Slow(HashingEncoder):
        def encode_items(self, texts, progress=False):
            print(len(texts), flush=True)
            time.sleep(0.02)
            return super().encode_items(texts)
    items = tuple(Item(str(n), f"thing number {n}") for n in range(500))
    catalog = LoadedCatalog("things", items, (), Mapping())
    Retriever.build(catalog, Path(sys.argv[1]), encoder=Slow())
"""


def test_killed_build_resumes(tmp_path, encoder):
    folder = tmp_path / "things"
    building = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(BUILD), str(folder)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    for _ in range(6):
        building.stdout.readline()
    os.kill(building.pid, signal.SIGKILL)
    building.wait()
    building.stdout.close()
    with pytest.raises(IndexError_, match="not finished; run attune index"):
        Retriever.open(folder, encoder)
    items = [Item(str(n), f"thing number {n}") for n in range(500)]
    report = Retriever.build(
        LoadedCatalog("things", tuple(items), (), Mapping()), folder, encoder=encoder
    )
    assert report.added == 500
    assert 0 < report.encoded <= 450
    with Retriever.open(folder, encoder) as retriever:
        expected = HashingEncoder().encode_items([item.title for item in items])
        stored = retriever.index.vectors([item.id for item in items])
        np.testing.assert_allclose(stored, expected, atol=1e-6)


@pytest.mark.parametrize("cut", [0, 5, 16, 100])
def test_torn_scratch_is_cut_back(tmp_path, cut):
    encoder = CountingEncoder(8)
    scratch = Scratch(tmp_path / "s", encoder)
    texts = [f"text {n}" for n in range(20)]
    assert encode_once(texts, encoder, scratch) == 20
    for name, size in (("hashes", 20 * 16), ("vectors.f32", 20 * 32)):
        os.truncate(tmp_path / "s" / name, size - cut)
    scratch = Scratch(tmp_path / "s", encoder)
    assert encode_once(texts, encoder, scratch) == (cut + 15) // 16
    vectors = scratch.vectors(digest(text) for text in texts)
    np.testing.assert_allclose(vectors, HashingEncoder(8).encode_items(texts), atol=1e-6)


def test_scratch_of_other_encoder_is_dropped(tmp_path):
    encode_once(["a"], HashingEncoder(8), Scratch(tmp_path / "s", HashingEncoder(8)))
    assert Scratch(tmp_path / "s", HashingEncoder(4)).rows == {}


def test_broken_encoder_is_named(tmp_path, encoder):
    encoder.encode_items = lambda texts: np.full((len(texts), 64), np.nan)
    with pytest.raises(IndexError_, match=r"encoder 'hashing-64'.*length nan"):
        Retriever.build(catalog(), tmp_path / "shop", encoder=encoder)


def test_search_joins_meaning_and_words(retriever):
    hit = retriever.search("rain boots", k=1)[0]
    assert hit.item == ITEMS[1]
    assert hit.lexical > 0
    assert hit.dense > 0.4
    assert found(retriever.search("dress", filter=Compare("price", "lt", 100.0), k=1)) == ["4"]
    assert found(retriever.search("", order=Order("price"))) == ["2", "1", "4", "3"]


def test_misspelt_words_are_searched_as_meant(retriever):
    by_words = Fusion(dense=0.0, by="scores")
    assert retriever.search("evning", fusion=by_words)[0].lexical > 0
    assert found(retriever.search("evning", fusion=by_words))[:2] == ["3", "4"]
    retriever.upsert([Item("5", "Evning tie")])
    assert found(retriever.search("evning", fusion=by_words))[:1] == ["5"]


def test_tuned_fusion_is_used(retriever):
    project.write_fusion(retriever.folder, Fusion(dense=0.0, lexical=2.0))
    assert project.read_fusion(retriever.folder) == Fusion(dense=0.0, lexical=2.0)
    again = Retriever.open(retriever.folder, retriever.encoder, write=False)
    assert again.search("evening silk")[0].score == 2.0 / 61
    again.close()


def test_broken_fusion_is_named(retriever):
    (retriever.folder / "fusion.json").write_text('{"dense": -1}')
    with pytest.raises(IndexError_, match=r"fusion.json.*tune again"):
        project.read_fusion(retriever.folder)


@pytest.mark.parametrize("text", ["", "  ", "x" * 10_000, "word " * 2000, "🦄", "\x00", "\ud83d"])
def test_odd_queries_are_answered(retriever, text):
    assert sorted(found(retriever.search(text))) == ["1", "2", "3", "4"]


def test_given_vector_replaces_the_texts_own(retriever, encoder):
    dress = encoder.encode_items(["Evening dress. Dresses. Red. silk"])
    before = encoder.queries
    assert found(retriever.search("", dense=dress, k=2)) == ["3", "4"]
    assert retriever.search("boots", dense=dress)[0].dense is not None
    assert encoder.queries == before


def test_repeated_query_is_encoded_once(retriever, encoder):
    first = retriever.search("red dress")
    assert retriever.search(" red dress ") == first
    assert encoder.queries == 1


def test_upsert_is_found_at_once(retriever, encoder):
    version = retriever.version
    retriever.upsert([Item("5", "Straw hat", fields={"colour": "Beige", "price": 15.0}),
                      replace(ITEMS[0], fields={"price": 55.0})])  # fmt: skip
    assert retriever.version > version
    assert found(retriever.search("straw hat", k=1)) == ["5"]
    assert retriever.get("1").fields == {"price": 55.0}
    assert len(encoder.texts) == 2
    retriever.upsert([replace(ITEMS[1], fields={**ITEMS[1].fields, "price": 30.0})])
    assert len(encoder.texts) == 2  # only the price changed
    assert retriever.delete(["5", "nobody"]) == 1
    assert "5" not in found(retriever.search("straw hat"))


@pytest.mark.parametrize(
    "change",
    [
        lambda retriever: retriever.delete(["3"]),
        lambda retriever: retriever.upsert([Item("2", "x")]),
        lambda retriever: retriever.upsert([replace(ITEMS[0], id="9")]),
        lambda retriever: retriever.upsert(
            [Item("9", "x", fields={"colour": "Red", "price": 1.5, "released": "2025-01-01",
                                    "stock": True, "tags": ("new", "new"), "kind": "Hats"})]
        ),
        lambda retriever: retriever.delete(["1", "2", "3", "4"]),
    ],
    ids=["delete", "emptied", "copy", "full", "all gone"],
)  # fmt: skip
def test_facets_follow_the_items(retriever, folder, encoder, change):
    change(retriever)
    items = list(retriever.items())
    expected = infer_facets(items, MAPPING) if items else ()
    for facet in expected:
        if facet.name == "tags":  # the loader counts a value twice that an item names twice
            expected = tuple(replace(f, values=()) if f.name == "tags" else f for f in expected)
    got = tuple(replace(f, values=()) if f.name == "tags" else f for f in retriever.facets)
    assert [replace(f, values=tuple(sorted(f.values))) for f in got] == [
        replace(f, values=tuple(sorted(f.values))) for f in expected
    ]
    with Retriever.open(folder, encoder, write=False) as reader:
        assert reader.facets == retriever.facets


def test_facets_return_with_the_items(retriever):
    before = retriever.facets
    retriever.delete(["1", "2", "3", "4"])
    assert retriever.facets == ()
    retriever.upsert(ITEMS)
    assert {facet.name for facet in retriever.facets} == {facet.name for facet in before}


def test_new_field_becomes_a_facet(retriever, folder, encoder):
    sizes = [Item(f"n{n}", "thing", fields={"size_cm": float(n)}) for n in range(30)]
    retriever.upsert(sizes)
    facet = next(facet for facet in retriever.facets if facet.name == "size_cm")
    assert (facet.kind, facet.low, facet.high) == ("numeric", 0, 29)
    with Retriever.open(folder, encoder, write=False) as reader:
        assert reader.facets == retriever.facets


def test_reader_follows_a_rebuild(folder, encoder):
    with Retriever.open(folder, encoder, write=False) as reader:
        assert reader.facets
        Retriever.build(catalog([Item("9", "Hat", fields={"colour": "Pink"})]), folder,
                        encoder=encoder)  # fmt: skip
        assert found(reader.search("hat")) == ["9"]
        assert [facet.name for facet in reader.facets] == ["colour"]


def test_one_writer_many_readers(retriever, folder, encoder):
    with pytest.raises(IndexLocked):
        Retriever.open(folder, encoder)
    with pytest.raises(IndexLocked):
        Retriever.build(catalog(), folder, encoder=encoder)
    with Retriever.open(folder, encoder, write=False) as reader:
        retriever.upsert([Item("5", "Straw hat")])
        assert reader.get("5") is not None


def test_wrong_encoder_is_refused(folder):
    with pytest.raises(EncoderMismatch, match=r"'hashing-64'.*got 'hashing-8'"):
        Retriever.open(folder, HashingEncoder(8))
    with pytest.raises(EncoderMismatch, match="index with that encoder"):
        Retriever.build(catalog(), folder, encoder=HashingEncoder(8))


def test_encoder_is_made_from_the_manifest(folder):
    with Retriever.open(folder) as opened:
        assert opened.encoder.name == "hashing-64"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("manifest.json", None, "not finished"),
        ("manifest.json", "{", "cannot read"),
        ("manifest.json", "[]", "not a manifest"),
        ("manifest.json", '{"format": 99, "created_by": "attune 9"}', "newer attune"),
        ("manifest.json", '{"format": 1}', "incomplete"),
        ("facets.json", '{"facets": [{}]}', "broken"),
        ("facets.json", "\x00", "cannot read"),
    ],
)
def test_broken_project_says_what_to_do(folder, encoder, name, text, message):
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(IndexError_, match=message):
        Retriever.open(folder, encoder)


def test_no_project_at_all(tmp_path):
    with pytest.raises(IndexError_, match=r"manifest.json is missing; run attune index"):
        Retriever.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_project_cannot_be_a_file(tmp_path, encoder):
    (tmp_path / "file").write_text("x")
    with pytest.raises(IndexError_, match="cannot write to"):
        Retriever.build(catalog(), tmp_path / "file", encoder=encoder)


def test_replaced_file_is_whole(tmp_path):
    project.replace_file(tmp_path / "a", "old")
    with pytest.raises(IndexError_, match="cannot write"):
        project.replace_file(tmp_path / "nowhere" / "a", "new")
    project.replace_file(tmp_path / "a", "new \ud83d")
    assert (tmp_path / "a").read_text() == "new ?"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_item_text_starts_with_what_it_is():
    facets = (Facet("colour", "categorical", "colour", "colour"),
              Facet("kind", "categorical", "kind", "category"),
              Facet("price", "numeric", "price", "price"))  # fmt: skip
    assert leading_facets(facets) == ("kind", "colour")
    text = item_text(ITEMS[0], leading_facets(facets))
    assert text == "Running shoes. Shoes. Blue. light. sport, new. 2024-01-01"
    assert item_text(Item("1", "Hat", "Hat ", {"kind": "Hat"})) == "Hat"
    assert item_text(Item("1", "")) == ""


@pytest.mark.skipif(not FURNITURE.exists(), reason="needs the shared furniture catalog")
def test_real_catalog_finds_its_items(tmp_path, encoder):
    from retrieval.loading import load

    loaded = load([FURNITURE])
    Retriever.build(loaded, tmp_path / "furniture", encoder=encoder)
    with Retriever.open(tmp_path / "furniture", encoder) as retriever:
        for item in loaded.items[::300]:
            hits = retriever.search(item.title, k=10)
            assert item.title in [hit.item.title for hit in hits]
