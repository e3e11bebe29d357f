"""Moving an index: what is copied, what is compared, what is refused."""

import pytest

from retrieval import project
from retrieval.catalog import Facet, Item
from retrieval.encoder import HashingEncoder
from retrieval.engines import Target, default_engine, without_password
from retrieval.errors import IndexError_
from retrieval.fusion import Fusion
from retrieval.loading import LoadedCatalog, Mapping, infer_facets
from retrieval.migrate import migrate, verify
from retrieval.retriever import Retriever
from tests.retrieval.index_contract import found, make_items

ENCODER = HashingEncoder(64)


@pytest.fixture
def shop(tmp_path):
    items = tuple(make_items(300))
    loaded = LoadedCatalog("shop", items, infer_facets(items, Mapping()), Mapping())
    Retriever.build(loaded, tmp_path / "shop", encoder=ENCODER)
    project.write_fusion(tmp_path / "shop", Fusion(dense=0.5))
    return tmp_path / "shop"


def open_(folder):
    return Retriever.open(folder, ENCODER)


def test_new_folder_answers_as_the_old(shop, tmp_path):
    with open_(shop) as retriever:
        retriever.delete(["i7"])
        retriever.upsert([Item("i8", "blue kimono", fields={"price": 3.0})])
    report = migrate(shop, Target("exact"), tmp_path / "new")
    # Deleted rows still count in the old index's statistics of words, so its order may differ.
    assert (report.items, report.samples, report.dense) == (299, 50, 1.0)
    assert report.lexical > 0.95
    assert report.counts > 4
    with open_(shop) as old, open_(tmp_path / "new") as new:
        assert list(new.items()) == list(old.items())
        assert new.facets == old.facets
        assert new.fusion == Fusion(dense=0.5)
        assert found(new.search("kimono", k=1)) == found(old.search("kimono", k=1)) == ["i8"]


def test_unusable_target_is_refused(shop):
    with pytest.raises(IndexError_, match="unknown engine 'nope'"):
        migrate(shop, Target("nope"))
    with pytest.raises(IndexError_, match="needs the URL"):
        migrate(shop, Target("qdrant"))


def test_failed_comparison_leaves_the_manifest(shop, tmp_path, monkeypatch):
    before = (shop / "manifest.json").read_bytes()
    monkeypatch.setattr("retrieval.migrate._copy", lambda *_: None)
    with pytest.raises(IndexError_, match=r"has 0 items.*the old one 300.*nothing was switched"):
        migrate(shop, Target("exact"), tmp_path / "new")
    assert (shop / "manifest.json").read_bytes() == before
    assert not project.has_manifest(tmp_path / "new")


def test_wrong_answers_are_noticed(shop, tmp_path):
    migrate(shop, Target("exact"), tmp_path / "new")
    with open_(shop) as old, open_(tmp_path / "new") as new:
        ids = old.index.ids()
        new.index.apply(old.get_many(ids), old.index.vectors(ids[1:] + ids[:1]))
        with pytest.raises(IndexError_, match=r"by vector.*expected 95%"):
            verify(old.index, new.index, old.facets)
        new.upsert([Item(ids[0], "Other", fields=dict(old.get(ids[0]).fields))])
        with pytest.raises(IndexError_, match="different"):
            verify(old.index, new.index, old.facets)


def test_count_under_a_filter_is_compared(shop, tmp_path):
    migrate(shop, Target("exact"), tmp_path / "new")
    with open_(shop) as old, open_(tmp_path / "new") as new:
        item = old.get("i0")
        new.upsert([Item("i0", item.title, fields={"price": item.fields["price"]})])
        colour = Facet("colour", "Colour", "categorical", coverage=1.0, values=(("red", 1),))
        with pytest.raises(IndexError_, match=r"has 299 items where .*colour"):
            verify(old.index, new.index, (colour,))


def test_reindex_keeps_or_names_the_engine(shop):
    items = tuple(make_items(10))
    loaded = LoadedCatalog("shop", items, infer_facets(items, Mapping()), Mapping())
    with pytest.raises(IndexError_, match=r"has engine 'exact', got 'qdrant'.*migrate-index"):
        Retriever.build(loaded, shop, encoder=ENCODER, target=Target("qdrant", "http://x", "c"))
    assert Retriever.build(loaded, shop, encoder=ENCODER).deleted == 290
    assert project.read_manifest(shop).engine == "exact"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ann:pa@ss@db:5432/shop?x=1", "postgresql://ann@db:5432/shop?x=1"),
        ("http://localhost:6333", "http://localhost:6333"),
        ("", ""),
    ],
)
def test_passwords_are_not_written_down(url, expected):
    assert without_password(url) == expected


def test_large_catalogs_get_the_ann_engine():
    pytest.importorskip("qdrant_edge")
    assert (default_engine(200_000), default_engine(200_001)) == ("exact", "qdrant-edge")
