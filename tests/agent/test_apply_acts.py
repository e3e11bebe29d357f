"""Apply: docs/conventions.md as states before and after: needs, items, undo."""

import pytest

from agent.apply import UNDO_DEPTH, apply, with_slate
from agent.plan import Act, Plan
from agent.state import Likeness, Need, Preference, Sorting, State
from tests.agent.saying import (
    ALL,
    BLUE,
    CHEAPER,
    DRESSES,
    EVERY,
    LEATHER,
    NOWHERE,
    RED,
    SECOND,
    THIRD,
    TITLE,
    UNDER_60,
    act,
    mention,
    take,
)
from tests.agent.shop import BY_ID, FACETS, SHOWN, bounds, state_of, wants, wish

BLUE_WISH = wish("colour", "Blue", family=("Navy Blue",))
SHOE_WISH = wish("kind", "Casual Shoes", "Sports Shoes")
SEEN = state_of(SHOE_WISH, slate=SHOWN)


# 9. A new need


def test_new_need_keeps_the_audience():
    state = state_of(
        SHOE_WISH, BLUE_WISH, wish("gender", "Women"), wish("price", high=60.0),
        preferences=(Preference(text="comfy"),), like=Likeness(item_id="c1"),
        sorting=Sorting(facet="price", direction="down"), slate=SHOWN, focus=("c1",),
    )  # fmt: skip
    after = take(state, act("recommend", want=(DRESSES,)))
    assert wants(after) == {"gender": ("Women",), "kind": ("Dresses",)}
    assert (after.need.preferences, after.need.like, after.need.sorting) == ((), None, None)
    assert (after.focus, after.slate, after.shown) == ((), SHOWN, ())


def test_replaced_category_keeps_the_rest():
    state = state_of(SHOE_WISH, BLUE_WISH, wish("price", high=60.0))
    after = take(state, act("refine", want=(DRESSES,)))
    assert wants(after) == {"kind": ("Dresses",), "colour": ("Blue",)}
    assert bounds(after) == {"price": (None, 60.0)}


# 10 to 14. References, likeness, more, verdicts, questions


def test_like_anchors_and_changes():
    state = state_of(SHOE_WISH, wish("price", high=60.0), slate=SHOWN)
    after = take(state, act("like", refs=(SECOND,), want=(RED,)))
    assert after.need.like == Likeness(item_id="s1", changed=("colour",))
    assert wants(after) == {"kind": SHOE_WISH.values, "colour": ("Red",)}
    assert bounds(after) == {"price": (None, 60.0)}
    assert after.focus == ("s1",)


def test_like_alone_only_anchors():
    after = take(SEEN, act("like", refs=(THIRD,)))
    assert after.need == SEEN.need.model_copy(update={"like": Likeness(item_id="s2")})


def test_new_like_replaces_old():
    state = state_of(slate=SHOWN, like=Likeness(item_id="s1", changed=("price",)))
    assert take(state, act("like", refs=(TITLE,))).need.like == Likeness(item_id="b3")


@pytest.mark.parametrize(("focus", "anchor"), [(("s2",), "s2"), ((), "c1")])
def test_like_without_reference(focus, anchor):
    assert take(state_of(slate=SHOWN, focus=focus), act("like")).need.like.item_id == anchor


def test_like_nothing_is_nothing():
    assert take(State(), act("like")).need == Need()


def test_like_cheaper_than_the_anchor():
    after = take(SEEN, act("like", refs=(THIRD,), change=(CHEAPER,)))
    assert bounds(after) == {"price": (None, 90.0)}
    assert after.need.like == Likeness(item_id="s2", changed=("price",))


def test_more_keeps_need_and_shown():
    after = take(SEEN, act("more"))
    assert (after.need, after.shown, after.earlier) == (SEEN.need, SHOWN, ())


@pytest.mark.parametrize(
    ("refs", "focus", "expected"),
    [((SECOND,), (), ("s1",)), ((), ("s2",), ("s2",)), ((), (), ("c1",))],
    ids=["reference", "focus", "first"],
)
def test_select_keeps_the_need(refs, focus, expected):
    after = take(SEEN.model_copy(update={"focus": focus}), act("select", refs=refs))
    assert (after.selected, after.liked, after.focus) == (expected, expected, expected)
    assert after.need == SEEN.need


@pytest.mark.parametrize("name", ["select", "reject", "like"])
def test_verdict_on_nothing_is_none(name):
    after = take(SEEN, act(name, refs=(NOWHERE,)))
    assert (after.selected, after.liked, after.need) == ((), (), SEEN.need)


@pytest.mark.parametrize(
    ("refs", "expected"), [((SECOND,), ("s1",)), ((SECOND, THIRD), ("s1", "s2")), ((ALL,), SHOWN)]
)
def test_reject_hides_the_items(refs, expected):
    after = take(SEEN, act("reject", refs=refs))
    assert after.need.rejected == expected
    assert (after.need.constraints, after.shown) == (SEEN.need.constraints, SHOWN)


def test_reject_takes_verdicts_back():
    state = take(SEEN, act("select", refs=(SECOND,)))
    after = take(state, act("reject", refs=(SECOND,)))
    assert (after.liked, after.selected, after.need.rejected) == ((), (), ("s1",))


@pytest.mark.parametrize("name", ["detail", "explain", "compare"])
def test_questions_move_the_focus(name):
    after = take(SEEN, act(name, refs=(SECOND, THIRD)))
    assert (after.need, after.focus) == (SEEN.need, ("s1", "s2"))
    assert after.turn == SEEN.turn + 1


@pytest.mark.parametrize(
    ("name", "focus", "expected"),
    [("detail", (), ("c1",)), ("explain", ("s2",), ("s2",)), ("compare", (), SHOWN),
     ("compare", ("s1", "s2"), ("s1", "s2"))],
)  # fmt: skip
def test_questions_without_reference(name, focus, expected):
    assert take(SEEN.model_copy(update={"focus": focus}), act(name)).focus == expected


# 15. Undo and reset


def test_undo_takes_the_last_change():
    state = take(take(SEEN, act(want=(BLUE,))), act(want=(UNDER_60,)))
    once = take(state, act("undo"))
    assert (wants(once)["colour"], bounds(once)) == (("Blue",), {})
    assert take(once, act("undo")).need == SEEN.need


def test_undo_passes_over_questions():
    state = take(take(SEEN, act(want=(BLUE,))), act("detail", refs=(SECOND,)))
    assert take(state, act("undo")).need == SEEN.need


def test_undo_at_the_start_is_nothing():
    after = take(State(), act("undo"))
    assert (after.need, after.earlier) == (Need(), ())


def test_undo_takes_back_a_reset():
    assert take(take(SEEN, act("reset")), act("undo")).need == SEEN.need


def test_undo_then_more_wishes():
    state = take(SEEN, act(want=(BLUE,)))
    after = take(state, act("undo"), act(want=(LEATHER,)))
    assert wants(after) == {"kind": SHOE_WISH.values, "material": ("Leather",)}
    assert take(after, act("undo")).need in (SEEN.need, state.need)


def test_undo_depth_is_bounded():
    state = State()
    for turn in range(UNDO_DEPTH + 5):
        state = take(state, act(want=(BLUE if turn % 2 else RED,)))
    assert len(state.earlier) == UNDO_DEPTH


def test_reset_empties_the_need():
    state = state_of(SHOE_WISH, wish("gender", "Women"), slate=SHOWN, focus=("c1",),
                     preferences=(Preference(text="comfy"),), rejected=("s1",))  # fmt: skip
    after = take(state, act("reset"))
    assert (after.need, after.focus, after.shown) == (Need(), (), ())


def test_reset_and_rest_in_one_turn():
    after = take(SEEN, act("reset"), act("recommend", want=(RED, DRESSES)))
    assert wants(after) == {"colour": ("Red",), "kind": ("Dresses",)}
    assert take(after, act("undo")).need == SEEN.need


# 16 and 17. The rest


@pytest.mark.parametrize("name", ["answer", "handoff", "chitchat", "elicit"])
def test_talk_changes_no_need(name):
    after = take(SEEN, act(name))
    assert after == SEEN.model_copy(update={"turn": 1})


def test_asked_facets_are_remembered():
    after = take(take(State(), act("elicit", facet="colour")), act("elicit", facet="colour"))
    assert after.asked == ("colour",)


def test_empty_plan_is_one_turn():
    assert take(SEEN) == SEEN.model_copy(update={"turn": 1})


# The state around the need


def test_changed_need_forgets_the_shown():
    after = take(SEEN, act(want=(BLUE,)))
    assert (after.shown, after.slate) == ((), SHOWN)


def test_slate_joins_the_shown():
    state = with_slate(state_of(slate=("c1", "s1"), focus=("c1",)), ["s1", "s2"])
    assert (state.slate, state.shown, state.focus) == (("s1", "s2"), ("c1", "s1", "s2"), ())


def test_items_gone_are_no_reference():
    state = state_of(slate=("gone", "s2"))
    lost = mention("R9", items=("gone",))
    after = apply(state, Plan(acts=(act("like", refs=(lost,)),), mentions=(lost,)), BY_ID, FACETS)
    assert after.need.like is None
    cheaper = apply(state, Plan(acts=(act(change=(CHEAPER,)),), mentions=EVERY), BY_ID, FACETS)
    assert bounds(cheaper) == {"price": (None, 90.0)}


def test_unknown_mention_is_named():
    with pytest.raises(KeyError, match="V99"):
        apply(State(), Plan(acts=(Act(act="refine", want=("V99",)),)), BY_ID, FACETS)
