"""Twelve mugs and plates, so that gold items can be read off by eye."""

from __future__ import annotations

from finetune.critiques.format import Case
from retrieval.catalog import Facet, Item

# id kind colour brand use price
_ROWS = """
m1 mug blue Arno tea 10
m2 mug red Arno tea 12
m3 mug green Arno coffee 8
m4 mug blue Birk tea 9
m5 mug red Birk coffee 20
m6 mug red,blue Birk tea -
p1 plate blue Arno dinner 15
p2 plate red Arno dinner 18
p3 plate green Birk dinner 7
p4 plate blue Birk dessert 11
p5 plate red Cato dessert 30
p6 plate green Cato dinner 14
"""


def _item(row: str) -> Item:
    id, kind, colour, brand, use, price = row.split()
    fields = {"kind": kind, "colour": tuple(colour.split(",")), "brand": brand, "use": use}
    priced = {} if price == "-" else {"price": float(price)}
    return Item(id, f"{brand} {kind} {id}", fields={**fields, **priced})


ITEMS = tuple(_item(row) for row in _ROWS.strip().splitlines())
BY_ID = {item.id: item for item in ITEMS}


def _values(name: str) -> tuple[tuple[str, int], ...]:
    every = [value for item in ITEMS for value in item.values(name)]
    return tuple((str(value), every.count(value)) for value in sorted(set(every)))


FACETS = (
    Facet("price", "numeric", "price", "price", coverage=0.92, low=7.0, high=30.0),
    Facet("kind", "categorical", "kind", "category", values=_values("kind")),
    Facet("colour", "list", "colour", "colour", values=_values("colour")),
    Facet("brand", "categorical", "brand", "brand", values=_values("brand")),
    Facet("use", "categorical", "use", values=_values("use")),
)
KEEP = {"kind": 2.0, "brand": 1.0, "use": 1.0}


def case(**given) -> Case:
    """Return "like m1 but red", with some of it otherwise."""
    fields = {
        "id": "c1", "kind": "change", "reference": "m1", "text": "like this but red",
        "change": {"colour": ("red",)}, "keep": KEEP, "satisfying": 5,
        "best": (1.0, 0.75, 0.5, 0.25, 0.0), "gold": ("m2",),
    }  # fmt: skip
    return Case(**{**fields, **given})
