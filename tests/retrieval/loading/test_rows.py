"""One row to one item: by the catalog's own columns and by the canonical keys of HTTP."""

import pytest

from retrieval.catalog import Item
from retrieval.errors import CatalogError, RowError
from retrieval.loading import Column, Derived, Mapping, item_from_row
from retrieval.loading.rows import LONGEST_CELL

MAPPING = Mapping(
    (
        Column("sku", "id"),
        Column("name", "title"),
        Column("notes", "description"),
        Column("pic", "image"),
        Column("page", "url"),
        Column("attributes", "map"),
        Column("cents", "price", "price", "numeric", "price", "price", "EUR", scale=0.01),
        Column("base_colour", "facet", "base_colour", "categorical", "colour", "base colour"),
        Column("tags", "facet", "tags", "list", separator="|"),
        Column("depth_cm", "facet", "depth_cm", "numeric", unit="cm"),
        Column("new", "facet", "new", "boolean"),
        Column("since", "facet", "since", "date", format="%d.%m.%Y"),
        Column("watts", "facet", "watts", "numeric", within="attributes"),
    ),
    (Derived("brand", "brand", "prefix", ("name",), ("Acme", "Acme Pro")),),
    "EUR",
)
OWN = {
    "sku": 7,
    "name": "Acme Pro lamp",
    "notes": "Bright &amp; small",
    "pic": '["https://x.example/7.jpg", "b.jpg"]',
    "page": "https://x.example/7",
    "cents": "1295",
    "base_colour": "Red",
    "tags": "soft|new|soft",
    "depth_cm": "12 cm",
    "new": "yes",
    "since": "18.01.2017",
    "attributes": {"watts": 40, "dimmable": True, "sku": "x9", "parts": ["a", "b"], "empty": None},
}
ITEM = Item(
    id="7",
    title="Acme Pro lamp",
    description="Bright & small",
    fields={
        "price": 12.95,
        "base_colour": "Red",
        "tags": ("soft", "new"),
        "depth_cm": 12.0,
        "new": True,
        "since": "2017-01-18",
        "watts": 40.0,
        "dimmable": True,
        "attributes_sku": "x9",
        "parts": ("a", "b"),
        "brand": "Acme Pro",
    },
    currency="EUR",
    image="https://x.example/7.jpg",
    url="https://x.example/7",
)


def test_own_columns_become_an_item():
    assert item_from_row(OWN, MAPPING) == ITEM


def test_canonical_keys_become_the_same_item():
    row = {
        "id": "7",
        "title": "Acme Pro lamp",
        "description": "Bright & small",
        "price": 12.95,
        "currency": "EUR",
        "image": "https://x.example/7.jpg",
        "url": "https://x.example/7",
        "attributes": OWN["attributes"],
        "base_colour": "Red",
        "tags": ["soft", "new"],
        "depth_cm": 12,
        "new": True,
        "since": "18.01.2017",
    }
    assert item_from_row(row, MAPPING) == ITEM


def test_canonical_attributes_reach_facets():
    plain = Mapping(tuple(c for c in MAPPING.columns if c.name != "attributes" and not c.within))
    row = {"id": "1", "title": "Mug", "attributes": {"base_colour": "Blue", "lid": "cork"}}
    assert item_from_row(row, plain).fields == {"base_colour": "Blue", "lid": "cork"}


@pytest.mark.parametrize(
    ("price", "currency", "expected"),
    [(5, None, (5.0, "EUR")), ("€5.50", None, (5.5, "EUR")), ("$5", None, (5.0, "USD")),
     (5, "usd", (5.0, "USD")), (0, None, (0.0, "EUR"))],
)  # fmt: skip
def test_canonical_price_is_in_units(price, currency, expected):
    item = item_from_row({"id": 1, "title": "x", "price": price, "currency": currency}, MAPPING)
    assert (item.fields["price"], item.currency) == expected


def test_given_values_go_before_derived_ones():
    row = {"id": 1, "title": "Acme lamp", "brand": "Other"}
    assert item_from_row(row, MAPPING).fields["brand"] == "Other"
    del row["brand"]
    assert item_from_row(row, MAPPING).fields["brand"] == "Acme"


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"sku": ""}, "sku", "missing id"),
        ({"sku": {"a": 1}}, "sku", "not an id"),
        ({"sku": "x" * 600}, "sku", "600 characters"),
        ({"name": None, "notes": None, "base_colour": None}, "name", "missing title"),
        ({"cents": "cheap"}, "cents", "not a price"),
        ({"cents": "-3"}, "cents", "below zero"),
        ({"depth_cm": "wide"}, "depth_cm", "not a"),
        ({"depth_cm": "3 m"}, "depth_cm", "expected 'cm'"),
        ({"depth_cm": "inf"}, "depth_cm", "not a"),
        ({"new": "maybe"}, "new", "neither yes nor no"),
        ({"since": "2017"}, "since", "not a date"),
        ({"attributes": "none of it"}, "attributes", "expected an object"),
        ({"notes": "x" * (LONGEST_CELL + 1)}, "notes", "1,000,001 characters"),
    ],
)
def test_bad_rows_name_column_and_reason(change, column, reason):
    with pytest.raises(RowError, match=reason) as caught:
        item_from_row(OWN | change, MAPPING)
    assert caught.value.column == column
    assert isinstance(caught.value, CatalogError)
    assert len(caught.value.excerpt) < 100


def test_missing_marks_are_absent_keys():
    row = {name: "NA" for name in OWN} | {"sku": "1", "name": "Lamp"}
    assert item_from_row(row | {"attributes": {"watts": "-"}}, MAPPING) == Item("1", "Lamp")


def test_title_stands_in_from_what_is_known():
    row = {"sku": "1", "notes": "A lamp for reading"}
    assert item_from_row(row, MAPPING).title == "A lamp for reading"
    assert item_from_row({"sku": "1", "base_colour": "Red"}, MAPPING).title == "Red"


def test_prose_in_a_facet_goes_to_the_text():
    prose = "Easy to clean since you can remove the fabric and wash it. " * 3
    item = item_from_row(OWN | {"base_colour": prose}, MAPPING)
    assert "base_colour" not in item.fields
    assert "remove the fabric" in item.description


def test_misfits_of_free_maps_go_to_the_text():
    item = item_from_row(OWN | {"attributes": {"watts": "up to 40"}}, MAPPING)
    assert "watts" not in item.fields
    assert "up to 40" in item.description


def test_text_repeated_in_title_is_left_out():
    assert item_from_row(OWN | {"notes": "Pro lamp"}, MAPPING).description == ""


@pytest.mark.parametrize("id", ["007", "ä/ö?#", "a b", "👟", "-1"])
def test_ids_are_kept_as_they_are(id):
    assert item_from_row(OWN | {"sku": id}, MAPPING).id == id


def test_number_ids_are_whole():
    assert item_from_row(OWN | {"sku": 12.0}, MAPPING).id == "12"
