"""Whatever comes in, the answer is a catalog or a CatalogError: never another exception."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.catalog import Item
from retrieval.errors import CatalogError, RowError
from retrieval.filters import text_of
from retrieval.loading import Mapping, describe, infer_facets, item_from_row, load
from retrieval.loading.infer import infer_mapping
from retrieval.loading.profile import profiles

SETTINGS = settings(max_examples=60)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.lists(st.text(max_size=4), max_size=3),
    st.dictionaries(st.text(max_size=4), st.one_of(st.none(), st.floats(), st.text(max_size=4))),
    st.sampled_from(["€5", "12 cm", "2020-01-01", "a|b", "Red", "yes", "NA", "[1]", "1.299,00"]),
)
NAMES = st.sampled_from(
    ["id", "name", "price", "brand", "colour", "tags", "text", "attributes", "stock", "url", "date"]
)
ROWS = st.lists(st.dictionaries(NAMES, CELLS, min_size=2), min_size=1, max_size=12)


def catalog(path):
    with contextlib.suppress(CatalogError):
        loaded = load([path])
        describe(loaded)
        assert len({item.id for item in loaded.items}) == len(loaded.items)


@SETTINGS
@given(st.binary(max_size=400))
def test_any_bytes_are_loaded_or_refused(tmp_path, content):
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    catalog(path)


@SETTINGS
@given(st.text(alphabet="a1,;\t|\"\n\r'é[]{}: \x00", max_size=200))
def test_any_text_is_loaded_or_refused(tmp_path, content):
    path = tmp_path / "any.csv"
    path.write_text("id,name\n" + content, encoding="utf-8", newline="")
    catalog(path)
    path.write_text('{"id": 1, "name": "x"}\n' + content, encoding="utf-8", newline="")
    catalog(path)


@SETTINGS
@given(ROWS)
def test_any_rows_become_items_or_errors(rows):
    mapping = infer_mapping(profiles(rows))
    items = []
    for number, row in enumerate(rows):
        with contextlib.suppress(RowError):
            items.append(item_from_row(row | {"id": str(number)}, mapping))
    for item in items:
        assert None not in item.fields.values()
        assert "" not in item.fields.values()
        text_of(item).encode()
    infer_facets(items, mapping)
    assert Mapping.from_toml(mapping.to_toml()) == mapping


@pytest.mark.parametrize("title", ["x" * 10_000, "👟" * 50, "‮abc", "x < y", "Ω≈ç√"])
def test_odd_titles_stay_titles(title):
    item = item_from_row({"id": 1, "title": title}, Mapping())
    assert isinstance(item, Item)
    assert item.title
