"""Makers' names within a sentence: which of its words are the name, and where it is meant."""

import pytest

from agent.linking.linker import Linker
from agent.state import State
from retrieval.catalog import Item
from tests.agent.shop import ITEMS, SHOWN, items_of, open_shop, state_of

MAKERS = ("The Mug Club", "By Nature", "Natures Plus", "Luxor", "Lux", "Savlon", "Go", "Friends",
          "Now", "Faces")  # fmt: skip
MADE = [Item(f"o{i}", "S", "club mug", {"kind": "Mugs", "brand": m}) for i, m in enumerate(MAKERS)]
CREAMS = [Item(f"w{i}", "Cream", "for all faces, now", {"kind": "Faces"}) for i in range(9)]


@pytest.fixture(scope="module")
def linker(tmp_path_factory):
    with open_shop(tmp_path_factory.mktemp("makers"), (*ITEMS, *MADE, *CREAMS)) as shop:
        yield Linker(shop)


@pytest.fixture
def named(linker):
    """Return the brands that an utterance names beside items on the screen."""

    def named(text, *shown):
        state = state_of(slate=[item.id for item in shown]) if shown else State()
        found = linker.link(text, state, shown)
        return [value for m in found if m.facet == "brand" for value in m.values]

    return named


def by(maker):
    return MADE[MAKERS.index(maker)]


@pytest.mark.parametrize(
    ("text", "brands"),
    [
        ("by natures plus", ["Natures Plus"]),
        ("this but not by Natures Plus please", ["Natures Plus"]),
        ("something by nature", ["By Nature"]),
        ("made by lux or savlon", ["Lux", "Savlon"]),
        ("from savlon or luxor", ["Savlon", "Luxor"]),
        ("mugs from go", ["Go"]),
        ("only from go?", ["Go"]),
        ("made by friends, cheaper", ["Friends"]),
    ],
)
def test_makers_are_named_in_full(named, text, brands):
    assert named(text) == brands


@pytest.mark.parametrize(
    "text",
    ["not by the mug club", "nice, but from a brand other than the mug club please",
     "like this but not from The Mug Club and cheaper"],
)  # fmt: skip
def test_name_of_the_maker_is_no_reference(linker, text):
    shown = by("The Mug Club")
    found = linker.link(text, state_of(slate=[shown.id]), [shown])
    assert [m.values for m in found if m.facet == "brand" and m.values] == [("The Mug Club",)]
    assert not [m for m in found if m.kind == "reference" and "mug" in m.text]


def test_description_of_an_item_still_refers(linker):
    shown = by("The Mug Club")
    (found,) = [m for m in linker.link("i like the club mug", state_of(slate=[shown.id]), [shown])
                if m.kind == "reference"]  # fmt: skip
    assert (found.text, found.items) == ("the club mug", (shown.id,))


@pytest.mark.parametrize(
    ("text", "maker"),
    [("like this but no go", "Go"), ("no go and cheaper", "Go"), ("this one, not by go", "Go"),
     ("any brand but go please", "Go"), ("anything but friends", "Friends"),
     ("one like it, not faces?", "Faces")],
)  # fmt: skip
def test_everyday_word_refuses_the_maker_shown(named, text, maker):
    assert named(text, by(maker)) == [maker]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("recommended by friends", ()),
        ("from now on in blue", ()),
        ("by now i know", ()),
        ("no go", ()),
        ("no go", (by("Lux"),)),
        ("no go", (by("Go"), by("Lux"))),
        ("it is a no go area", (by("Go"),)),
        ("let us go", (by("Go"),)),
        ("good for friends", (by("Friends"),)),
    ],
)
def test_everyday_words_stay_words(named, text, shown):
    assert named(text, *shown) == []


def test_two_words_may_spell_one_name(linker):
    shown = items_of(*SHOWN)
    found = linker.link("a t shirt", state_of(slate=SHOWN), shown)
    assert [m.values for m in found if m.kind == "value"] == [("T-Shirts",)]
