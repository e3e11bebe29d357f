"""Which of the pages that were offered is meant."""

import pytest

from agent.service.choosing import choose, listed
from agent.service.values import Offer

OFFERS = (
    Offer(id="r#1", title="How long can I return something?", question="send back later"),
    Offer(id="r#2", title="What does a return cost?", question="send back later"),
    Offer(id="d#4", title="Delivery abroad", question="send back later"),
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1", 0), ("the first one please", 0), ("number 2", 1), ("the 2nd", 1), ("last one", 2),
        ("yes, the third", 2), ("#3", 2), ("it's the second one, thanks", 1),
        ("delivery abroad", 2), ("what does a return cost?", 1), ("cost", 1), ("abroad?", 2),
    ],
)  # fmt: skip
def test_a_page_is_chosen(text, place):
    assert choose(OFFERS, text) == OFFERS[place]


@pytest.mark.parametrize("text", ["yes", "sure", "yes please", "return"])
def test_one_of_several_is_not_guessed(text):
    assert choose(OFFERS, text) in ("which", None)


def test_yes_to_the_only_page_chooses_it():
    assert choose(OFFERS[:1], "yes") == OFFERS[0]
    assert choose(OFFERS[:1], "the third") == "which"


@pytest.mark.parametrize("text", ["no", "none of them", "neither", "no, none of these", "nope"])
def test_none_of_them_is_heard(text):
    assert choose(OFFERS, text) == "none"


@pytest.mark.parametrize(
    "text", ["show me red dresses", "no idea what you mean by that", "hm", "", "do you ship it?"]
)
def test_anything_else_is_no_choice(text):
    assert choose(OFFERS, text) is None
    assert choose((), "1") is None


def test_pages_are_listed_with_numbers():
    assert listed(OFFERS[1:]) == "1. What does a return cost? 2. Delivery abroad"
    assert listed(OFFERS[:0:-1]) == "1. Delivery abroad; 2. What does a return cost?"
