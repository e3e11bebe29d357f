"""Values as people write them."""

import pytest

from ui.web.values import (
    can_be_had,
    kind_of,
    label_of,
    maker_of,
    money,
    name_of,
    own_value,
    price_of,
    shown,
    stock_in_words,
)
from ui.web.words import Words

EN, ZH = Words(), Words("zh")


def facet(kind="numeric", role=None, unit=None, name="f"):
    return {"name": name, "label": name, "kind": kind, "role": role, "unit": unit}


@pytest.mark.parametrize(
    ("value", "about", "text"),
    [
        (25.0, facet(), "25"),
        (1234.5, facet(), "1,234.5"),
        (4.0, facet(role="rating"), "4.0"),
        (4.11, facet(role="rating"), "4.1"),
        (2011.0, facet(role="date"), "2011"),
        (40.0, facet(unit="cm"), "40 cm"),
        (15.0, facet(unit="SAR"), "SAR\N{NO-BREAK SPACE}15"),
        (True, facet("boolean"), "yes"),
        ("false", facet("boolean"), "no"),
        (False, None, "no"),
        ("2023-05-16", facet("date"), "May 16, 2023"),
        ("spring", facet("date"), "spring"),
        (["S", "M"], facet("list"), "S, M"),
        (["S", None, ""], None, "S"),
        (None, facet(), ""),
        (float("nan"), None, "nan"),
        ("x" * 500, None, "x" * 400 + "…"),
    ],
)
def test_value_is_written_as_people_do(value, about, text):
    assert shown(value, EN, about) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1234.5, "EUR", "€1,234.50"),
        (40.0, "EUR", "€40"),
        (1200.0, "EUR", "€1,200"),
        (1000.0, "EUR", "€1,000"),
        (10.0, "SAR", "SAR\N{NO-BREAK SPACE}10"),
        (500.0, "JPY", "¥500"),
        (40.95, "???", "40.95 ???"),
        (40.95, "", "40.95"),
    ],
)
def test_money_has_cents_only_where_needed(amount, currency, text):
    assert money(amount, currency, EN) == text


@pytest.mark.parametrize("price", [None, "dear", float("inf"), True])
def test_price_that_is_none_is_said(price):
    assert price_of({"price": price}, EN) == "Price on request"
    assert price_of({"price": price}, ZH) == "价格请询问"


@pytest.mark.parametrize(
    ("stock", "there", "text", "exact"),
    [
        (None, None, "", ""),
        (0, False, "Not available now", "Not available now"),
        (3.0, True, "Only 3 left", "Only 3 left"),
        (92, True, "In stock", "92 in stock"),
        (True, True, "In stock", "In stock"),
        (False, False, "Not available now", "Not available now"),
        ("preorder", None, "preorder", "preorder"),
    ],
)
def test_stock_is_told(stock, there, text, exact):
    item = {"availability": stock}
    assert can_be_had(item) is there
    assert stock_in_words(item, EN) == text
    assert stock_in_words(item, EN, exact=True) == exact


def test_own_value_is_the_attribute_or_the_role():
    item = {"brand": "Alto", "attributes": {"colour": "Blue", "cut": ""}}
    assert own_value(item, facet(name="colour")) == "Blue"
    assert own_value(item, facet(name="maker", role="brand")) == "Alto"
    assert own_value(item, facet(name="cut")) is None


def test_kind_is_the_first_of_several():
    assert kind_of({"category": ["Chairs", "Sofas"]}) == "Chairs"
    assert kind_of({"category": None, "brand": "Alto"}) == "Alto"
    assert kind_of({"category": [], "brand": 3}) == ""


def test_name_of_a_field_without_facet_is_readable():
    assert label_of("depth_cm", {"depth_cm": {"label": "depth"}}) == "depth"
    assert label_of("depth_cm", {}) == "depth cm"


@pytest.mark.parametrize(
    ("name", "heading"),
    [("demo", "Demo"), ("catalog_garden_tools", "Garden tools"), ("catalog", "Catalog"), ("", "")],
)
def test_catalog_has_a_readable_name(name, heading):
    assert name_of(name) == heading


LISTS = [{**facet("list", name="tags"), "coverage": 0.4},
         {**facet("list", name="authors"), "coverage": 1.0}]  # fmt: skip
BOOK = {"title": "Emma", "attributes": {"authors": ["Jane Austen", "A", "B"], "tags": ["old"]}}


@pytest.mark.parametrize(
    ("item", "facets", "maker"),
    [
        (BOOK, LISTS, "Jane Austen, A"),
        ({**BOOK, "brand": "Penguin"}, LISTS, "Penguin"),
        (BOOK, [*LISTS, facet("categorical", "brand", name="brand")], ""),
        ({"title": "Tea", "attributes": {}}, LISTS, ""),
        ({"title": "Tea", "brand": ["Alto", "Brisa", "Nordhus"]}, [], "Alto, Brisa"),
        ({"title": "Tea"}, [], ""),
    ],
)
def test_maker_is_the_brand_or_the_names_listed(item, facets, maker):
    assert maker_of(item, facets) == maker
