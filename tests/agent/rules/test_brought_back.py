"""Hidden items that are wanted again, docs/conventions.md 13."""

import pytest

from agent.apply import with_slate
from tests.agent.shop import SHOWN, bounds


@pytest.fixture
def hidden(mind):
    """Shoes on show, of which the first (black, Puma) and then the third (grey) was hidden."""
    state = with_slate(mind.hear("shoes"), SHOWN)
    state = with_slate(mind.hear("hide the first one", state=state), SHOWN[1:])
    return with_slate(mind.hear("not the grey one", state=state), ("s1", "c2", "s3"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("bring it back", ("c1",)),
        ("show that one again", ("c1",)),
        ("can i have it back", ("c1",)),
        ("unhide it please", ("c1",)),
        ("the one i just hid, show it again", ("c1",)),
        ("i want the black one back", ("s2",)),
        ("bring the Puma Ignite Loafers back", ("s2",)),
        ("bring back everything i hid", ()),
        ("show the hidden ones", ()),
    ],
)
def test_hidden_items_are_shown_again(mind, hidden, text, left):
    assert hidden.need.rejected == ("c1", "s2")
    assert mind.hear(text, state=hidden).need.rejected == left


def test_a_place_is_that_of_the_list_it_was_on(mind, hidden):
    assert mind.hear("bring back the second one", state=hidden).need.rejected == ("c1",)


def test_what_was_hidden_together_comes_back_together(mind):
    state = with_slate(mind.hear("shoes"), SHOWN)
    state = mind.hear("hide the last one", "hide the first two", state=state)
    assert mind.hear("bring them back", state=state).need.rejected == ("s3",)


def test_wishes_beside_are_kept(mind, hidden):
    after = mind.hear("bring it back, and only under 100", state=hidden)
    assert (after.need.rejected, bounds(after)) == (("c1",), {"price": (None, 100)})


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("can i bring it back if it doesn't fit?", "answer"),
        ("don't bring it back", "answer"),
        ("how much is it?", "detail"),
    ],
)
def test_other_talk_brings_nothing_back(mind, hidden, text, act):
    plan = mind.plan(text, hidden)
    assert [one.act for one in plan.acts] == [act]
    assert mind.hear(text, state=hidden).need.rejected == ("c1", "s2")


def test_with_nothing_hidden_it_is_the_shops(mind):
    state = with_slate(mind.hear("shoes"), SHOWN)
    assert [act.act for act in mind.plan("can i bring it back?", state).acts] == ["answer"]


def test_an_item_looked_at_since_is_shown_again_not_unhidden(mind, hidden):
    looked = mind.hear("how much is the first one?", state=hidden)
    assert mind.hear("show it again", state=looked).need.rejected == ("c1", "s2")
