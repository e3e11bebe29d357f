"""Detail: the field a question is about."""

import pytest

from agent.rules.cues import mask
from agent.rules.detail import asked_facet
from retrieval.catalog import Facet
from tests.agent.shop import FACETS


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("how much is it?", "price"),
        ("what does it cost", "price"),
        ("what's the price of the second one?", "price"),
        ("what's it made of?", "material"),
        ("what material is it", "material"),
        ("is it in stock?", "in_stock"),
        ("is the first one available?", "in_stock"),
        ("who makes it?", "brand"),
        ("what brand is it", "brand"),
        ("how well is it rated?", "rating"),
        ("how many reviews does it have?", "reviews"),
        ("what colour is it?", "colour"),
        ("how wide is it?", "width_cm"),
        ("when was it published?", "published"),
        ("tell me about it", ""),
        ("is it any use", ""),
    ],
)
def test_questions_name_a_facet(question, expected):
    assert asked_facet(mask(question, []), FACETS) == expected


def test_missing_facet_is_named_by_role():
    assert asked_facet(mask("what's it made of?", []), ()) == "material"


def test_label_words_name_facets_too():
    facets = (Facet("wt", "numeric", "net weight"),)
    assert asked_facet(mask("how heavy is it?", []), facets) == "wt"


def facet(name: str, role=None) -> Facet:
    return Facet(name, "categorical", name.replace("_", " "), role)


def test_the_plainest_name_answers():
    facets = (facet("processing_die_size"), facet("size"))
    assert asked_facet(mask("what size is it?", []), facets) == "size"


def test_another_name_stands_in():
    assert asked_facet(mask("who made it?", []), (facet("title"), facet("authors"))) == "authors"


def test_the_role_goes_before_other_names():
    facets = (facet("designer"), facet("house", "brand"))
    assert asked_facet(mask("who made it?", []), facets) == "house"
