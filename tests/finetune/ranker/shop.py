"""A shop whose best items for a query are known, with labels that say so."""

from __future__ import annotations

import csv
import json
import random

from retrieval.catalog import Item
from retrieval.encoder import HashingEncoder
from retrieval.loading import Column, LoadedCatalog, Mapping, infer_facets
from retrieval.retriever import Retriever

THINGS = ("lamp", "chair", "table", "mug", "plate", "shelf", "sofa", "desk")
COLOURS = ("blue", "red", "green", "white", "black")
MAPPING = Mapping(
    (
        Column("id", "id"),
        Column("title", "title"),
        Column("colour", "facet", "colour", "categorical", "colour"),
        Column("price", "price", "price", "numeric", "price", unit="EUR"),
        Column("rating", "facet", "rating", "numeric", "rating"),
        Column("reviews", "facet", "reviews", "numeric", "popularity"),
    ),
    currency="EUR",
)


def items(count=160, seed=1):
    chance = random.Random(seed)
    made = []
    for number in range(count):
        thing, colour = THINGS[number % len(THINGS)], chance.choice(COLOURS)
        fields = {"colour": colour, "price": float(chance.randint(5, 90)),
                  "rating": chance.choice((1.0, 2.0, 3.0, 4.0, 5.0)), "reviews": 400.0}  # fmt: skip
        made.append(Item(str(number), f"{thing} no {number}", f"a {colour} {thing}", fields, "EUR"))
    return tuple(made)


def open_shop(folder):
    goods = items()
    loaded = LoadedCatalog("things", goods, infer_facets(goods, MAPPING), MAPPING, currency="EUR")
    encoder = HashingEncoder(32)
    Retriever.build(loaded, folder, encoder=encoder)
    return Retriever.open(folder, encoder)


def queries():
    return [f"{colour} {thing}" for colour in COLOURS for thing in THINGS]


def worth(query, item):
    """What an item is worth to people who ask: the thing itself, then well rated ones."""
    colour, thing = query.split()
    if thing not in item.title:
        return 0.0
    return 1.0 + (item.fields["rating"] >= 4.0) + 2.0 * (item.fields["colour"] == colour)


def write_judgements(path, retriever, worth=worth):
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["query", "id", "rating"])
        for query in queries():
            for one in retriever.search(query, k=30):
                rows.writerow([query, one.item.id, worth(query, one.item)])
    return path


def write_feedback(path, retriever, rounds=12, seed=3):
    """Write impressions of people who look at the first places more often, and know the best."""
    chance = random.Random(seed)
    lines = []
    for _ in range(rounds):
        for query in queries():
            slate = retriever.search(query, k=10)
            shown = []
            for rank, one in enumerate(slate, start=1):
                propensity = rank**-0.5
                looked = chance.random() < propensity
                clicked = looked and chance.random() < worth(query, one.item) / 4
                shown.append({"id": one.item.id, "rank": rank, "clicked": clicked,
                              "propensity": propensity})  # fmt: skip
            lines.append(json.dumps({"query": query, "items": shown}))
    path.write_text("\n".join(lines), "utf-8")
    return path
