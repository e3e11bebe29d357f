"""A small shop of clothes in memory: brute force over `retrieval.filters.matches`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from agent.dialogue import Parts
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.store import Store
from retrieval.catalog import Facet, Item
from retrieval.filters import matches, text_of, words
from retrieval.loading.mapping import Column, Mapping
from retrieval.query import Candidate
from retrieval.reranking import NoReranker, Reranker


@dataclass
class MemoryShop:
    """A retriever, and the index under it, over a list of items."""

    facets: tuple[Facet, ...]
    items: dict[str, Item] = field(default_factory=dict)
    currency: str | None = "EUR"
    encoder_name: str = "none"
    dimension: int = 1
    version: int = 0
    reranker: Reranker = field(default_factory=NoReranker)

    @property
    def index(self):
        return self

    def get_many(self, ids):
        return [self.items[id] for id in ids if id in self.items]

    get = get_many

    def vectors(self, ids):
        return np.ones((len(ids), 1), dtype=np.float32)

    def _matching(self, filter):
        return [item for item in self.items.values() if matches(filter, item)]

    def ids(self, filter=None):
        return [item.id for item in self._matching(filter)]

    def count(self, filter=None):
        return len(self._matching(filter))

    def facet(self, name, filter=None, limit=None):
        counts: dict[str, int] = {}
        for item in self._matching(filter):
            for value in item.values(name):
                counts[str(value)] = counts.get(str(value), 0) + 1
        return sorted(counts.items(), key=lambda pair: -pair[1])[:limit]

    def search(self, text="", *, filter=None, k=10, order=None, dense=None):
        asked = set(words(text or ""))
        found = []
        for item in self._matching(filter):
            own = set(words(text_of(item)))
            hits = float(len(asked & own))
            found.append(Candidate(item, hits / (1 + len(own)) + hits, None, hits))
        if order is not None:
            have = [c for c in found if c.item.values(order.facet)]
            lack = [c for c in found if not c.item.values(order.facet)]
            down = order.direction == "descending"
            have.sort(key=lambda c: c.item.values(order.facet)[0], reverse=down)
            return (have + lack)[:k]
        return sorted(found, key=lambda c: -c.score)[:k]


CLOTHES = (
    Facet("type", "categorical", "type", "category", values=(("Shirts", 8), ("Shoes", 6))),
    Facet("gender", "categorical", "gender", "audience", values=(("Men", 8), ("Women", 6))),
    Facet("colour", "categorical", "colour", "colour",
          values=(("Blue", 4), ("Navy", 3), ("Red", 3), ("Black", 3), ("White", 1))),
    Facet("material", "categorical", "material", "material",
          values=(("Cotton", 6), ("Linen", 4), ("Leather", 4))),
    Facet("brand", "categorical", "brand", "brand", values=(("Alto", 7), ("Brisa", 7))),
    Facet("price", "numeric", "price", "price", unit="EUR", low=15.0, high=150.0,
          quantiles=(20.0, 30.0, 40.0, 60.0, 100.0)),
    Facet("rating", "numeric", "rating", "rating", low=1.0, high=5.0,
          quantiles=(2.0, 3.0, 4.0, 4.5, 4.8)),
    Facet("reviews", "numeric", "reviews", "popularity", low=0.0, high=500.0,
          quantiles=(1.0, 5.0, 20.0, 80.0, 200.0)),
    Facet("in_stock", "boolean", "in stock", "availability", values=(("true", 12), ("false", 2))),
)  # fmt: skip

ROWS = """
1 Shirts Men Blue Cotton Alto 35 4.5 120 True|Alto men blue cotton shirt|slim fit, soft
2 Shirts Men Red Cotton Alto 36 4.2 80 True|Alto men red cotton shirt|slim fit, soft
3 Shirts Men Navy Linen Brisa 28 4.0 20 True|Brisa men navy linen shirt|relaxed, breathable
4 Shirts Men Black Cotton Brisa 45 3.9 10 True|Brisa men black cotton shirt|regular fit
5 Shirts Women Blue Linen Brisa 55 4.8 200 True|Brisa women blue linen shirt|breathable
6 Shirts Women White Cotton Alto 25 - - True|Alto women white cotton shirt|plain
7 Shirts Men Blue Linen Brisa 34 3.5 5 False|Brisa men blue linen shirt|relaxed, breathable
8 Shirts Women Red Cotton Brisa 60 4.1 40 True|Brisa women red cotton shirt|office
9 Shoes Men Black Leather Alto 90 4.6 300 True|Alto men black leather shoes|waterproof, formal
10 Shoes Men Blue Leather Brisa 80 4.0 60 True|Brisa men blue leather shoes|casual
11 Shoes Women Red Leather Alto 110 4.4 90 True|Alto women red leather shoes|heels, formal
12 Shoes Women Navy Cotton Brisa 40 4.3 150 True|Brisa women navy cotton shoes|running, light
13 Shoes Men Black Cotton Brisa 42 3.0 2 False|Brisa men black cotton shoes|running, waterproof
14 Shoes Men Navy Leather Alto 150 4.9 500 True|Alto men navy leather shoes|formal, waterproof
"""


def item_of(row: str) -> Item:
    facts, title, description = row.split("|")
    id, kind, gender, colour, material, brand, price, rating, reviews, stock = facts.split()
    fields = {"type": kind, "gender": gender, "colour": colour, "material": material,
              "brand": brand, "price": float(price), "in_stock": stock == "True"}  # fmt: skip
    if rating != "-":
        fields |= {"rating": float(rating), "reviews": float(reviews)}
    return Item(id, title, description, fields, "EUR")


COLUMNS = (
    Column("sku", "id"),
    Column("name", "title"),
    Column("cents", "price", "price", unit="EUR", scale=0.01),
    Column("type", "facet", "type", "categorical", "category"),
    Column("colour", "facet", "colour", "categorical", "colour"),
    Column("brand", "facet", "brand", "categorical", "brand"),
    Column("rating", "facet", "rating", "numeric", "rating"),
    Column("in_stock", "facet", "in_stock", "boolean", "availability"),
)


def clothes_shop() -> MemoryShop:
    """Return a shop of 14 shirts and shoes with known answers."""
    items = [item_of(row) for row in ROWS.strip().splitlines()]
    return MemoryShop(CLOTHES, {item.id: item for item in items})


def writable(shop: MemoryShop) -> MemoryShop:
    """Make the shop one whose items can change while it is served."""

    def upsert(items):
        shop.items.update({item.id: item for item in items})
        shop.version += 1

    def delete(ids):
        gone = [shop.items.pop(id, None) for id in ids]
        shop.version += 1
        return sum(item is not None for item in gone)

    shop.name, shop.upsert, shop.delete = "clothes", upsert, delete
    shop.mapping = Mapping(columns=COLUMNS, currency="EUR")
    return shop


class _Listed:
    """A shop as the linker sees it: its items one after the other."""

    def __init__(self, shop):
        self._shop = shop

    def __getattr__(self, name):
        return getattr(self._shop, name)

    def items(self):
        return iter(self._shop.items.values())


def linker_of(shop: MemoryShop) -> Linker:
    """Return what links texts to a shop in memory."""
    return Linker(_Listed(shop))


def parts_over(shop: MemoryShop, store: Store) -> Parts:
    """Return what a turn over a shop in memory is made with."""
    return Parts(store=store, retriever=shop, linker=linker_of(shop), planner=RulePlanner())
