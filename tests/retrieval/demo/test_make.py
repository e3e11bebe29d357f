from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from xml.etree import ElementTree

import pytest

from retrieval.demo import make_demo
from retrieval.demo.drawing import COLOURS
from retrieval.demo.kinds import read_toml
from retrieval.demo.make import rows
from retrieval.filters import contains
from retrieval.loading import load

MATERIALS = tuple(read_toml("materials.toml"))

PLAUSIBLE = {
    "T-Shirts": (5, 80), "Jeans": (25, 220), "Coats": (60, 700), "Sofas": (250, 3500),
    "Mugs": (4, 40), "Laptops": (250, 4000), "Water Bottles": (5, 90), "Plush Toys": (5, 90),
}  # fmt: skip


@pytest.fixture(scope="module")
def shop():
    return rows(2400, 7)


@pytest.fixture(scope="module")
def items(shop):
    return [row for row, _ in shop]


def test_catalog_has_items_in_departments(items):
    departments = Counter(row["department"] for row in items)
    assert len(items) == 2400
    assert len(departments) >= 5
    assert min(departments.values()) >= 50


def test_no_two_items_are_alike(items):
    assert len({row["sku"] for row in items}) == len(items)
    assert len({row["title"] for row in items}) == len(items)
    assert len({row["description"] for row in items}) > 500


def test_same_seed_same_bytes(tmp_path):
    first = make_demo(tmp_path / "a", items=150)
    again = make_demo(tmp_path / "b", items=150)
    other = make_demo(tmp_path / "c", items=150, seed=8)
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()


@pytest.mark.parametrize("count", [1, 57, 333])
def test_asked_number_of_items(tmp_path, count):
    catalog = make_demo(tmp_path, items=count)
    assert len(catalog.read_text("utf-8").splitlines()) == count


def test_no_items_raises(tmp_path):
    with pytest.raises(ValueError, match="items must be 1 or more, got 0"):
        make_demo(tmp_path, items=0)
    assert list(tmp_path.iterdir()) == []


def test_description_names_no_other_material(items):
    for row in items:
        own = row["material"]
        strange = [
            name for name in MATERIALS
            if contains(row["description"], name) and not contains(own, name)
        ]  # fmt: skip
        assert strange == [], row["description"]


def test_texts_name_no_other_colour(items):
    for row in items:
        said = " ".join((row["description"], *row.get("review_snippets", ())))
        strange = [name for name in COLOURS if contains(said, name)]
        assert strange == [], said


def test_description_numbers_are_the_fields(items):
    for row in items:
        for found in re.findall(r"(\d+) cm tall", row["description"]):
            assert int(found) == row["height_cm"]


def test_title_names_colour_and_brand(shop):
    for row, family in shop:
        assert contains(row["title"], row["colour"])
        assert contains(row["title"], family.brand)


def test_materials_rule_out_qualities(items):
    never = {name: set(own.get("never", ())) for name, own in read_toml("materials.toml").items()}
    for row in items:
        assert not never[row["material"]] & set(row.get("qualities", ())), row["title"]


@pytest.mark.parametrize("category", PLAUSIBLE)
def test_prices_are_plausible(items, category):
    low, high = PLAUSIBLE[category]
    prices = [row["price_eur"] for row in items if row["category"] == category]
    assert prices
    assert low <= min(prices) <= max(prices) <= high


def test_bigger_tents_weigh_more(items):
    tents = [row for row in items if row["category"] == "Tents"]
    small = [row["weight_kg"] for row in tents if row["persons"] <= 2]
    large = [row["weight_kg"] for row in tents if row["persons"] >= 4]
    assert max(small) < max(large)
    assert min(small) < min(large)


def test_families_differ_in_colour_only(shop):
    families = defaultdict(list)
    for row, family in shop:
        families[family.number].append(row)
    several = [own for own in families.values() if len(own) >= 4]
    assert len(several) > 200
    gaps = ("style", "fit", "released", "brand", "qualities")
    own = ("sku", "title", "colour", "image", "stock", "rating", "reviews", "review_snippets")
    for family in several:
        kept = {
            json.dumps({k: v for k, v in row.items() if k not in (*gaps, *own, "price_eur")})
            for row in family
        }
        assert len(kept) == 1
        assert len({row["colour"] for row in family}) == len(family)


def test_siblings_differ_in_material(shop):
    products = defaultdict(set)
    for row, family in shop:
        products[(family.brand, family.name, row["category"])].add(row["material"])
    assert sum(len(materials) == 2 for materials in products.values()) > 50
    assert max(map(len, products.values())) == 2


def test_some_values_are_missing(items):
    for name in ("style", "released", "brand", "rating"):
        have = sum(name in row for row in items)
        assert 0.8 < have / len(items) < 1


def test_reviews_follow_the_rating(items):
    praise = read_toml("reviews.toml")["good"]
    rated = [row for row in items if "rating" in row]
    assert all("review_snippets" in row for row in rated)
    poor = [row for row in rated if row["rating"] < 3.4]
    assert poor
    assert not [row for row in poor for said in row["review_snippets"] for p in praise if p in said]


def test_every_picture_is_drawn(tmp_path):
    catalog = make_demo(tmp_path, items=300)
    rows = [json.loads(line) for line in catalog.read_text("utf-8").splitlines()]
    for row in rows:
        picture = (tmp_path / row["image"]).read_text("utf-8")
        assert ElementTree.fromstring(picture).tag.endswith("svg")
        assert COLOURS[row["colour"]] in picture


def test_catalog_loads_without_configuration(tmp_path):
    loaded = load([make_demo(tmp_path, items=600)])
    roles = {facet.name: facet.role for facet in loaded.facets}
    assert (len(loaded.items), loaded.rejects, loaded.currency) == (600, (), "EUR")
    expected = {"category": "category", "colour": "colour", "material": "material",
                "stock": "availability", "rating": "rating", "audience": "audience"}  # fmt: skip
    assert {name: roles.get(name) for name in expected} == expected
