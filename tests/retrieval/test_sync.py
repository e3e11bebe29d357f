"""Sync: what differs, what may be deleted, and that it comes to an end."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import sync
from retrieval.catalog import Item
from retrieval.encoder import HashingEncoder
from retrieval.errors import CatalogError
from retrieval.filters import Compare
from retrieval.loading import Column, LoadedCatalog, Mapping, Reject, infer_facets
from retrieval.retriever import Retriever
from retrieval.sync import apply, change, differences

MAPPING = Mapping(
    (
        Column("id", "id"),
        Column("name", "title"),
        Column("colour", "facet", "colour", "categorical", "colour"),
        Column("price", "price", "price", "numeric", "price"),
    ),
    currency="EUR",
)
SHOP = tuple(
    Item(str(n), f"Shirt {n}", fields={"colour": "Blue" if n % 2 else "Red", "price": 10.0 + n})
    for n in range(8)
)
ROW = Reject("shop.csv", 7, "id", "missing id", "")
FIELD = Reject("shop.csv", 7, "price", "not a number", "abc", "field")


def catalog(items, *rejects):
    facets = infer_facets(items, MAPPING)
    return LoadedCatalog("shop", tuple(items), facets, MAPPING, rejects, "EUR")


@pytest.fixture(scope="module")
def encoder():
    return HashingEncoder(32)


@pytest.fixture
def retriever(tmp_path, encoder):
    Retriever.build(catalog(SHOP), tmp_path / "shop", encoder=encoder)
    with Retriever.open(tmp_path / "shop", encoder) as opened:
        yield opened


def flipped(item, **fields):
    return replace(item, fields={**item.fields, **fields})


def test_only_differences_are_written(retriever):
    new = [*SHOP[1:6], flipped(SHOP[6], price=1.0), Item("new", "Green kilt")]
    found = differences(catalog(new, FIELD), retriever)
    assert [item.id for item in found.added] == ["new"]
    assert [item.id for item in found.changed] == ["6"]
    assert found.deleted == ("0", "7")
    assert (found.unchanged, found.kept, found.rejected, found.writes) == (5, 0, 1, 4)
    before = retriever.version
    apply(found, retriever)
    assert {item.id: item for item in retriever.items()} == {item.id: item for item in new}
    assert retriever.version == before + 2
    assert retriever.search("green kilt", k=1)[0].item.id == "new"
    assert retriever.index.ids(Compare("price", "lt", 5.0)) == ["6"]


def test_second_sync_does_nothing(retriever):
    new = [*SHOP[2:], Item("new", "Green kilt")]
    apply(differences(catalog(new), retriever), retriever)
    version = retriever.version
    again = differences(catalog(new), retriever)
    assert (again.writes, again.unchanged) == (0, 7)
    apply(again, retriever)
    assert retriever.version == version


items = st.builds(
    Item,
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(["Red shirt", "Blue kilt"]),
    fields=st.fixed_dictionaries({"price": st.sampled_from([1.0, 2.0])}),
)
catalogs = st.lists(items, min_size=1, max_size=4, unique_by=lambda item: item.id)


@given(st.lists(catalogs, min_size=1, max_size=4))
@settings(deadline=None, max_examples=25)
def test_any_catalog_is_reached(tmp_path_factory, encoder, steps):
    folder = tmp_path_factory.mktemp("sync")
    Retriever.build(catalog(SHOP[:1]), folder, encoder=encoder)
    with Retriever.open(folder, encoder) as retriever:
        for step in steps:
            apply(differences(catalog(step), retriever, allow=1.0), retriever)
            assert {item.id: item for item in retriever.items()} == {i.id: i for i in step}


def test_nothing_is_deleted_where_asked(retriever):
    found = differences(catalog(SHOP[:2]), retriever, delete=False)
    assert (found.deleted, found.kept, found.unchanged) == ((), 6, 2)


@pytest.mark.parametrize(("left", "share"), [(3, "0.63"), (1, "0.88"), (0, "1")])
def test_truncated_export_empties_no_shop(retriever, left, share):
    new = [*SHOP[:left], Item("new", "Green kilt")]
    with pytest.raises(CatalogError, match=f"--allow-delete {share}, or --no-delete"):
        differences(catalog(new), retriever)
    allowed = differences(catalog(new), retriever, allow=float(share))
    assert len(allowed.deleted) == 8 - left
    assert len(differences(catalog(SHOP[:4]), retriever).deleted) == 4


def test_broken_rows_delete_nothing(retriever):
    found = differences(catalog(SHOP[1:], ROW), retriever)
    assert (found.deleted, found.kept, found.rejected) == ((), 1, 1)
    assert differences(catalog(SHOP[1:], ROW), retriever, allow=0.5).deleted == ("0",)


def test_broken_off_sync_goes_on(retriever, monkeypatch):
    monkeypatch.setattr(sync, "AT_ONCE", 2)
    new = [replace(item, title=f"{item.title} new") for item in SHOP[:6]]
    done = []

    def breaking(writes):
        for count in writes:
            done.append(count)
            if len(done) == 2:
                raise KeyboardInterrupt
            yield count

    with pytest.raises(KeyboardInterrupt):
        apply(differences(catalog(new), retriever), retriever, breaking)
    again = differences(catalog(new), retriever)
    assert (len(again.changed), again.unchanged, again.deleted) == (2, 4, ("6", "7"))
    apply(again, retriever)
    assert list(retriever.items()) == new


def test_changes_are_named():
    new = replace(SHOP[1], title="Shirt", fields={"colour": "Blue", "tags": ("x" * 99,)})
    assert change(SHOP[1], new) == [
        "title: Shirt 1 → Shirt", "price: 11.0 → nothing", f"tags: nothing → ('{'x' * 57}…",
    ]  # fmt: skip
    assert change(SHOP[1], SHOP[1]) == ["text as the encoder sees it"]
