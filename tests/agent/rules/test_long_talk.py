"""Turns of longer conversations, said as people of many kinds say them."""

import pytest

from agent.apply import with_slate
from agent.state import State
from tests.agent.shop import SHOWN, bounds, meant, refuses, state_of, wants, wish

SHOP = with_slate(
    state_of(wish("kind", "Casual Shoes", "Sports Shoes", label="shoes", turn=1)), SHOWN
)


def acts(mind, text, state=SHOP):
    return [act.act for act in mind.plan(text, state).acts]


def soft(state):
    return [(p.text, p.values) for p in state.need.preferences]


@pytest.mark.parametrize(
    "text",
    ["i don't want anything but leather", "nothing but leather", "nothing except leather please",
     "not not leather"],
)  # fmt: skip
def test_two_denials_are_a_wish(mind, text):
    state = mind.hear(text, state=SHOP)
    assert (wants(state).get("material"), refuses(state)) == (("Leather",), {})


@pytest.mark.parametrize("text", ["anything but leather", "not leather", "stop showing me leather"])
def test_one_denial_stays_one(mind, text):
    assert refuses(mind.hear(text, state=SHOP)) == {"material": ("Leather",)}


def test_older_than_a_year_is_before_it(mind):
    assert bounds(mind.hear("novels older than 1970"))["published"] == (None, "1970-12-31")


def test_older_than_a_few_years_is_an_age(mind):
    assert "published" not in bounds(mind.hear("something for children older than 5"))


@pytest.mark.parametrize(
    ("text", "kept"), [("not too formal", "casual"), ("nothing too heavy", "light")]
)
def test_not_too_much_asks_for_less(mind, text, kept):
    state = mind.hear(text, state=SHOP)
    assert (soft(state), refuses(state)) == ([(kept, ())], {})


def test_what_was_said_just_before_is_taken_back(mind):
    state = mind.hear("something squeaky", "actually no, bouncy")
    assert soft(state) == [("bouncy", ())]


def test_words_said_earlier_are_not_taken_back(mind):
    state = mind.hear("something floral", "under 60", "actually no, formal")
    assert [text for text, _ in soft(state)] == ["floral", "formal"]


def test_what_is_told_of_ones_own_things_is_no_wish(mind):
    state = mind.hear("shoes, grey would be good, or maybe blue, the walls are white you know")
    assert wants(state) == {"kind": ("Sports Shoes", "Casual Shoes")}
    assert {value for _, values in soft(state) for value in values} == {"Grey", "Blue"}


def test_a_bound_is_widened_beside(mind):
    assert bounds(mind.hear("budget is 70 but 90 is ok too", state=SHOP)) == {"price": (None, 90)}


def test_a_story_is_not_searched_for(mind):
    text = ("we moved last month and my sister said hello, i need shoes for running, "
            "we saw a film there, breathable ones")  # fmt: skip
    texts = [text for text, _ in soft(mind.hear(text))]
    assert texts == ["running", "breathable"]


def test_what_something_is_for_is_not_what_is_wanted(mind):
    state = mind.hear("t-shirts for my laptop")
    assert (wants(state), soft(state)) == ({"kind": ("T-Shirts",)}, [("laptop", ())])


def test_something_to_go_with_it_is_a_new_need(mind):
    state = mind.hear("what about a dress to go with it", state=mind.hear("under 60", state=SHOP))
    assert (wants(state), bounds(state)) == ({"kind": ("Dresses",)}, {})


def test_a_superlative_stays_beside_its_bound(mind):
    state = mind.hear("the most expensive under 100", state=SHOP)
    assert (state.need.sorting.direction, bounds(state)) == ("up", {"price": (None, 100)})


def test_cheaper_never_widens_the_bound(mind):
    tight = mind.hear("under 20", state=SHOP)
    assert bounds(mind.hear("cheaper", state=tight)) == {"price": (None, 20)}


def test_the_last_colour_said_holds(mind):
    state = mind.hear("white. no, black. or wait, white", state=SHOP)
    assert wants(state)["colour"] == ("White",)


@pytest.mark.parametrize(
    ("text", "act", "facet"),
    [
        ("is the second one wide?", "detail", "width_cm"),
        ("rating?", "detail", "rating"),
        ("how much is the one after the cheapest", "detail", "price"),
        ("whichever you'd pick", "explain", ""),
        ("he already has the first one", "reject", ""),
        ("👎 1", "reject", ""),
        ("🔙", "undo", ""),
        ("what have i told you", "chitchat", ""),
    ],
)
def test_acts_as_people_say_them(mind, text, act, facet):
    plan = mind.plan(text, SHOP)
    assert [(one.act, one.facet) for one in plan.acts] == [(act, facet)]


def test_what_something_contains_is_asked_of_its_text(mind):
    (act,) = mind.plan("does the first one contain leather?", SHOP).acts
    assert (act.act, act.facet, act.text) == ("detail", "", "leather")


def test_years_are_no_places_on_the_list(mind):
    assert meant(mind.plan("from the last 5 years", SHOP)) == set()


def test_some_of_them_are_of_what_is_spoken_of(mind):
    state = SHOP.model_copy(update={"focus": ("s2",)})
    assert meant(mind.plan("add 3 of them to my cart", state)) == {"s2"}


def test_mistyped_denials_deny(mind):
    assert refuses(mind.hear("wihtout lether", state=SHOP)) == {"material": ("Leather",)}


def test_words_written_together_are_understood(mind):
    state = mind.hear("blackshoes under60")
    assert (wants(state)["colour"], bounds(state)) == (("Black",), {"price": (None, 60)})


def test_whom_a_gift_is_for_is_no_topic(mind):
    assert soft(mind.hear("a gift for my dad")) == []


def test_a_kind_refused_by_its_other_name_stays_wanted(mind):
    state = mind.hear("perfume, no body mist", state=State())
    assert wants(state) == {"kind": ("Perfume & Body Mist",)}
    assert refuses(state) == {"text": ("body mist",)}


def test_another_unit_is_not_about_the_bound_said_last(mind):
    wide = mind.hear("bookcases under 90 cm wide")
    assert bounds(mind.hear("70 cm", state=wide)) == {"width_cm": (None, 70)}
    assert bounds(mind.hear("12 hours", state=wide)) == {"width_cm": (None, 90)}
