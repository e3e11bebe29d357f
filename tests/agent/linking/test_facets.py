"""Facet names, comparatives and superlatives."""

import pytest

from agent.linking.facets import FacetNames
from agent.linking.text import tokenize
from agent.plan import ORDER
from retrieval.catalog import Facet
from tests.agent.shop import FACETS

NAMES = FacetNames(FACETS)


def numeric(name, role=None, **more):
    return Facet(name, "numeric", name.replace("_", " "), role, low=0.0, high=100.0, **more)


def compared(text, names=NAMES):
    """Return (facet, direction, superlative) of the comparisons in a text."""
    found = names.relatives(tokenize(text))
    return [(relative.facet, relative.direction, relative.superlative) for relative, _, _ in found]


MORE = [
    ("cheaper", "price", "down"),
    ("something less expensive", "price", "down"),
    ("too pricey", "price", "down"),
    ("more expensive", "price", "up"),
    ("better rated", "rating", "up"),
    ("with better reviews", "rating", "up"),
    ("more popular", "reviews", "up"),
    ("newer", "published", "up"),
    ("older ones", "published", "down"),
    ("wider", "width_cm", "up"),
    ("a narrower one", "width_cm", "down"),
    ("more reviews", "reviews", "up"),
    ("fewer reviews", "reviews", "down"),
]
MOST = [
    ("cheapest first", "price", "down"),
    ("the most expensive", "price", "up"),
    ("top rated", "rating", "up"),
    ("the best rated", "rating", "up"),
    ("most popular", "reviews", "up"),
    ("newest", "published", "up"),
    ("the oldest", "published", "down"),
    ("the widest", "width_cm", "up"),
    ("price low to high", "price", "down"),
    ("most reviews", "reviews", "up"),
]


@pytest.mark.parametrize(("text", "facet", "direction"), MORE)
def test_comparatives_find_their_facet(text, facet, direction):
    assert compared(text) == [(facet, direction, False)]


@pytest.mark.parametrize(("text", "facet", "direction"), MOST)
def test_superlatives_find_their_facet(text, facet, direction):
    assert compared(text) == [(facet, direction, True)]


@pytest.mark.parametrize("text", ["blue shoes", "expensive taste", "the best man", "deeper", ""])
def test_other_words_compare_nothing(text):
    found = compared(text)
    assert not [facet for facet, _, superlative in found if not superlative]


def test_popularity_falls_back_to_rating():
    names = FacetNames((numeric("rating", "rating"),))
    assert compared("more popular", names) == [("rating", "up", False)]


def test_facets_nobody_has_compare_nothing():
    assert compared("cheaper, newer, better rated", FacetNames((numeric("width_cm"),))) == []


def test_one_word_may_mean_several():
    names = FacetNames((numeric("cable_length"), numeric("sheet_length")))
    assert {facet for facet, _, _ in compared("longer", names)} == {"cable_length", "sheet_length"}


def test_longest_comparison_wins():
    ((relative, first, last),) = NAMES.relatives(tokenize("the most expensive ones"))
    assert relative.words == ("most", "expensive")
    assert (first, last) == (1, 3)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("price", "price"),
        ("budget", "price"),
        ("colour", "colour"),
        ("color", "colour"),
        ("brand", "brand"),
        ("rating", "rating"),
        ("material", "material"),
        ("width", "width_cm"),
        ("author", "authors"),
        ("kind", "kind"),
    ],
)
def test_words_name_facets(word, expected):
    assert expected in [facet.name for facet in NAMES.named(word)[:2]]


@pytest.mark.parametrize("word", ["banana", "blue", "", "is"])
def test_other_words_name_nothing(word):
    assert NAMES.named(word) == ()


def test_facet_mentions_hold_their_span():
    text = "any colour, whatever the price"
    found = [
        (one.mention.facet, text[one.mention.start : one.mention.end])
        for one in NAMES.mentions(tokenize(text))
    ]
    assert ("colour", "colour") in found
    assert ("price", "price") in found


def test_order_is_a_facet_too():
    mentions = [one.mention for one in NAMES.mentions(tokenize("the order doesn't matter"))]
    assert [m.facet for m in mentions] == [ORDER]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("rating above 4", "rating"), ("80 cm wide", "width_cm"), ("published 1990", "published")],
)
def test_numeric_facets_are_found_nearby(text, expected):
    tokens = tokenize(text)
    found = NAMES.numeric_at(tokens, 0, len(tokens))
    assert found is not None
    assert found[0].name == expected


def test_ranges_outside_are_empty():
    assert NAMES.numeric_at(tokenize("rating"), -5, 99)[0].name == "rating"
    assert NAMES.numeric_at(tokenize("rating"), 1, 5) is None
    assert NAMES.numeric_at([], 0, 3) is None


@pytest.mark.parametrize(
    ("word", "expected"), [("wider", ["width_cm"]), ("taller", []), ("blue", [])]
)
def test_adjectives_tell_the_measure(word, expected):
    assert [facet.name for facet in NAMES.by_adjective([word])] == expected


def test_a_rare_field_is_not_the_rating_of_anything():
    surge = numeric("surge_energy_rating", coverage=0.01)
    assert FacetNames((surge,)).named("rating") == ()
    assert FacetNames((surge,)).named("surge") == (surge,)
    common = numeric("surge_energy_rating", coverage=0.9)
    assert FacetNames((common,)).named("rating") == (common,)
