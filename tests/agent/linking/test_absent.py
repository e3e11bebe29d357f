"""What is said of fields that a catalog lacks: no wish, no topic, but told."""

from __future__ import annotations

import pytest

from agent.linking.absent import AbsentLinker
from agent.linking.linker import Linker
from agent.linking.text import tokenize
from agent.state import State
from retrieval.catalog import Facet, Item
from retrieval.encoder import HashingEncoder
from retrieval.loading import Column, LoadedCatalog, Mapping, infer_facets
from retrieval.retriever import Retriever

PRICE = Facet("price", "numeric", "price", "price", unit="EUR", low=1.0, high=90.0)
RATING = Facet("stars", "numeric", "stars", "rating", low=1.0, high=5.0)
YEAR = Facet("year", "numeric", "year", low=1990.0, high=2020.0)
BRAND = Facet("brand", "categorical", "brand", "brand", values=(("Harbour", 3),))


def found(utterance: str, *facets: Facet) -> list[tuple[str, str]]:
    tokens = tokenize(utterance)
    absent = AbsentLinker(facets).find(tokens, [False] * len(tokens))
    return [
        (utterance[one.mention.start : one.mention.end], one.mention.values[0]) for one in absent
    ]


@pytest.mark.parametrize(
    ("said", "words", "role"),
    [
        ("shoes under 60", "under 60", "price"),
        ("max 40 bucks please", "max 40 bucks", "price"),
        ("something cheaper", "cheaper", "price"),
        ("the cheapest one", "cheapest", "price"),
        ("which is best rated", "best rated", "rating"),
        ("at least 4 stars", "at least 4 stars", "rating"),
        ("the same but newer", "newer", "date"),
        ("sort by price", "sort by price", "price"),
        ("another brand", "brand", "brand"),
    ],
)
def test_what_a_bare_catalog_cannot_go_by(said, words, role):
    assert (words, role) in found(said)


@pytest.mark.parametrize(
    ("said", "facet"),
    [
        ("under 60", PRICE),
        ("something cheaper", PRICE),
        ("best rated", RATING),
        ("newer ones", YEAR),
        ("another brand", BRAND),
    ],
)
def test_a_field_that_exists_is_not_absent(said, facet):
    assert found(said, facet) == []


@pytest.mark.parametrize(
    "said", ["star wars", "date syrup", "windows 10", "a book about people", "chapter 60", "60"]
)
def test_other_words_are_no_fields(said):
    assert found(said) == []


def test_measures_are_no_prices():
    assert found("less than 60 cm wide") == []


COLUMNS = Mapping(
    (
        Column("sku", "id"),
        Column("name", "title"),
        Column("kind", "facet", "kind", "categorical", "category"),
    )
)
BARE = tuple(
    Item(f"x{n}", f"{colour} shirt {n}", "", {"kind": "Shirts"})
    for n, colour in enumerate(("red", "blue", "green"))
)


def test_absent_words_are_no_topic_of_a_search(tmp_path):
    loaded = LoadedCatalog("bare", BARE, infer_facets(BARE, COLUMNS), COLUMNS)
    encoder = HashingEncoder(32)
    Retriever.build(loaded, tmp_path / "bare", encoder=encoder)
    linker = Linker.build(Retriever.open(tmp_path / "bare", encoder))
    mentions = linker.link("a red shirt under 60, best rated first", State(), [])
    told = {m.text: m.values for m in mentions if m.kind == "absent"}
    assert told == {"under 60": ("price",), "best rated": ("rating",)}
    assert {m.text for m in mentions if m.kind in ("keyword", "unknown")} == {"red"}
