"""A small corpus that says at a glance what answers what."""

from finetune.encoder.corpus import Corpus
from retrieval.catalog import Facet, Item

FACETS = (
    Facet("colour", "categorical", "colour", role="colour"),
    Facet("brand", "categorical", "brand", role="brand"),
    Facet("type", "categorical", "type", role="category"),
)


def item(id, title, description="", **fields):
    return Item(id, title, description, fields)


ITEMS = (
    item("a", "Acme Trail Boot 42", "Waterproof leather boot; made for long walks in the hills.",
         colour="Black", brand="Acme", type="Boots"),
    item("b", "Acme Trail Boot 43", colour="Black", brand="Acme", type="Boots"),
    item("c", "Nordix City Boot", colour="Brown", brand="Nordix", type="Boots"),
    item("d", "Nordix Rain Jacket Slim", colour="Black", brand="Nordix", type="Jackets & coats"),
    item("e", "Velora Patch Cable 2 m", type="Cables"),
    item("f", "Velora Patch Cable 5 m", type="Cables"),
    item("g", "Trail Map of the Alps", type="Maps"),
    item("h", "42"),
)  # fmt: skip


def corpus(items=ITEMS):
    return Corpus(items, FACETS, ("type", "brand", "colour"))
