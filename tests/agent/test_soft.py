"""Soft wishes over many turns, docs/conventions.md 18."""

import pytest

from agent.soft import MOST, faded, with_wish
from agent.state import Need, Preference


def said(*texts, start=1):
    return tuple(Preference(text=text, turn=turn) for turn, text in enumerate(texts, start))


def texts(wishes):
    return [wish.text for wish in wishes]


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        ("space opera", "space travel", ["space travel"]),
        ("waterproof boots", "leather boots", ["waterproof", "leather boots"]),
        ("boots", "winter boots", ["winter boots"]),
        ("winter boots", "boots", ["winter", "boots"]),
        ("wine", "wine glasses", ["wine glasses"]),
        ("boots", "boot", ["boot"]),
        ("floral", "elegant", ["floral", "elegant"]),
    ],
)
def test_a_newer_wish_on_the_same_thing_replaces(before, new, after):
    assert texts(with_wish(said(before), Preference(text=new, turn=2))) == after


def test_words_of_one_turn_stand_together():
    wishes = with_wish(said("trail shoes"), Preference(text="trail socks", turn=1))
    assert texts(wishes) == ["trail shoes", "trail socks"]


def test_said_again_is_said_now():
    wishes = with_wish(said("comfy", "warm"), Preference(text="Comfy", turn=9))
    assert [(wish.text, wish.turn) for wish in wishes] == [("comfy", 9), ("warm", 2)]


def test_the_oldest_words_fade_but_the_first():
    old = said("comfy", "warm", "light", "floral", "elegant")
    assert len(old) == MOST
    wishes = with_wish(old, Preference(text="festive", turn=9))
    assert texts(wishes) == ["comfy", "light", "floral", "elegant", "festive"]
    assert texts(faded(Need(preferences=old), Need(preferences=wishes))) == ["warm"]


def test_words_of_one_turn_never_fade_each_other():
    wishes = ()
    for word in ("comfy", "warm", "light", "floral", "elegant", "festive", "soft"):
        wishes = with_wish(wishes, Preference(text=word, turn=3))
    assert len(wishes) == 7


def test_facets_wished_for_do_not_fade():
    grey = Preference(text="grey", facet="colour", values=("Grey",), turn=1)
    wishes = (grey, *said("comfy", "warm", "light", "floral", "elegant", start=2))
    assert grey in with_wish(wishes, Preference(text="festive", turn=9))


def test_what_gave_way_is_not_called_faded():
    before, after = Need(preferences=said("space opera")), Need(preferences=said("space travel"))
    assert faded(before, after) == ()


def test_a_wish_on_a_facet_replaces_unless_it_joins():
    grey = Preference(text="grey", facet="colour", values=("Grey",), turn=1)
    blue = Preference(text="blue", facet="colour", values=("Blue",), turn=2)
    assert with_wish((grey,), blue) == (blue,)
    assert with_wish((grey,), blue, joins=True) == (grey, blue)


@pytest.mark.parametrize(
    ("turns", "left"),
    [
        (("shoes for hiking, waterproof", "forget the waterproof part"), ["hiking"]),
        (("shoes, waterproof", "it doesn't have to be waterproof"), []),
        (("shoes, waterproof", "waterproof doesn't matter"), []),
        (("shoes, ideally grey", "make it black"), []),
        (("shoes, ideally grey", "not grey"), []),
        (("dresses", "nothing floral", "floral is fine"), []),
    ],
)
def test_wishes_are_let_go_of(mind, turns, left):
    state = mind.hear(*turns)
    assert texts(state.need.preferences) == left
    assert all("floral" not in c.excluded for c in state.need.constraints)
