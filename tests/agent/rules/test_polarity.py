"""Polarity: what is wanted, excluded, nice to have, or lifted."""

import pytest

from agent.rules.choice import choose
from agent.rules.cues import mask
from agent.rules.polarity import PolarityReader
from agent.rules.request import PlanRequest
from agent.state import State
from tests.agent.shop import FACETS


@pytest.fixture
def polarities(mind):
    """Return the words of an utterance with what each is, in order."""

    def polarities(text):
        request = PlanRequest(text, mind.link(text), State(), (), FACETS)
        mentions = choose(request)
        read = PolarityReader(mask(text, mentions), mentions).read()
        return {m.text.casefold(): read[m.id] for m in mentions if m.id in read}

    return polarities


AVOID = [
    "no {}", "not {}", "without {}", "anything but {}", "except {}", "i hate {}",
    "i don't want {}", "dont want {}", "nothing in {}", "no {} please", "not {} tho",
    "but not {}", "other than {}", "{} is a no-go", "avoid {}", "never {}", "i don't like {}",
    "i can't stand {}", "please exclude {}", "definitely not {}", "rather not {}",
]  # fmt: skip
WANT = [
    "{}", "in {}", "only {}", "i want {}", "make it {}", "it should be {}", "i'd like {}",
    "do you have {}", "just {}", "{} please", "not bad, {}", "no, {}",
    "no problem, {} then", "i love {}",
]  # fmt: skip
PREFER = ["ideally {}", "preferably {}", "{} would be nice", "{} if possible", "{} is a plus"]


@pytest.mark.parametrize("frame", AVOID)
@pytest.mark.parametrize("word", ["leather", "nike"])
def test_negation_excludes(polarities, frame, word):
    assert polarities(frame.format(word))[word] == "avoid"


@pytest.mark.parametrize("frame", WANT)
def test_plain_wishes_are_wanted(polarities, frame):
    assert polarities(frame.format("leather"))["leather"] == "want"


@pytest.mark.parametrize("frame", PREFER)
def test_soft_wishes_are_preferred(polarities, frame):
    assert polarities(frame.format("leather"))["leather"] == "prefer"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red, not blue", {"red": "want", "blue": "avoid"}),
        ("not blue, green", {"blue": "avoid", "green": "want"}),
        ("not blue but green", {"blue": "avoid", "green": "want"}),
        ("no red, blue or green", {"red": "avoid", "blue": "avoid", "green": "avoid"}),
        ("no red or blue", {"red": "avoid", "blue": "avoid"}),
        ("neither red nor blue", {"red": "avoid", "blue": "avoid"}),
        ("red instead of blue", {"red": "want", "blue": "avoid"}),
        ("red rather than blue", {"red": "want", "blue": "avoid"}),
        ("leather, no nike, under 60", {"leather": "want", "nike": "avoid"}),
        ("no nike. i want puma", {"nike": "avoid", "puma": "want"}),
        ("i hate red, give me blue", {"red": "avoid", "blue": "want"}),
        ("anything except linen", {"linen": "avoid"}),
        ("everything but dresses", {"dresses": "avoid"}),
        ("a dress without floral", {"dress": "want", "floral": "avoid"}),
        ("a dress in linen, ideally red", {"dress": "want", "linen": "want", "red": "prefer"}),
        ("no nike t-shirts", {"nike": "avoid", "t-shirts": "want"}),
        ("no red leather shoes", {"red": "avoid", "shoes": "want"}),
        ("no floral dresses", {"floral": "avoid", "dresses": "want"}),
        ("nothing floral or elegant", {"floral": "avoid", "elegant": "avoid"}),
        ("no nike, puma or adidas shoes", {"nike": "avoid", "adidas": "avoid"}),
        ("not black, not white, but red", {"black": "avoid", "white": "avoid", "red": "want"}),
        ("non-leather shoes", {"leather": "avoid", "shoes": "want"}),
        ("leather-free shoes", {"leather": "avoid", "shoes": "want"}),
        ("black or white laptops, not acer", {"black": "want", "white": "want", "acer": "avoid"}),
        ("not too waterproof", {"waterproof": "avoid"}),
    ],
)
def test_clauses_bound_negation(polarities, text, expected):
    found = polarities(text)
    assert {word: found[word] for word in expected} == expected


LIFT = [
    "any {}", "any {} is fine", "{} doesn't matter", "forget the {}", "whatever {}",
    "i don't care about the {}", "no {} preference", "the {} is not important",
    "never mind the {}", "drop the {}", "ignore the {}", "remove the {} filter",
    "{} is no issue", "{} dont matter", "open to any {}", "regardless of {}",
]  # fmt: skip


@pytest.mark.parametrize("frame", LIFT)
@pytest.mark.parametrize("facet", ["colour", "brand"])
def test_facets_are_lifted(polarities, frame, facet):
    assert polarities(frame.format(facet))[facet] == "drop"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("forget the colour and the brand", {"colour": "drop", "brand": "drop"}),
        ("any colour or brand", {"colour": "drop", "brand": "drop"}),
        ("any colour, but nike", {"colour": "drop", "nike": "want"}),
        ("i don't care about the colour, just no nike", {"colour": "drop", "nike": "avoid"}),
        ("the brand doesn't matter if it's leather", {"brand": "drop", "leather": "want"}),
        ("leather isn't a must", {"leather": "drop"}),
        ("it doesn't have to be leather", {"leather": "drop"}),
        ("nike is too expensive", {"nike": "drop"}),
    ],
)
def test_lifting_ends_with_its_clause(polarities, text, expected):
    found = polarities(text)
    assert {word: found.get(word) for word in expected} == expected


@pytest.mark.parametrize("text", ["forget the budget", "price is no issue", "any price"])
def test_price_is_lifted(polarities, text):
    assert set(polarities(text).values()) == {"drop"}


@pytest.mark.parametrize("text", ["what colour is it?", "the price of the laptop", "which brand?"])
def test_naming_a_facet_lifts_nothing(polarities, text):
    assert "drop" not in polarities(text).values()


def test_another_colour_excludes_the_own(polarities):
    assert polarities("the same in a different colour")["colour"] == "avoid"


@pytest.mark.parametrize(
    "text",
    [
        "without brand nike",
        "not in the colour blue",
        "any brand but nike",
        "a brand other than puma",
    ],
)
def test_named_facet_leaves_its_value_excluded(polarities, text):
    assert list(polarities(text).values())[-1] == "avoid"


def test_numbers_are_wanted_bounds(polarities):
    assert polarities("not more than 60 euros")["not more than 60 euros"] == "want"


def test_no_mentions_no_polarity(polarities):
    assert polarities("hello") == {}
