"""The six sample catalogs load without configuration; skipped where the samples are absent."""

import json
from functools import lru_cache
from pathlib import Path

import pytest

from retrieval.loading import Mapping, describe, item_from_row, load
from retrieval.loading.sources import rows

DATA = Path(__file__).parents[3].parent / "shared" / "data"
FILES = {
    "fashion": "catalog_fashion.csv.gz",
    "electronics": "catalog_electronics.jsonl.gz",
    "grocery": "catalog_grocery.csv.gz",
    "ikea": "catalog_furniture_ikea.csv.gz",
    "books": "catalog_books.csv.gz",
    "courses": "catalog_courses.csv.gz",
}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no sample catalogs beside the checkout")


@lru_cache(maxsize=6)
def catalog(name):
    return load([DATA / FILES[name]])


@pytest.mark.parametrize(
    ("name", "items", "currency", "roles"),
    [
        ("fashion", 44_446, None,
         {"article_type": "category", "base_colour": "colour", "gender": "audience",
          "year": "date", "brand": "brand"}),
        ("electronics", 19_406, None,
         {"price": "price", "brand": "brand", "colour": "colour", "released": "date",
          "category": "category"}),
        ("grocery", 27_555, "INR",
         {"price": "price", "category": "category", "type": "category", "brand": "brand",
          "rating": "rating", "market_price_inr": None}),
        ("ikea", 2_962, "SAR",
         {"price": "price", "category": "category", "colour": "colour", "old_price": None,
          "sellable_online": "availability", "other_colours": None}),
        ("books", 10_000, None,
         {"authors": None, "year": "date", "language": "language", "average_rating": "rating",
          "ratings_count": "popularity"}),
        ("courses", 3_672, "USD",
         {"price": "price", "subject": "category", "subscribers": "popularity",
          "published": "date", "is_paid": None, "hours": None}),
    ],
    ids=FILES,
)  # fmt: skip
def test_roles_prices_and_counts(name, items, currency, roles):
    loaded = catalog(name)
    found = {facet.name: facet.role for facet in loaded.facets}
    assert (len(loaded.items), loaded.currency) == (items, currency)
    assert {facet: found.get(facet, "absent") for facet in roles} == roles
    assert not loaded.rejects
    assert len([facet for facet in loaded.facets if facet.role == "price"]) <= 1
    assert describe(loaded).startswith(f"catalog_{FILES[name][8:].split('.')[0]}: {items:,} items")
    assert Mapping.from_toml(loaded.mapping.to_toml()) == loaded.mapping


def facet(name, facet):
    return next(found for found in catalog(name).facets if found.name == facet)


def test_fashion_brands_come_from_titles():
    brand = facet("fashion", "brand")
    values = dict(brand.values)
    assert brand.derived_from == "name"
    assert brand.coverage > 0.95
    assert {"Nike", "Peter England", "United Colors of Benetton", "Red Tape"} <= values.keys()
    assert not {"Men", "Women", "Black", "Casual"} & values.keys()


def test_electronics_kinds_come_from_titles():
    category = facet("electronics", "category")
    values = dict(category.values)
    assert category.coverage > 0.65
    assert {
        "cable",
        "toner cartridge",
        "notebook",
        "headset",
        "monitor",
        "keyboard",
    } <= values.keys()
    assert all(any(c.isalpha() for c in value) for value in values)
    assert facet("electronics", "price").low == 0.95


def test_ikea_lists_categories_and_colours():
    assert facet("ikea", "category").kind == "list"
    colour = facet("ikea", "colour")
    assert colour.derived_from == "slug"
    assert colour.coverage > 0.8
    assert facet("ikea", "depth_cm").unit == "cm"
    assert any(len(item.fields["category"]) > 1 for item in catalog("ikea").items)


def test_books_and_courses_derive_nothing():
    assert not catalog("books").mapping.derived
    assert not catalog("courses").mapping.derived
    assert facet("books", "authors").kind == "list"


@pytest.mark.parametrize("name", FILES)
def test_own_rows_come_back_as_items(name):
    loaded = catalog(name)
    known = {item.id: item for item in loaded.items}
    lists = {column.facet for column in loaded.mapping.columns if column.kind == "list"}
    for row, _ in zip(rows(DATA / FILES[name]), range(300), strict=False):
        item = item_from_row(json.loads(json.dumps(row.cells)), loaded.mapping)
        mine = known[item.id]
        assert item.title == mine.title
        assert {k: v for k, v in item.fields.items() if k not in lists}.items() <= dict(
            mine.fields
        ).items()
