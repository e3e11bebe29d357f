"""Undo, docs/conventions.md 15: the last change is taken back, talk in between is none."""

import pytest

from tests.agent.shop import SHOWN, state_of, wish

SHOP = state_of(wish("kind", "Casual Shoes", "Sports Shoes", label="shoes", turn=1), slate=SHOWN)


@pytest.mark.parametrize(
    "text",
    [
        "undo",
        "go back",
        "never mind that",
        "scratch that",
        "as before",
        "i want what i saw before",
        "show me the earlier ones",
        "back to what you showed me before",
    ],
)
def test_undo_takes_the_last_change(mind, text):
    assert mind.hear("make it blue", text, state=SHOP).need == SHOP.need


def test_undo_goes_step_by_step(mind):
    after = mind.hear("blue shoes", "under 60", "not leather", "undo", "undo")
    assert after.need == mind.hear("blue shoes").need


@pytest.mark.parametrize("text", ["more", "thanks", "how much is the first one?", "hello", "why?"])
def test_talk_in_between_is_no_change(mind, text):
    after = mind.hear("blue", text, "undo", state=SHOP)
    assert after.need == SHOP.need
