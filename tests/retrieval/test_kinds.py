"""Items that do not fit the catalog's facets are refused whole."""

import pytest

from retrieval.catalog import Facet, Item
from retrieval.errors import CatalogError
from retrieval.item_json import dump_item
from retrieval.kinds import check_kinds

FACETS = [
    Facet("price", "numeric", "price"),
    Facet("stock", "boolean", "stock"),
    Facet("released", "date", "released"),
    Facet("colour", "categorical", "colour"),
]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("price", "cheap", "'price' = 'cheap'; this catalog's 'price' is numeric, expected a numb"),
        ("price", True, "expected a number"),
        ("stock", "yes", "expected true or false"),
        ("stock", 1, "expected true or false"),
        ("released", "soon", "expected a date as YYYY-MM-DD"),
        ("released", 2024, "expected a date"),
    ],
)
def test_other_kind_is_named(name, value, told):
    good = Item("0", "Hat", fields={"price": 3})
    with pytest.raises(CatalogError, match=f"item '1' .*{told}"):
        check_kinds([good, Item("1", "Coat", fields={name: value})], FACETS)


def test_fitting_and_unknown_fields_pass():
    fields = {"price": 3, "stock": False, "released": "2024-05-01T10:00", "colour": 7, "new": "x"}
    check_kinds([Item("1", "Coat", fields=fields), Item("2", "Hat")], FACETS)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_must_be_finite(value):
    with pytest.raises(CatalogError, match=r"'price' = .*finite"):
        dump_item(Item("1", "Coat", fields={"price": value}))
