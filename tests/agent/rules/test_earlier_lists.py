"""Slates before the present one, docs/conventions.md 15: going back to them, items of them."""

import pytest

from agent.apply import LISTS, with_slate
from agent.linking.earlier import EARLIER
from agent.state import State
from tests.agent.shop import SHOWN, bounds, meant, wants

SECOND, THIRD = ("c2", "c1"), ("s1", "s2")


@pytest.fixture
def shown(mind):
    """Three slates: shoes, those under 100, then blue ones at any price."""
    state = with_slate(mind.hear("shoes"), SHOWN)
    state = with_slate(mind.hear("under 100", state=state), SECOND)
    return with_slate(mind.hear("any price, blue", state=state), THIRD)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("go back to the first list", SHOWN),
        ("back to what you showed me at the start", SHOWN),
        ("show me the original results again", SHOWN),
        ("two lists ago please", SHOWN),
        ("page 1", SHOWN),
        ("the previous list", SECOND),
        ("the list before that", SECOND),
        ("show me the earlier ones", SECOND),
        ("one list back", SECOND),
        ("the second list", SECOND),
        ("seven lists ago", SHOWN),
    ],
)
def test_a_list_named_is_gone_back_to(mind, shown, text, items):
    plan = mind.plan(text, shown)
    assert [act.act for act in plan.acts] == ["undo"]
    assert meant(plan) == set(items)
    assert plan.mention(plan.acts[0].refs[0]).note == EARLIER


def test_going_back_restores_what_was_wanted_then(mind, shown):
    first = mind.hear("go back to the first list", state=shown)
    assert (bounds(first), wants(first).get("colour")) == ({}, None)
    previous = mind.hear("the previous list", state=shown)
    assert bounds(previous) == {"price": (None, 100)}


def test_going_back_can_be_undone(mind, shown):
    after = mind.hear("go back to the first list", "undo", state=shown)
    assert after.need == shown.need


def test_going_back_twice_goes_further(mind, shown):
    once = with_slate(mind.hear("the previous list", state=shown), SECOND)
    twice = mind.plan("the previous list", once)
    assert meant(twice) == set(SHOWN)


def test_what_was_hidden_since_stays_hidden(mind, shown):
    after = mind.hear("hide the first one", "go back to the first list", state=shown)
    assert after.need.rejected == ("s1",)


def test_wishes_beside_apply_to_the_list(mind, shown):
    after = mind.hear("back to the first list but cheaper", state=shown)
    assert bounds(after) == {"price": (None, 45)}
    assert "colour" not in wants(after)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("i'll take the second one from the first list", "s1"),
        ("how much is number 3 of the first list", "s2"),
        ("from the first list, the last one", "s3"),
        ("the cheapest one in the first list", "c2"),
        ("the grey one you showed me at the start", "s2"),
        ("the first one of the previous list", "c2"),
        ("the first one from before", "c2"),
    ],
)
def test_an_item_of_an_earlier_list_is_meant(mind, shown, text, item):
    plan = mind.plan(text, shown)
    assert meant(plan) == {item}
    assert plan.acts[0].act != "undo"


def test_items_of_two_lists_are_compared(mind, shown):
    plan = mind.plan("compare the second one with the first one from the first list", shown)
    assert (plan.acts[0].act, meant(plan)) == ("compare", {"s2", "c1"})


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("i take the one before the last one", {"c2"}),
        ("the one right after the blue one", {"s2"}),
        ("how much is the one below the grey one?", {"c2"}),
        ("the one before the first one", set()),
    ],
)
def test_the_neighbour_of_an_item_is_meant(mind, text, items):
    assert meant(mind.plan(text, with_slate(State(), SHOWN))) == items


def test_without_lists_an_undo_stays_one(mind):
    plan = mind.plan("show me the earlier ones", mind.hear("shoes", "blue"))
    assert [(act.act, act.refs) for act in plan.acts] == [("undo", ())]


def test_the_first_list_is_never_forgotten():
    state = with_slate(State(), ("first",))
    for number in range(3 * LISTS):
        state = with_slate(state, (f"s{number}",))
    assert len(state.lists) == LISTS
    assert (state.lists[0].items, state.lists[-1].items) == (("first",), (f"s{3 * LISTS - 1}",))


def test_an_empty_slate_is_no_list():
    assert with_slate(State(), ()).lists == ()
