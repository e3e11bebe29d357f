"""The mapping that names and contents of columns suggest, over shops of many kinds."""

import pytest

from retrieval.loading.infer import infer_mapping
from retrieval.loading.kinds import facet_column
from retrieval.loading.profile import profile, profiles, useful


def column(name, cells):
    """The treatment of one column by itself."""
    return facet_column(profile(name, len(cells), cells))


def mapping(rows):
    return infer_mapping(profiles(rows))


def table(count=60, **columns):
    """Rows from columns given as functions of the row number."""
    return [{name: make(n) for name, make in columns.items()} for n in range(count)]


SHOP = {
    "sku": lambda n: f"A-{n}",
    "product_name": lambda n: f"Fine thing number {n}",
    "price": lambda n: str(n + 1),
}


@pytest.mark.parametrize(
    ("name", "cells", "kind", "role"),
    [
        ("base_colour", ["Red", "Blue", "Red"] * 5, "categorical", "colour"),
        ("Farbe", ["rot", "blau", "rot"] * 5, "categorical", "colour"),
        ("finish", ["Red", "Blue", "Dark Grey"] * 5, "categorical", "colour"),
        ("other_colours", ["Yes", "No"] * 5, "boolean", None),
        ("gender", ["Men", "Women"] * 5, "categorical", "audience"),
        ("for_whom", ["Men", "Women", "Kids"] * 5, "categorical", "audience"),
        ("average_rating", ["4.5", "3.9", "1.0"] * 5, "numeric", "rating"),
        ("ratings_count", ["450", "39", "10"] * 5, "numeric", "popularity"),
        ("subscribers", ["450", "39", "10"] * 5, "numeric", "popularity"),
        ("year", ["2011", "2012", "1999"] * 5, "numeric", "date"),
        ("published", ["2017-01-18", "2016-03-01"] * 5, "date", "date"),
        ("released", ["18.01.2017", "01.03.2016"] * 5, "date", "date"),
        ("in_stock", ["0", "1"] * 5, "boolean", "availability"),
        ("stock", ["0", "14", "3"] * 5, "numeric", "availability"),
        ("availability", ["in stock", "out of stock"] * 5, "boolean", "availability"),
        ("level", ["1", "0"] * 5, "numeric", None),
        ("is_paid", ["TRUE", "FALSE"] * 5, "boolean", None),
        ("language", ["en", "fr", "en"] * 5, "categorical", "language"),
        ("material", ["Cotton", "Wool"] * 5, "categorical", "material"),
        ("genres", ["Adventure|Comedy", "Comedy", "Drama|Comedy"] * 5, "list", "category"),
        ("categories", [["a", "b"], ["b"]] * 5, "list", "category"),
        ("tags", ["['new', 'soft']", "['soft']"] * 5, "list", None),
        ("brand", [f"Brand {n}" for n in range(40)], "categorical", "brand"),
        ("sub_category", ["Pasta, Soup & Noodles", "Tea"] * 5, "categorical", "category"),
        ("weight", ["2 kg", "3.5 kg"] * 5, "numeric", None),
        ("was_price", ["€ 20", "€ 30,50"] * 5, "numeric", None),
    ],
)
def test_kind_and_role_of_columns(name, cells, kind, role):
    found = column(name, cells)
    assert (found.use, found.kind, found.role) == ("facet", kind, role)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("ean", [str(4006381333931 + n) for n in range(30)]),
        ("parent_id", ["7", "8"] * 10),
        ("details", [f"A long text about item {n}, with words" for n in range(30)]),
        ("blurb", ["words " * 40] * 30),
        ("original_title", [f"Title {n}" for n in range(30)]),
        ("remark", [f"note on {n} things" for n in range(60)]),
    ],
)
def test_codes_and_prose_are_no_facets(name, cells):
    assert column(name, cells).use in ("description", "ignore")


def test_authors_are_a_list_when_they_recur():
    pairs = [f"Ann A, Bob {n % 9}" for n in range(30)] + ["Ann A", "Bob 1", "Bob 2"] * 5
    assert column("authors", pairs).separator == ","
    names = [f"Last{n}, First{n}" for n in range(60)] * 2
    assert column("author", names).kind != "list"


@pytest.mark.parametrize(
    ("name", "label", "unit"),
    [
        ("depth_cm", "depth", "cm"),
        ("hours", "hours", "hours"),
        ("DisplaySizeInches", "display size", "in"),
        ("market_price_inr", "market price", "INR"),
        ("pen_count", "pen count", None),
        ("m", "m", None),
    ],
)
def test_labels_and_units_of_numbers(name, label, unit):
    found = column(name, ["12", "13", "14.5"] * 4)
    assert (found.label, found.unit) == (label, unit)


def test_label_drops_is_and_has():
    assert column("is_paid", ["yes", "no"]).label == "paid"
    assert column("base_colour", ["red", "blue"]).label == "base colour"


def test_unit_in_cells_is_the_unit():
    assert column("weight", ["2 kg", "3.5 kg"] * 5).unit == "kg"
    assert column("amount", ["2 kg", "500 g"] * 5).kind == "categorical"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("price",), "price"),
        (("sale_price_inr", "market_price_inr"), "sale_price_inr"),
        (("market_price_inr", "sale_price_inr"), "sale_price_inr"),
        (("old_price", "price_sar"), "price_sar"),
        (("regular_price", "current price"), "current price"),
        (("MRP", "Offer Price"), "Offer Price"),
        (("compare_at_price", "variantPrice"), "variantPrice"),
        (("price_cents",), "price_cents"),
        (("shipping_cost", "price_usd"), "price_usd"),
    ],
)
def test_price_is_what_the_buyer_pays(names, expected):
    rows = table(sku=SHOP["sku"], name=SHOP["product_name"], **{n: SHOP["price"] for n in names})
    found = mapping(rows)
    assert [c.name for c in found.using("price")] == [expected]
    others = [c for c in found.using("facet") if c.kind == "numeric"]
    assert {c.facet for c in others} == set(names) - {expected}


def test_sparse_sale_price_falls_back_to_full():
    rows = table(**SHOP, sale_price=lambda n: "1" if n % 4 == 0 else "")
    assert [(c.name, c.facet) for c in mapping(rows).using("price")] == [
        ("sale_price", "price"),
        ("price", "price_value"),
    ]


@pytest.mark.parametrize(
    ("name", "cell", "unit", "scale", "decimal"),
    [
        ("price_sar", "12.50", "SAR", 1.0, "."),
        ("Preis", "1.299,00 €", "EUR", 1.0, ","),
        ("cost", "$1,200", "USD", 1.0, "."),
        ("price_cents", "1295", None, 0.01, "."),
        ("price_eur_cents", "1295", "EUR", 0.01, "."),
        ("wert", "Rs. 99", "INR", 1.0, "."),
    ],
)
def test_price_currency_and_cents(name, cell, unit, scale, decimal):
    rows = table(sku=SHOP["sku"], name=SHOP["product_name"], **{name: lambda n: cell})
    (price,) = mapping(rows).using("price")
    assert (price.name, price.unit, price.scale, price.decimal) == (name, unit, scale, decimal)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (("id",), "id"),
        (("brand_id", "product_id"), "product_id"),
        (("movieId",), "movieId"),
        (("ean", "id"), "id"),
        (("ISBN",), "ISBN"),
    ],
)
def test_id_is_the_own_one(ids, expected):
    rows = table(name=SHOP["product_name"], **{n: SHOP["sku"] for n in ids})
    if "brand_id" in ids:
        rows = [row | {"brand_id": str(n % 3)} for n, row in enumerate(rows)]
    assert [c.name for c in mapping(rows).using("id")] == [expected]


def test_id_is_not_guessed_from_content():
    assert not mapping(table(name=SHOP["product_name"], position=str)).using("id")


@pytest.mark.parametrize("name", ["title", "Product Name", "productDisplayName", "nombre", "x1"])
def test_title_by_name_or_content(name):
    rows = table(sku=SHOP["sku"], **{name: SHOP["product_name"]}, colour=lambda n: "Red")
    assert [c.name for c in mapping(rows).using("title")] == [name]


def test_brand_name_is_no_title():
    rows = table(id=str, brand_name=lambda n: f"B{n % 5}", label=lambda n: f"Thing {n}")
    found = mapping(rows)
    assert [c.name for c in found.using("title")] == ["label"]
    assert found.facet("brand_name").role == "brand"


def test_series_names_are_completed_by_description():
    rows = table(
        id=str,
        name=lambda n: ["BESTA", "PAX", "IVAR"][n % 3],
        short_description=lambda n: f"TV bench, {n} cm",
    )
    assert [c.name for c in mapping(rows).using("title")] == ["name", "short_description"]


def test_image_url_and_currency_by_content():
    rows = table(
        **SHOP,
        pic=lambda n: f"https://x.example/{n}.jpg?w=3",
        page=lambda n: f"https://x.example/items/{n}",
        extra_link=lambda n: f"https://y.example/items/{n}",
        currency=lambda n: "EUR",
    )
    found = mapping(rows)
    uses = {c.name: c.use for c in found.columns}
    assert uses["pic"] == "image"
    assert uses["page"] == "url"
    assert uses["extra_link"] == "ignore"
    assert uses["currency"] == "currency"


def test_free_maps_are_flattened():
    rows = table(
        200,
        **SHOP,
        brand=lambda n: "Acme",
        attributes=lambda n: {"weight": float(n), "brand": "other", f"rare_{n}": "x"},
    )
    found = mapping(rows)
    assert found.column("attributes").use == "map"
    assert found.facet("weight").within == "attributes"
    assert found.facet("attributes_brand").role is None
    assert not [c for c in found.columns if c.name.startswith("rare")]


def test_reserved_names_get_another_facet_name():
    found = mapping(table(**SHOP, text=lambda n: ["soft", "hard"][n % 2]))
    assert found.column("text").facet == "text_value"


@pytest.mark.parametrize(("rows", "enough"), [(10, 1), (100, 10), (200, 20), (19_406, 58)])
def test_useful_grows_with_the_catalog(rows, enough):
    assert useful(rows) == enough
