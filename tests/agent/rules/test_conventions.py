"""docs/conventions.md from words to state: link, plan and apply together."""

import pytest

from agent.state import Likeness, Preference, Sorting, State
from retrieval.filters import matches
from tests.agent.shop import ITEMS, SHOWN, bounds, refuses, state_of, wants, wish

SHOES = wish("kind", "Casual Shoes", "Sports Shoes", label="shoes", turn=1)
BLUE = wish("colour", "Blue", family=("Navy Blue",), label="blue", turn=1)
BUDGET = wish("price", high=100.0, label="under 100", turn=1)
WOMEN = wish("gender", "Women", label="women", turn=1)
SHOP = state_of(SHOES, slate=SHOWN)
"""Shoes are on screen: c1 black Puma 80, s1 blue Nike 110, s2 grey Nike 90, c2 navy Puma 45,
s3 black Adidas 120."""


def sums(state):
    """Return values wanted, values excluded and bounds, values as sets."""
    return (
        {facet: set(values) for facet, values in wants(state).items()},
        {facet: set(values) for facet, values in refuses(state).items()},
        bounds(state),
    )


ALL_SHOES = {"Casual Shoes", "Sports Shoes"}
FIRST = [
    # 1. Values
    ("blue t-shirts", {"colour": {"Blue"}, "kind": {"T-Shirts"}}, {}, {}),
    ("show me shoes", {"kind": ALL_SHOES}, {}, {}),
    ("grey sports shoes by nike",
     {"colour": {"Grey"}, "kind": {"Sports Shoes"}, "brand": {"Nike"}}, {}, {}),
    ("something by terry pratchett", {"authors": {"Terry Pratchett"}}, {}, {}),
    ("perfume for my wife", {"kind": {"Perfume & Body Mist"}, "gender": {"Women"}}, {}, {}),
    ("laptops in stock", {"kind": {"Laptops"}, "in_stock": {"true"}}, {}, {}),
    # 3. Either/or
    ("blue or red dresses", {"colour": {"Blue", "Red"}, "kind": {"Dresses"}}, {}, {}),
    ("dresses, either red or green", {"colour": {"Red", "Green"}, "kind": {"Dresses"}}, {}, {}),
    ("nike and puma shoes", {"brand": {"Nike", "Puma"}, "kind": ALL_SHOES}, {}, {}),
    # 4. Negation
    ("shoes, not leather", {"kind": ALL_SHOES}, {"material": {"Leather"}}, {}),
    ("no nike please", {}, {"brand": {"Nike"}}, {}),
    ("anything but blue", {}, {"colour": {"Blue", "Navy Blue"}}, {}),
    ("a dress without linen", {"kind": {"Dresses"}}, {"material": {"Linen"}}, {}),
    ("i hate black shoes", {"kind": ALL_SHOES}, {"colour": {"Black"}}, {}),
    ("no nike or puma", {}, {"brand": {"Nike", "Puma"}}, {}),
    # 5. Numbers
    ("shoes under 60", {"kind": ALL_SHOES}, {}, {"price": (None, 60.0)}),
    ("shoes for 50 euros", {"kind": ALL_SHOES}, {}, {"price": (None, 50.0)}),
    ("dresses between 40 and 60", {"kind": {"Dresses"}}, {}, {"price": (40.0, 60.0)}),
    ("a laptop around 1000", {"kind": {"Laptops"}}, {}, {"price": (800.0, 1200.0)}),
    ("t-shirts from 20", {"kind": {"T-Shirts"}}, {}, {"price": (20.0, None)}),
    ("shoes rated at least 4.5", {"kind": ALL_SHOES}, {}, {"rating": (4.5, None)}),
    ("bookcase max 90 cm wide", {"kind": {"Bookcases"}}, {}, {"width_cm": (None, 90.0)}),
    ("shoes under $60", {"kind": ALL_SHOES}, {}, {"price": (None, 60.0)}),
    ("under fifty bucks", {}, {}, {"price": (None, 50.0)}),
    ("shoes not more than 60 euros", {"kind": ALL_SHOES}, {}, {"price": (None, 60.0)}),
    ("novels under 12 euros rated over 4.5",
     {"kind": {"Novels"}}, {}, {"price": (None, 12.0), "rating": (4.5, None)}),
    # 16. Corrected at once
    ("blue, no wait, red dresses", {"colour": {"Red"}, "kind": {"Dresses"}}, {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted", "excluded", "bounded"), FIRST)
def test_first_request_is_understood(mind, text, wanted, excluded, bounded):
    found = sums(mind.hear(text))
    assert found[:2] == (wanted, excluded)
    assert {name: tuple(map(pytest.approx, pair)) for name, pair in bounded.items()} == found[2]


KIND = {"kind": ALL_SHOES}
LATER = [
    # 3. The same facet again
    ((SHOES, BLUE), "make it red", {**KIND, "colour": {"Red"}}, {}, {}),
    ((SHOES, BLUE), "red instead", {**KIND, "colour": {"Red"}}, {}, {}),
    ((SHOES, BLUE), "or red", {**KIND, "colour": {"Blue", "Red"}}, {}, {}),
    ((SHOES, BLUE), "also in red", {**KIND, "colour": {"Blue", "Red"}}, {}, {}),
    ((SHOES, BLUE), "red is fine too", {**KIND, "colour": {"Blue", "Red"}}, {}, {}),
    ((SHOES, BLUE), "leather", {**KIND, "colour": {"Blue"}, "material": {"Leather"}}, {}, {}),
    # 4. Negation
    ((SHOES, BLUE), "not blue", KIND, {"colour": {"Blue", "Navy Blue"}}, {}),
    ((SHOES, wish("brand", excluded=("Nike",))), "nike is fine too", KIND, {}, {}),
    ((SHOES, wish("brand", excluded=("Nike",))), "actually i want nike",
     {**KIND, "brand": {"Nike"}}, {}, {}),
    ((SHOES, wish("colour", "Blue", "Red")), "no red", {**KIND, "colour": {"Blue"}}, {}, {}),
    # 6. New bounds
    ((SHOES, BUDGET), "under 60", KIND, {}, {"price": (None, 60.0)}),
    ((SHOES, BUDGET), "over 40", KIND, {}, {"price": (40.0, 100.0)}),
    ((SHOES, BUDGET), "at least 200", KIND, {}, {"price": (200.0, None)}),
    ((SHOES, BUDGET), "between 20 and 40", KIND, {}, {"price": (20.0, 40.0)}),
    ((SHOES, BUDGET), "make it 60", KIND, {}, {"price": (None, 60.0)}),
    ((wish("kind", "Bookcases"), wish("width_cm", high=90.0)), "make it 110",
     {"kind": {"Bookcases"}}, {}, {"width_cm": (None, 110.0)}),
    # 8. Lifting
    ((SHOES, BLUE), "any colour", KIND, {}, {}),
    ((SHOES, BLUE), "colour doesn't matter", KIND, {}, {}),
    ((SHOES, BUDGET), "forget the budget", KIND, {}, {}),
    ((SHOES, BUDGET), "price is no issue", KIND, {}, {}),
    ((SHOES, wish("brand", "Nike")), "whatever brand", KIND, {}, {}),
    ((SHOES, wish("colour", excluded=("Black",))), "any colour is fine", KIND, {}, {}),
    ((SHOES, BUDGET), "a bit more expensive is ok", KIND, {}, {}),
    # 9. New need or the same
    ((SHOES, BLUE, BUDGET, WOMEN), "show me dresses",
     {"kind": {"Dresses"}, "gender": {"Women"}}, {}, {}),
    ((SHOES, BLUE, BUDGET), "now i need a laptop", {"kind": {"Laptops"}}, {}, {}),
    ((SHOES, BLUE, BUDGET), "do you have any bookcases?", {"kind": {"Bookcases"}}, {}, {}),
    ((SHOES, BLUE, BUDGET), "i'm looking for red dresses",
     {"kind": {"Dresses"}, "colour": {"Red"}}, {}, {}),
    ((SHOES, BLUE, BUDGET), "what about dresses instead",
     {"kind": {"Dresses"}, "colour": {"Blue"}}, {}, {"price": (None, 100.0)}),
    ((SHOES, BLUE, BUDGET), "same in dresses",
     {"kind": {"Dresses"}, "colour": {"Blue"}}, {}, {"price": (None, 100.0)}),
    ((SHOES, BLUE, BUDGET), "dresses rather",
     {"kind": {"Dresses"}, "colour": {"Blue"}}, {}, {"price": (None, 100.0)}),
    ((SHOES, BLUE, BUDGET), "show me red ones",
     {**KIND, "colour": {"Red"}}, {}, {"price": (None, 100.0)}),
    # 15. Reset with more
    ((SHOES, BLUE), "start over", {}, {}, {}),
    ((SHOES, BLUE), "forget everything, i want a red dress",
     {"kind": {"Dresses"}, "colour": {"Red"}}, {}, {}),
    # 16. Corrections
    ((SHOES, BLUE), "no, i meant red", {**KIND, "colour": {"Red"}}, {}, {}),
    ((SHOES, BLUE), "sorry, dresses", {"kind": {"Dresses"}, "colour": {"Blue"}}, {}, {}),
    # 17. Other talk
    ((SHOES, BLUE), "do you deliver to Spain?", {**KIND, "colour": {"Blue"}}, {}, {}),
    ((SHOES, BLUE), "thanks!", {**KIND, "colour": {"Blue"}}, {}, {}),
    ((SHOES, BLUE), "let me talk to a human", {**KIND, "colour": {"Blue"}}, {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("before", "text", "wanted", "excluded", "bounded"), LATER)
def test_later_turn_is_understood(mind, before, text, wanted, excluded, bounded):
    after = mind.hear(text, state=state_of(*before, slate=SHOWN))
    assert sums(after) == (wanted, excluded, bounded)


def fitting(state):
    """Return the ids of the items that fit the hard constraints."""
    return {item.id for item in ITEMS if matches(state.need.filter(), item)}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["blue shoes"], {"s1"}),
        (["navy shoes"], {"c2"}),
        (["shoes", "not blue"], {"c1", "s2", "s3"}),
        (["waterproof shoes, no hiking"], {"c1", "c2", "s1", "s2"}),
        (["novels not by tolkien"], {"b2", "b3", "b4", "b6"}),
        (["novels by gaiman or pratchett"], {"b2", "b3", "b4"}),
        (["novels published after 1980"], {"b2", "b3", "b4"}),
        (["novels published before 1970"], {"b1", "b6"}),
        (["novels from the 80s"], {"b3"}),
        (["free courses"], {"k2"}),
        (["a dress in maroon or green under 50"], {"d3"}),
        (["bookcases wider than 100 cm"], {"f2"}),
    ],
)
def test_requests_let_the_right_items_through(mind, texts, expected):
    assert fitting(mind.hear(*texts)) == expected


# 2. Words that are no facet's value


@pytest.mark.parametrize(
    ("text", "soft"),
    [("comfy shoes", "comfy"), ("a floral dress", "floral"), ("waterproof shoes", "waterproof")],
)
def test_other_words_are_soft(mind, text, soft):
    need = mind.hear(text).need
    assert soft in " ".join(wish.text for wish in need.preferences)
    assert need.constraint("text") is None


@pytest.mark.parametrize(
    ("text", "word"),
    [("a dress, not floral", "floral"), ("shoes, nothing waterproof", "waterproof")],
)
def test_excluded_words_are_hard(mind, text, word):
    assert refuses(mind.hear(text))["text"] == (word,)


# 7. Relative wishes


@pytest.mark.parametrize(
    ("text", "focus", "bounded"),
    [
        ("cheaper", (), {"price": (None, 45.0)}),
        ("something cheaper", (), {"price": (None, 45.0)}),
        ("cheaper", ("s1",), {"price": (None, 110.0)}),
        ("cheaper than the third one", (), {"price": (None, 90.0)}),
        ("cheaper than the second", ("s2",), {"price": (None, 110.0)}),
        ("more expensive than the first one", (), {"price": (80.0, None)}),
        ("better rated", (), {"rating": (4.8, None)}),
        ("better rated than the first one", (), {"rating": (4.1, None)}),
        ("more popular than the third one", (), {"reviews": (210.0, None)}),
        ("the third one but cheaper", (), {"price": (None, 90.0)}),
    ],
)
def test_relative_wishes_go_beyond(mind, text, focus, bounded):
    after = mind.hear(text, state=SHOP.model_copy(update={"focus": focus}))
    assert bounds(after) == bounded
    own = after.need.constraint(next(iter(bounded)))
    assert own.low_strict or own.high_strict
    assert wants(after) == wants(SHOP)


@pytest.mark.parametrize(
    ("text", "facet", "direction"),
    [
        ("cheapest first", "price", "down"),
        ("show me the cheapest shoes", "price", "down"),
        ("top rated first", "rating", "up"),
        ("sort by price low to high", "price", "down"),
        ("most popular first", "reviews", "up"),
        ("newest novels", "published", "up"),
    ],
)
def test_superlatives_sort(mind, text, facet, direction):
    after = mind.hear(text)
    assert (after.need.sorting.facet, after.need.sorting.direction) == (facet, direction)
    assert bounds(after) == {}


# 9. What a new need drops


def test_new_need_drops_the_rest(mind):
    before = state_of(
        SHOES, BUDGET, WOMEN, slate=SHOWN, like=Likeness(item_id="s1"),
        preferences=(Preference(text="comfy"),), rejected=("c1",),
        sorting=Sorting(facet="price", direction="down"),
    )  # fmt: skip
    need = mind.hear("i'm looking for a dress", state=before).need
    assert {c.facet for c in need.constraints} == {"kind", "gender"}
    assert (need.preferences, need.like, need.sorting) == ((), None, None)


# 10 to 14. Items


@pytest.mark.parametrize(
    ("text", "anchor", "wanted"),
    [
        ("something like the second one", "s1", {}),
        ("something like the second one but red", "s1", {"colour": {"Red"}}),
        ("more like the third one", "s2", {}),
        ("the first one in white", "c1", {"colour": {"White"}}),
        ("similar to the blue one but from adidas", "s1", {"brand": {"Adidas"}}),
        ("like this but in canvas", "c1", {"material": {"Canvas"}}),
    ],
)
def test_likeness_sets_the_anchor(mind, text, anchor, wanted):
    after = mind.hear(text, state=SHOP)
    assert after.need.like.item_id == anchor
    assert sums(after) == ({**KIND, **wanted}, {}, {})


@pytest.mark.parametrize(
    ("text", "wanted", "excluded"),
    [
        ("the same but red", {"colour": {"Red"}}, {}),
        ("the same in grey", {"colour": {"Grey"}}, {}),
        ("same but not nike", {}, {"brand": {"Nike"}}),
        ("nice, but from adidas please", {"brand": {"Adidas"}}, {}),
        ("it's close, but not from nike please", {}, {"brand": {"Nike"}}),
        ("almost, but in black", {"colour": {"Black"}}, {}),
        ("could i see this one in red instead", {"colour": {"Red"}}, {}),
        ("this one not by nike", {}, {"brand": {"Nike"}}),
        ("this one made of canvas", {"material": {"Canvas"}}, {}),
        ("like this but any brand but nike", {}, {"brand": {"Nike"}}),
        ("like this but not in leather instead", {}, {"material": {"Leather"}}),
        ("the same for men and also red", {"gender": {"Men"}, "colour": {"Red"}}, {}),
    ],
)
def test_one_item_in_view_is_meant(mind, text, wanted, excluded):
    after = mind.hear(text, state=state_of(SHOES, slate=SHOWN, focus=("s1",)))
    assert after.need.like is not None
    assert after.need.like.item_id == "s1"
    assert sums(after)[:2] == ({**KIND, **wanted}, excluded)
    assert after.need.preferences == ()


def test_same_of_many_is_no_likeness(mind):
    assert mind.hear("the same but red", state=SHOP).need.like is None


def test_like_keeps_what_was_asked(mind):
    after = mind.hear(
        "like the second but red, under 90", state=state_of(SHOES, BUDGET, slate=SHOWN)
    )
    assert sums(after) == ({**KIND, "colour": {"Red"}}, {}, {"price": (None, 90.0)})


@pytest.mark.parametrize(
    ("text", "selected", "rejected"),
    [
        ("i'll take the first", ("c1",), ()),
        ("perfect, that one", ("c1",), ()),
        ("i'll take the grey one", ("s2",), ()),
        ("not the second one", (), ("s1",)),
        ("hide #3", (), ("s2",)),
        ("none of these", (), SHOWN),
        ("i don't like the first two", (), ("c1", "s1")),
        ("not the second, the third", ("s2",), ("s1",)),
        ("i'll take the ninth one", (), ()),
    ],
)
def test_verdicts_are_kept(mind, text, selected, rejected):
    after = mind.hear(text, state=SHOP)
    assert (after.selected, after.need.rejected) == (selected, rejected)
    assert after.need.constraints == SHOP.need.constraints


@pytest.mark.parametrize(
    ("text", "focus"),
    [
        ("how much is the last one?", ("s3",)),
        ("is the second in stock?", ("s1",)),
        ("why the third one?", ("s2",)),
        ("1 vs 3", ("c1", "s2")),
        ("compare the first two", ("c1", "s1")),
        ("why not the adidas?", ("s3",)),
    ],
)
def test_questions_move_only_the_focus(mind, text, focus):
    after = mind.hear(text, state=SHOP)
    assert (after.focus, after.need) == (focus, SHOP.need)


def test_it_is_what_was_asked_about(mind):
    after = mind.hear("how much is the third one?", "i'll take it", state=SHOP)
    assert after.selected == ("s2",)


def test_verdict_and_wish_in_one_turn(mind):
    after = mind.hear("not the second one, and under 60 please", state=SHOP)
    assert (after.need.rejected, bounds(after)) == (("s1",), {"price": (None, 60.0)})


def test_taken_back_value_is_avoided(mind):
    state = state_of(SHOES, wish("brand", "Nike", label="nike"), slate=SHOWN)
    after = mind.hear("about nike, remove it", state=state)
    assert "Nike" not in wants(after).get("brand", ())
    assert after.need.rejected == ()


@pytest.mark.parametrize(
    "text", ["what's the price?", "what does it cost?", "how much?", "is it in stock?"]
)
def test_question_is_about_the_focus(mind, text):
    state = SHOP.model_copy(update={"focus": ("s2",)})
    after = mind.hear(text, state=state)
    assert (after.focus, after.need) == (("s2",), SHOP.need)
    assert [act.act for act in mind.plan(text, state).acts] == ["detail"]


def test_corrected_reference_likes_again(mind):
    after = mind.hear("like the second one", "no, the third one", state=SHOP)
    assert after.need.like.item_id == "s2"


# A conversation, turn by turn


def test_conversation_ends_as_expected(mind):
    after = mind.hear(
        "hi, i need shoes for men", "under 100 please", "not black", "blue or navy",
        "actually any colour is fine", "but no puma", "ok and cheapest first",
        "now show me dresses for my wife", "red, ideally in linen", "under 60",
    )  # fmt: skip
    assert sums(after) == (
        {"kind": {"Dresses"}, "gender": {"Women"}, "colour": {"Red"}}, {}, {"price": (None, 60.0)},
    )  # fmt: skip
    (soft,) = after.need.preferences
    assert (soft.facet, soft.values) == ("material", ("Linen",))
    assert after.need.sorting is None
    assert after.turn == 10


def test_state_starts_empty(mind):
    assert mind.hear() == State()
