"""The small shop over which every index engine is tested, and the ways to put it into an index."""

import numpy as np
import pytest

from retrieval.catalog import Item
from retrieval.encoder import HashingEncoder
from retrieval.filters import And, Compare, Not, Or

ENCODER = HashingEncoder(16)

SHOP = [
    Item("s1", "Blue running shoes", "light mesh", {"colour": "Blue", "price": 59.0, "stock": True,
         "tags": ("sport", "summer"), "released": "2024-03-01"}),
    Item("s2", "Red leather boots", "warm lining", {"colour": "Red", "price": 129.0, "stock": False,
         "tags": ("winter",), "released": "2023-11-15"}),
    Item("s3", "Navy rain jacket", "waterproof", {"colour": "Navy", "price": 89.5, "stock": True,
         "tags": ("rain", "sport")}),
    Item("s4", "Blue summer dress", "cotton", {"colour": "blue", "price": 39.0,
         "released": "2024-05-20"}),
    Item("s5", "Plain socks", "", {"price": 5.0, "stock": True}),
    Item("s6", "Gift card", "any amount"),
]  # fmt: skip

FILTERS = [
    None,
    Compare("colour", "eq", "BLUE"),
    Compare("colour", "ne", "blue"),
    Compare("colour", "in", ("blue", "red")),
    Compare("colour", "not_in", ("blue", "red")),
    Compare("colour", "exists", True),
    Compare("colour", "exists", False),
    Compare("tags", "eq", "sport"),
    Compare("tags", "ne", "sport"),
    Compare("tags", "not_in", ("sport", "winter")),
    Compare("stock", "eq", True),
    Compare("stock", "eq", "true"),
    Compare("stock", "ne", True),
    Compare("price", "lt", 59.0),
    Compare("price", "lte", 59),
    Compare("price", "gt", 59.0),
    Compare("price", "gte", 59.0),
    Compare("price", "eq", 5.0),
    Compare("price", "in", (5.0, 39.0, 40.0)),
    Compare("released", "gte", "2024-01-01"),
    Compare("text", "contains", "blue"),
    Compare("text", "contains", "running shoe"),
    Compare("text", "contains", "shoes running"),
    Compare("text", "not_contains", "sports"),
    Compare("colour", "contains", "navy"),
    Compare("tags", "contains", "rain sport"),
    Compare("nothing", "eq", "x"),
    Compare("nothing", "ne", "x"),
    Compare("nothing", "not_contains", "x"),
    And(),
    Or(),
    Not(And()),
    And((Compare("colour", "eq", "blue"), Compare("price", "lt", 50.0))),
    Or((Compare("colour", "eq", "red"), Compare("price", "lt", 10.0))),
    Not(Or((Compare("colour", "eq", "blue"), Compare("tags", "exists", True)))),
    And((Not(Compare("price", "gt", 50.0)), Compare("tags", "exists", False))),
]


def vectors_of(items):
    return ENCODER.encode_items([f"{item.title} {item.description}" for item in items])


def put(index, items):
    index.upsert(items, vectors_of(items))


@pytest.fixture
def index(make_index, tmp_path):
    with_shop = make_index(tmp_path / "index")
    put(with_shop, SHOP)
    yield with_shop
    with_shop.close()


def found(candidates):
    return [candidate.item.id for candidate in candidates]


def make_items(count, seed=0):
    rng = np.random.default_rng(seed)
    nouns = ["shoe", "boot", "dress", "jacket", "sock"]
    colours = ["red", "blue", "green", "black"]
    items = []
    for number in range(count):
        noun, colour = rng.choice(nouns), rng.choice(colours)
        fields = {"colour": str(colour), "price": float(rng.integers(1, 100))}
        items.append(Item(f"i{number}", f"{colour} {noun} {number % 17}", fields=fields))
    return items
