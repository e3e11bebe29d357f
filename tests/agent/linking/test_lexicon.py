"""The lexicon: what each way of calling a value means."""

from dataclasses import replace

import pytest

from agent.linking.lexicon import build, is_linked
from agent.linking.text import key_of
from retrieval.catalog import Facet
from tests.agent.shop import BY_NAME, FACETS


def facet(name, *values, role=None, kind="categorical", **more):
    counted = tuple((value, 10 - i) for i, value in enumerate(values))
    return Facet(name, kind, name, role, values=counted, **more)


def meant(lexicon, words):
    """Return facet to values of the surest meanings of some words."""
    found = lexicon.lookup(key_of(words))
    return {entry.facet: set(entry.values) for entry in found}


SHOP = build(FACETS)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Blue", {"colour": {"Blue"}}),
        ("navy blue", {"colour": {"Navy Blue"}}),
        ("navy", {"colour": {"Navy Blue"}}),
        ("gray", {"colour": {"Grey"}}),
        ("t shirts", {"kind": {"T-Shirts"}}),
        ("tee", {"kind": {"T-Shirts"}}),
        ("dress", {"kind": {"Dresses"}}),
        ("casual shoe", {"kind": {"Casual Shoes"}}),
        ("shoes", {"kind": {"Casual Shoes", "Sports Shoes"}}),
        ("perfume", {"kind": {"Perfume & Body Mist"}}),
        ("body mist", {"kind": {"Perfume & Body Mist"}}),
        ("fragrance", {"kind": {"Perfume & Body Mist"}}),
        ("notebook", {"kind": {"Laptops"}}),
        ("headset", {"kind": {"Headphones"}}),
        ("bookshelf", {"kind": {"Bookcases"}}),
        ("men's", {"gender": {"Men"}}),
        ("ladies", {"gender": {"Women"}}),
        ("mum", {"gender": {"Women"}}),
        ("nike", {"brand": {"Nike"}}),
        ("Tolkien", {"authors": {"J.R.R. Tolkien"}}),
        ("j r r tolkien", {"authors": {"J.R.R. Tolkien"}}),
        ("guin", {"authors": {"Ursula Le Guin"}}),
        ("in stock", {"in_stock": {"true"}}),
        ("paid", {"is_paid": {"true"}}),
        ("unpaid", {"is_paid": {"false"}}),
        ("banana", {}),
    ],
)
def test_names_of_the_store(words, expected):
    assert meant(SHOP, words) == expected


def test_exact_colour_keeps_family_apart():
    (blue,) = SHOP.lookup("blue")
    assert (blue.values, blue.family) == (("Blue",), ("Navy Blue",))


def test_missing_colour_is_its_family():
    lexicon = build([facet("colour", "Navy Blue", "Sky Blue", "Red", role="colour")])
    assert meant(lexicon, "blue") == {"colour": {"Navy Blue", "Sky Blue"}}


def test_colour_nobody_has_is_kept():
    (orange,) = SHOP.lookup("orange")
    assert orange.values == ("Orange",)
    assert orange.score < 1.0
    assert orange.note == "no item is orange"


def test_unknown_shade_is_said():
    lexicon = build([facet("colour", "Blue", "Red", role="colour")])
    (entry,) = lexicon.lookup("navy")
    assert entry.values == ("Blue",)
    assert "navy" in entry.note
    assert entry.score < lexicon.lookup("blue")[0].score


@pytest.mark.parametrize("words", ["dark blue", "Darkblue"])
def test_shades_stand_for_values(words):
    assert meant(SHOP, words) == {"colour": {"Navy Blue"}}


def test_plain_category_stands_alone():
    lexicon = build([facet("kind", "Shoes", "Casual Shoes", role="category")])
    assert meant(lexicon, "shoes") == {"kind": {"Shoes"}}


def test_only_categories_have_heads():
    lexicon = build([facet("brand", "Red Tape", "Blue Tape", role="brand")])
    assert meant(lexicon, "tape") == {}


def test_two_facets_share_a_word():
    lexicon = build(
        [facet("colour", "Coral", "Red", role="colour"), facet("brand", "Coral", role="brand")]
    )
    assert meant(lexicon, "coral") == {"colour": {"Coral"}, "brand": {"Coral"}}


def test_values_with_one_key_join():
    lexicon = build([facet("kind", "T-Shirts", "Tshirts", role="category")])
    assert meant(lexicon, "t-shirt") == {"kind": {"T-Shirts", "Tshirts"}}


def test_common_words_may_be_left_out():
    lexicon = build([facet("level", "Beginner Level", "Middle Level", "Expert Level")])
    assert meant(lexicon, "beginner") == {"level": {"Beginner Level"}}
    assert meant(lexicon, "expert level") == {"level": {"Expert Level"}}


@pytest.mark.parametrize("words", ["books for children", "books for children (ages 3-5)"])
def test_brackets_may_be_left_out(words):
    lexicon = build([facet("kind", "Books for Children (ages 3-5)", role="category")])
    assert meant(lexicon, words) == {"kind": {"Books for Children (ages 3-5)"}}


@pytest.mark.parametrize(("code", "name"), [("en", "English"), ("de", "German"), ("fr", "French")])
def test_language_codes_are_read(code, name):
    lexicon = build([facet("language", code, "spa", role="language")])
    assert meant(lexicon, name) == {"language": {code}}


def test_short_language_codes_are_silent():
    lexicon = build([facet("language", "it", "en", role="language")])
    assert meant(lexicon, "it") == {}


def test_everyday_brand_names_are_unsure():
    occurs = {"target": 1000, "nike": 10}.get
    lexicon = build([facet("brand", "Target", "Nike", role="brand")], lambda word: occurs(word, 0))
    assert all(entry.score < 0.6 for entry in lexicon.lookup("target"))
    assert meant(lexicon, "nike") == {"brand": {"Nike"}}


def test_everyday_brand_stays_when_meant():
    lexicon = build([facet("brand", "Target", "Nike", role="brand")], lambda word: 10)
    assert [entry.score for entry in lexicon.lookup("target")] == [1.0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"coverage": 0.1}, False),
        ({"coverage": 0.1, "role": "brand"}, True),
        ({"kind": "list"}, True),
        ({"kind": "numeric"}, False),
        ({"kind": "date"}, False),
        ({"kind": "boolean"}, False),
    ],
)
def test_rare_attributes_stay_words(change, expected):
    assert is_linked(replace(facet("fit", "Slim", "Wide"), **change)) is expected


def test_meanings_are_sorted_by_score():
    scores = [[entry.score for entry in SHOP.entries[key]] for key in SHOP.entries]
    assert all(own == sorted(own, reverse=True) for own in scores)
    assert all(0 < score <= 1 for own in scores for score in own)


def test_only_catalog_values_are_certain():
    known = {name: {value for value, _ in one.values} for name, one in BY_NAME.items()}
    known |= {"is_paid": {"true", "false"}, "in_stock": {"true", "false"}}
    for key, entries in SHOP.entries.items():
        for entry in entries:
            if not entry.note:
                assert set(entry.values) <= known[entry.facet], key
            assert not set(entry.values) & set(entry.family), key


def test_tokens_count_the_items():
    assert SHOP.tokens["shoe"] == 5
    assert SHOP.tokens["nike"] == 3


def test_empty_catalog_has_no_lexicon():
    assert build([]).entries == {}


def test_odd_values_break_nothing():
    odd = facet("kind", "", "&", "( )", "🙂", "a" * 500, "-", "…", role="category")
    lexicon = build([odd, facet("colour", "☂", "", role="colour")])
    assert "" not in lexicon.entries


def test_kinds_stand_for_their_members():
    values = (("Sneakers", 4), ("Ankle Boots", 2), ("Sandals", 1), ("Belts", 3))
    kinds = Facet("category", "categorical", "category", "category", values=values)
    (entry,) = build((kinds,)).lookup("shoe")
    assert set(entry.values) == {"Sneakers", "Ankle Boots", "Sandals"}


def test_own_category_beats_its_kind():
    values = (("Shoes", 4), ("Sneakers", 2), ("Sandals", 1))
    kinds = Facet("category", "categorical", "category", "category", values=values)
    (entry,) = build((kinds,)).lookup("shoe")
    assert entry.values == ("Shoes",)


def test_kinds_of_materials_stand_for_those_that_exist():
    values = (("polyester", 4), ("wool", 3), ("nylon", 2), ("stainless steel", 1))
    material = Facet("material", "categorical", "material", "material", values=values)
    built = build((material,))
    assert [entry.values for entry in built.lookup("synthetic")] == [("polyester", "nylon")]
    assert built.lookup("wooden") == ()
