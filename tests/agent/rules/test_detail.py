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
