"""References: what they point at on the slate, or in focus."""

import pytest

from agent.state import State
from tests.agent.shop import SHOWN, items_of

SLATE = State(slate=SHOWN, shown=SHOWN)
"""c1 black Puma 80, s1 blue Nike 110, s2 grey Nike 90, c2 navy Puma 45, s3 black Adidas 120."""


@pytest.fixture
def pointed(mind):
    """Return (text, items) of the references of an utterance."""

    def pointed(text, state=SLATE):
        return [(m.text, m.items) for m in mind.link(text, state) if m.kind == "reference"]

    return pointed


ORDINALS = [
    ("the first one", ["c1"]),
    ("i like the second", ["s1"]),
    ("2nd one please", ["s1"]),
    ("show me more like the third one", ["s2"]),
    ("#4", ["c2"]),
    ("number five", ["s3"]),
    ("no 2", ["s1"]),
    ("option 3", ["s2"]),
    ("the last one", ["s3"]),
    ("the 5th", ["s3"]),
    ("the second to last", ["c2"]),
    ("the first two", ["c1", "s1"]),
    ("the last two", ["c2", "s3"]),
    ("top 3", ["c1", "s1", "s2"]),
    ("the first 2 options", ["c1", "s1"]),
]
DESCRIBED = [
    ("the blue one", ["s1"]),
    ("that grey one", ["s2"]),
    ("the adidas one", ["s3"]),
    ("the cheapest one", ["c2"]),
    ("the most expensive one", ["s3"]),
    ("the cheapest of these", ["c2"]),
    ("the black nike one", []),
    ("the leather one", ["c1"]),
    ("the black ones", ["c1", "s3"]),
]


@pytest.mark.parametrize(("text", "expected"), ORDINALS + DESCRIBED)
def test_references_find_their_items(mind, text, expected):
    found = [m for m in mind.link(text, SLATE) if m.kind in ("reference", "item")]
    assert [id for mention in found for id in mention.items] == expected


@pytest.mark.parametrize("text", ["1 vs 3", "compare 1 and 3", "the first or the third?",
                                  "#1 versus #3", "the first and the third one"])  # fmt: skip
def test_two_positions_are_two(pointed, text):
    assert [items for _, items in pointed(text)] == [("c1",), ("s2",)]


@pytest.mark.parametrize(
    ("text", "focus", "expected"),
    [
        ("how much is it?", ("s2",), ("s2",)),
        ("how much is it?", (), ("c1",)),
        ("like this one", ("s2",), ("s2",)),
        ("i'll take that", ("s2",), ("s2",)),
        ("i don't like these", (), SHOWN),
        ("compare them", (), SHOWN),
        ("compare them", ("c1", "s3"), ("c1", "s3")),
        ("none of those", (), SHOWN),
        ("both of them", (), ("c1", "s1")),
        ("all of these", (), SHOWN),
    ],
)
def test_pronouns_mean_the_focus(pointed, text, focus, expected):
    found = pointed(text, State(slate=SHOWN, focus=focus))
    assert expected in [items for _, items in found]


@pytest.mark.parametrize(
    "text",
    [
        "make it blue",
        "keep it under 50",
        "bring it down to 60",
        "can you get it under 30 euros",
        "raise it to 80",
        "forget it",
        "it should be leather",
        "it doesn't matter",
        "first of all, i need shoes",
        "i was here last week",
        "at last",
        "cheapest first",
        "shoes that fit",
        "one more thing",
        "the first time i run",
        "no first class please",
    ],
)
def test_everyday_words_point_nowhere(pointed, text):
    assert pointed(text) == []


@pytest.mark.parametrize("text", ["the seventh one", "#9", "number 8", "the 6th"])
def test_positions_outside_are_said(mind, text):
    (mention,) = [m for m in mind.link(text, SLATE) if m.kind == "reference"]
    assert mention.items == ()
    assert "slate of 5" in mention.note


@pytest.mark.parametrize("text", ["the second one", "#3", "this one", "the last two"])
def test_no_slate_no_items(pointed, text):
    assert [items for _, items in pointed(text, State())] == [()]


@pytest.mark.parametrize("text", ["the black one", "the cheapest one"])
def test_no_slate_describes_nothing(pointed, text):
    assert [items for _, items in pointed(text, State()) if items] == []


def test_singular_description_picks_first(pointed):
    assert pointed("the black one") == [("the black one", ("c1",))]


def test_description_of_all_needs_noun(pointed):
    assert pointed("the shoes") == []


def test_it_follows_what_was_named(pointed):
    found = pointed("i like the second one, is it waterproof?", State(slate=SHOWN, focus=("s3",)))
    assert found == [("the second one", ("s1",)), ("it", ("s1",))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("the first one", ("c1",)), ("the third one", ("s2",)), ("the last one", ("c2",))],
)
def test_deleted_items_keep_positions(mind, text, expected):
    state = State(slate=("c1", "gone", "s2", "c2"))
    (mention,) = mind.linker.link(text, state, items_of("c1", "s2", "c2"))
    assert mention.items == expected


def test_slate_may_be_gone_altogether(mind):
    state = State(slate=("gone", "lost"))
    (mention,) = mind.linker.link("the second one", state, ())
    assert mention.items in (("lost",), ())
