"""Apply: docs/conventions.md as states before and after: wishes."""

import pytest

from agent.apply import apply
from agent.plan import Plan
from agent.state import Likeness, Preference, Sorting, State
from retrieval.catalog import Facet
from tests.agent.saying import (
    BETTER,
    BLUE,
    CHEAPER,
    CHEAPEST,
    COLOUR,
    COMFY,
    DRESSES,
    EVERY,
    FLORAL,
    GAIMAN,
    LEATHER,
    NEWER,
    OVER_40,
    OVER_90,
    PRICE,
    RANGE,
    RED,
    SECOND,
    SHOES,
    SINCE_1990,
    THE_ORDER,
    THIRD,
    TOLKIEN,
    UNDER_60,
    WIDER,
    act,
    mention,
    take,
)
from tests.agent.shop import BY_ID, FACETS, SHOWN, bounds, refuses, state_of, wants, wish

BLUE_WISH = wish("colour", "Blue", family=("Navy Blue",))
SHOE_WISH = wish("kind", "Casual Shoes", "Sports Shoes")
SEEN = state_of(SHOE_WISH, slate=SHOWN)


# 1. Values


def test_values_become_hard_wishes():
    after = take(State(), act("recommend", want=(BLUE, SHOES)))
    assert wants(after) == {"colour": ("Blue",), "kind": ("Casual Shoes", "Sports Shoes")}
    assert after.need.constraint("colour").family == ("Navy Blue",)
    assert after.need.constraint("colour").role == "colour"


def test_excluding_is_wide():
    after = take(State(), act(avoid=(BLUE,)))
    assert refuses(after) == {"colour": ("Blue", "Navy Blue")}


@pytest.mark.parametrize(
    ("before", "parts", "label"),
    [
        (State(), {"want": (BLUE,)}, "blue"),
        (state_of(wish("colour", "Red", label="red")), {"want": (BLUE,)}, "blue"),
        (state_of(wish("colour", "Red", label="red")), {"want": (BLUE,), "join": "add"},
         "red or blue"),
        (State(), {"avoid": (BLUE,)}, "not blue"),
        (state_of(wish("colour", "Blue", "Red", label="red")), {"avoid": (BLUE,)}, "red"),
    ],
)  # fmt: skip
def test_labels_are_the_users_words(before, parts, label):
    assert take(before, act(**parts)).need.constraint("colour").label == label


GROUPED = (*FACETS, Facet("group", "categorical", "group", "category", values=(("Footwear", 5),)))
FOOTWEAR = mention("V9", facet="group", values=("Footwear",))


def grouped(state, *wanted):
    """Return the state after wishes in a store with two category facets."""
    plan = Plan(acts=(act(want=wanted),), mentions=(*EVERY, FOOTWEAR))
    return apply(state, plan, BY_ID, GROUPED)


def test_new_category_replaces_the_broader():
    assert wants(grouped(grouped(State(), FOOTWEAR, BLUE), DRESSES)) == {
        "colour": ("Blue",),
        "kind": ("Dresses",),
    }


def test_two_categories_at_once_stay():
    assert wants(grouped(State(), FOOTWEAR, SHOES)) == {
        "group": ("Footwear",),
        "kind": ("Casual Shoes", "Sports Shoes"),
    }


# 2. Words that are no value


@pytest.mark.parametrize("word", [COMFY, FLORAL], ids=["unknown", "keyword"])
def test_wanted_words_are_soft(word):
    after = take(State(), act("recommend", want=(word,)))
    assert [p.text for p in after.need.preferences] == [word.values[0]]
    assert after.need.constraints == ()


@pytest.mark.parametrize("word", [COMFY, FLORAL], ids=["unknown", "keyword"])
def test_excluded_words_are_hard(word):
    after = take(State(), act(avoid=(word,)))
    assert refuses(after) == {"text": word.values}


def test_excluding_a_soft_word_unwishes_it():
    after = take(State(), act("recommend", want=(FLORAL,)), act(avoid=(FLORAL,)))
    assert after.need.preferences == ()
    assert refuses(after) == {"text": ("floral",)}


def test_wanting_an_excluded_word_lifts_it():
    after = take(take(State(), act(avoid=(FLORAL,))), act(want=(FLORAL,)))
    assert refuses(after) == {}
    assert [p.text for p in after.need.preferences] == ["floral"]


def test_own_words_are_soft():
    after = take(State(), act("recommend", text="for a rainy day"))
    assert [p.text for p in after.need.preferences] == ["for a rainy day"]


def test_preferred_values_are_soft():
    after = take(State(), act(prefer=(RED, UNDER_60, OVER_40, COMFY)))
    assert after.need.constraints == ()
    red, cheap, dear, comfy = after.need.preferences
    assert (dear.facet, dear.low, dear.high) == ("price", 40.0, None)
    assert (red.facet, red.values) == ("colour", ("Red",))
    assert (cheap.facet, cheap.high) == ("price", 60.0)
    assert comfy.text == "comfy"


def test_preferred_dates_keep_their_bound():
    after = take(State(), act(prefer=(SINCE_1990,)))
    (wished,) = after.need.preferences
    assert (wished.facet, wished.low) == ("published", "1990-01-01")


# 3. The same facet again


def test_same_facet_again_replaces():
    after = take(state_of(BLUE_WISH), act(want=(RED,)))
    assert wants(after) == {"colour": ("Red",)}
    assert after.need.constraint("colour").family == ("Maroon",)


def test_added_value_joins():
    after = take(state_of(BLUE_WISH), act(want=(RED,), join="add"))
    assert wants(after) == {"colour": ("Blue", "Red")}


def test_two_values_at_once_join():
    after = take(State(), act("recommend", want=(BLUE, RED)))
    assert wants(after) == {"colour": ("Blue", "Red")}


def test_other_facets_stay():
    after = take(state_of(BLUE_WISH, SHOE_WISH), act(want=(LEATHER,)))
    assert set(wants(after)) == {"colour", "kind", "material"}


# 4. Negation


def test_excluding_the_wanted_removes_it():
    after = take(state_of(BLUE_WISH), act(avoid=(BLUE,)))
    assert wants(after) == {}
    assert refuses(after) == {"colour": ("Blue", "Navy Blue")}


def test_excluding_one_of_two_keeps_other():
    after = take(state_of(wish("colour", "Blue", "Red")), act(avoid=(BLUE,)))
    assert wants(after) == {"colour": ("Red",)}


def test_wanting_the_excluded_lifts_it():
    after = take(state_of(wish("colour", excluded=("Blue", "Navy Blue"))), act(want=(BLUE,)))
    assert wants(after) == {"colour": ("Blue",)}
    assert "Blue" not in refuses(after).get("colour", ())


def test_not_this_but_that():
    after = take(State(), act("recommend", want=(RED,), avoid=(BLUE,)))
    assert wants(after) == {"colour": ("Red",)}


def test_excluded_category_beside_another():
    after = take(state_of(SHOE_WISH), act(avoid=(DRESSES,)))
    assert wants(after) == {"kind": SHOE_WISH.values}
    assert refuses(after) == {"text": ("dresses",)}


def test_excluded_category_alone():
    assert refuses(take(State(), act(avoid=(DRESSES,)))) == {"kind": ("Dresses",)}
    assert refuses(take(state_of(SHOE_WISH), act(avoid=(SHOES,)))) == {"kind": SHOE_WISH.values}


def test_list_facets_keep_exclusions():
    after = take(State(), act("recommend", want=(GAIMAN,), avoid=(TOLKIEN,)))
    assert (wants(after), refuses(after)) == (
        {"authors": ("Neil Gaiman",)},
        {"authors": ("J.R.R. Tolkien",)},
    )


def test_excluded_items_are_rejected():
    assert take(SEEN, act(avoid=(SECOND,))).need.rejected == ("s1",)


def test_another_colour_excludes_the_references():
    state = state_of(slate=SHOWN, like=Likeness(item_id="s1"))
    assert refuses(take(state, act(avoid=(COLOUR,)))) == {"colour": ("Blue",)}


def test_another_colour_than_nothing():
    assert take(State(), act(avoid=(COLOUR,))).need == State().need


# 5 and 6. Numbers and new bounds


@pytest.mark.parametrize(
    ("before", "said", "expected"),
    [
        ({}, UNDER_60, (None, 60.0)),
        ({}, OVER_40, (40.0, None)),
        ({}, RANGE, (20.0, 40.0)),
        ({"high": 100.0}, UNDER_60, (None, 60.0)),
        ({"low": 40.0}, UNDER_60, (40.0, 60.0)),
        ({"low": 40.0, "high": 100.0}, UNDER_60, (40.0, 60.0)),
        ({"low": 80.0}, UNDER_60, (None, 60.0)),
        ({"low": 80.0, "high": 100.0}, UNDER_60, (None, 60.0)),
        ({"high": 60.0}, OVER_40, (40.0, 60.0)),
        ({"high": 60.0}, OVER_90, (90.0, None)),
        ({"low": 40.0, "high": 60.0}, OVER_90, (90.0, None)),
        ({"low": 60.0, "high": 100.0}, RANGE, (20.0, 40.0)),
    ],
)
def test_bounds_replace_or_agree(before, said, expected):
    state = state_of(wish("price", **before)) if before else State()
    assert bounds(take(state, act(want=(said,)))) == {"price": expected}


def test_clashing_bounds_of_one_turn_stay():
    clash = take(State(), act(want=(UNDER_60, OVER_90)))
    assert bounds(clash) == {"price": (90.0, 60.0)}
    assert bounds(take(clash, act(want=(RANGE,)))) == {"price": (20.0, 40.0)}


def test_date_bounds_work_alike():
    state = state_of(wish("published", high="2000-12-31"))
    assert bounds(take(state, act(want=(SINCE_1990,)))) == {
        "published": ("1990-01-01", "2000-12-31")
    }


def test_avoided_bound_turns_around():
    assert bounds(take(State(), act(avoid=(UNDER_60,)))) == {"price": (60.0, None)}
    assert bounds(take(State(), act(avoid=(OVER_40,)))) == {"price": (None, 40.0)}


# 7. Relative wishes and orders


@pytest.mark.parametrize(
    ("focus", "refs", "high"),
    [((), (THIRD,), 90.0), (("s1",), (), 110.0), ((), (), 45.0), (SHOWN[:2], (), 45.0),
     (("s1",), (THIRD,), 90.0)],
    ids=["reference", "focus", "slate", "several in focus", "reference over focus"],
)  # fmt: skip
def test_cheaper_than_what(focus, refs, high):
    after = take(state_of(slate=SHOWN, focus=focus), act(change=(CHEAPER,), refs=refs))
    own = after.need.constraint("price")
    assert (own.low, own.high, own.high_strict) == (None, high, True)


@pytest.mark.parametrize(
    ("change", "slate", "facet", "low"),
    [
        (BETTER, SHOWN, "rating", 4.8),
        (WIDER, ("f1", "l1"), "width_cm", 80.0),
        (NEWER, ("b2", "b3"), "published", "1990-05-01"),
    ],
)
def test_more_is_beyond_every_item(change, slate, facet, low):
    after = take(state_of(slate=slate), act(change=(change,)))
    own = after.need.constraint(facet)
    assert (own.low, own.high, own.low_strict) == (low, None, True)


def test_relative_without_items_sorts():
    after = take(State(), act("recommend", change=(CHEAPER,)))
    assert (bounds(after), after.need.sorting.facet) == ({}, "price")
    assert after.need.sorting.direction == "down"


def test_relative_keeps_agreeing_bound():
    state = state_of(wish("price", low=30.0), slate=SHOWN)
    assert bounds(take(state, act(change=(CHEAPER,), refs=(THIRD,)))) == {"price": (30.0, 90.0)}


def test_relative_drops_disagreeing_bound():
    state = state_of(wish("price", low=100.0), slate=SHOWN)
    assert bounds(take(state, act(change=(CHEAPER,), refs=(THIRD,)))) == {"price": (None, 90.0)}


def test_wanted_relative_is_a_change():
    wanted = take(state_of(slate=SHOWN), act(want=(CHEAPER,)))
    assert wanted == take(state_of(slate=SHOWN), act(change=(CHEAPER,)))


def test_an_order_is_named_by_its_field(mind):
    assert mind.hear("shoes", "sort by rating").need.sorting.label == "rating"


def test_superlatives_sort_only():
    after = take(SEEN, act(change=(CHEAPEST,)))
    assert after.need.sorting == Sorting(facet="price", direction="down", label="cheapest")
    assert after.need.constraints == SEEN.need.constraints


# 8. Lifting


def test_lifting_takes_the_whole_facet():
    state = state_of(
        SHOE_WISH, wish("price", low=20.0, high=60.0),
        sorting=Sorting(facet="price", direction="down"),
        preferences=(Preference(text="cheap", facet="price"), Preference(text="comfy")),
    )  # fmt: skip
    after = take(state, act(drop=(PRICE,)))
    assert after.need.constraints == (SHOE_WISH,)
    assert after.need.sorting is None
    assert [p.text for p in after.need.preferences] == ["comfy"]


def test_lifting_exclusions_too():
    state = state_of(wish("colour", excluded=("Blue", "Navy Blue")), SHOE_WISH)
    assert take(state, act(drop=(COLOUR,))).need.constraints == (SHOE_WISH,)


def test_lifting_a_value_keeps_others():
    state = state_of(wish("colour", "Blue", "Red"))
    assert wants(take(state, act(drop=(RED,)))) == {"colour": ("Blue",)}


def test_lifting_words_forgets_them():
    state = state_of(preferences=(Preference(text="comfy"), Preference(text="floral")))
    assert [p.text for p in take(state, act(drop=(COMFY,))).need.preferences] == ["floral"]


def test_order_may_be_lifted():
    state = state_of(SHOE_WISH, sorting=Sorting(facet="price", direction="down"))
    after = take(state, act(drop=(THE_ORDER,)))
    assert (after.need.sorting, after.need.constraints) == (None, (SHOE_WISH,))


def test_lifting_what_is_not_there():
    assert take(SEEN, act(drop=(COLOUR,))).need == SEEN.need
