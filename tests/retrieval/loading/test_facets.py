"""Facets counted over items."""

from datetime import date

import pytest

from retrieval.catalog import Item
from retrieval.loading import Column, Mapping, infer_facets

MAPPING = Mapping(
    (
        Column("id", "id"),
        Column("price", "price", "price", "numeric", "price", "price"),
        Column("colour", "facet", "colour", "categorical", "colour", "colour"),
        Column("tags", "facet", "tags", "list", None, "tags"),
        Column("since", "facet", "since", "date", "date", "since"),
        Column("new", "facet", "new", "boolean", None, "new"),
        Column("unused", "facet", "unused", "categorical", None, "unused"),
        Column("more", "map"),
    )
)


def item(id, **fields):
    return Item(str(id), f"Item {id}", fields=fields, currency="EUR")


def facets(items):
    return {facet.name: facet for facet in infer_facets(items, MAPPING)}


def test_each_kind_is_counted():
    found = facets(
        [
            item(1, colour="Red", price=5.0, tags=("a", "b"), since="2020-01-01", new=True),
            item(2, colour="Red", price=15.0, tags=("b",), since="2021-01-01", new=False),
            item(3, colour="Blue", price=10.0),
            item(4),
        ]
    )
    assert list(found) == ["price", "colour", "tags", "since", "new"]
    assert found["colour"].values == (("Red", 2), ("Blue", 1))
    assert found["colour"].coverage == 0.75
    assert found["tags"].values == (("b", 2), ("a", 1))
    assert found["new"].values == (("true", 1), ("false", 1))
    price = found["price"]
    assert (price.low, price.high, price.quantiles[2], price.unit) == (5.0, 15.0, 10.0, "EUR")
    assert found["since"].low == date(2020, 1, 1).toordinal()


def test_keys_nobody_mapped_need_enough_items():
    items = [item(n, weight=float(n), oem_code=f"c{n % 9}", same="x") for n in range(300)]
    items += [item(n, rare="y" if n % 2 else "z") for n in range(300, 310)]
    assert list(facets(items)) == ["weight"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [([True, False], "boolean"), ([1.0, 2.0], "numeric"), (["a", "b"], "categorical"),
     ([("a",), ("b", "c")], "list")],
)  # fmt: skip
def test_keys_nobody_mapped_get_kinds(values, kind):
    found = facets([item(n, thing=values[n % 2]) for n in range(50)])
    assert found["thing"].kind == kind


def test_no_items_have_no_facets():
    assert infer_facets((), MAPPING) == ()
