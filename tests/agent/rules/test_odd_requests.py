"""Requests as people really say them: several things at once, half sentences, odd joints."""

import pytest

from tests.agent.shop import SHOWN, bounds, refuses, state_of, wants, wish

SHOP = state_of(wish("kind", "Casual Shoes", "Sports Shoes", label="shoes", turn=1), slate=SHOWN)


def acts(mind, text, state=SHOP):
    return [act.act for act in mind.plan(text, state).acts]


@pytest.mark.parametrize(
    "text",
    ["whats the difference between 1 n 2", "what is the difference between 1 and 2",
     "the first and the third look good, which one should i get?"],
)  # fmt: skip
def test_two_items_are_compared(mind, text):
    assert acts(mind, text) == ["compare"]


@pytest.mark.parametrize("text", ["hmm not sure, what do you think", "which would you pick?"])
def test_advice_is_reasons(mind, text):
    assert acts(mind, text) == ["explain"]


def test_advice_with_a_wish_is_a_search(mind):
    assert wants(mind.hear("which would you pick in blue", state=SHOP))["colour"] == ("Blue",)


def test_a_choice_goes_with_another_search(mind):
    plan = mind.plan("ok i'll take the first, and can you also find me a laptop", SHOP)
    assert [act.act for act in plan.acts] == ["select", "recommend"]
    assert {plan.mention(id).values for id in plan.acts[1].want} == {("Laptops",)}


def test_a_choice_alone_stays_one(mind):
    assert acts(mind, "i'll take the first, the black shoes") == ["select"]


def test_an_item_named_to_ask_about_is_not_chosen(mind):
    plan = mind.plan("ok the 2nd one. does it come in other colours?", SHOP)
    assert [act.act for act in plan.acts] == ["detail"]
    assert plan.acts[0].facet == "colour"


def test_a_question_about_a_value_names_its_field(mind):
    act = mind.plan("is the first one leather?", SHOP).acts[0]
    assert (act.act, act.facet) == ("detail", "material")


def test_the_head_of_two_kinds_is_meant(mind):
    plan = mind.plan("a laptop bookcase", state_of())
    assert [plan.mention(id).values for id in plan.acts[0].want] == [("Bookcases",)]
    assert plan.acts[0].text == "laptop"


def test_kinds_in_a_list_are_both_meant(mind):
    assert wants(mind.hear("a laptop or a bookcase"))["kind"] == ("Laptops", "Bookcases")


def test_choices_of_a_preference_are_all_preferred(mind):
    state = mind.hear("shoes, not black, ideally grey or navy")
    assert refuses(state) == {"colour": ("Black",)}
    assert {v for p in state.need.preferences for v in p.values} == {"Grey", "Navy Blue"}


def test_what_nothing_mentions_is_excluded_all_the_same(mind):
    assert refuses(mind.hear("nothing squeaky please", state=SHOP)) == {"text": ("squeaky",)}


@pytest.mark.parametrize(
    "text", ["a present for my wife's birthday", "i saw it yesterday", "a gift for my uncle"]
)
def test_occasions_and_people_are_no_topics(mind, text):
    assert mind.hear(text).need.preferences == ()


@pytest.mark.parametrize(("text", "word"), [("she loves cooking", "cooking"), ("a saw", "saw"),
                                            ("birthday cards", "birthday cards")])  # fmt: skip
def test_topics_stay_topics(mind, text, word):
    assert word in " ".join(m.text for m in mind.link(text))


def test_a_unit_in_a_name_goes_before_one_that_is_converted(mind):
    assert bounds(mind.hear("under 60 cm wide"))["width_cm"][1] == 60


def test_words_of_a_title_are_no_item_behind_a_plain_to(mind):
    plan = mind.plan("i want to learn watercolour basics but i know nothing", state_of())
    assert [act.act for act in plan.acts] == ["recommend"]


def test_words_of_a_title_are_the_item_behind_similar_to(mind):
    act = mind.plan("something similar to watercolour basics", state_of()).acts[0]
    assert (act.act, len(act.refs)) == ("like", 1)


@pytest.mark.parametrize("text", ["ive done the first one already", "i've tried the first one"])
def test_what_is_had_already_is_hidden(mind, text):
    assert acts(mind, text) == ["reject"]


def test_asking_for_the_wishes_changes_none(mind):
    after = mind.hear("what did i ask for so far", state=SHOP)
    assert after.need == SHOP.need


def test_a_place_to_sleep_is_a_topic(mind):
    assert "sleep" in " ".join(m.text for m in mind.link("i need somewhere to sleep"))


def test_a_share_is_no_price(mind):
    after = mind.hear("the first one but 10% cheaper", state=SHOP)
    assert bounds(after)["price"] == (None, 80)


def test_hundreds_may_be_said_once(mind):
    assert bounds(mind.hear("budget is like 4-500"))["price"] == (400, 500)
    assert bounds(mind.hear("5-100 euros"))["price"] == (5, 100)


def test_a_new_thing_is_the_thing(mind):
    words = [m.text for m in mind.link("i need a new unicycle, my old one broke")]
    assert "new" not in " ".join(words)


def test_what_is_too_much_does_not_come_first(mind):
    sorting = mind.hear("too big", state=state_of(slate=())).need.sorting
    assert (sorting.direction, sorting.label) == ("down", "")


@pytest.mark.parametrize(
    "text",
    ["another brand than the second", "without anything from the second one's brand",
     "a different brand from number 2"],
)  # fmt: skip
def test_the_brand_of_an_item_named_is_left_out(mind, text):
    state = SHOP.model_copy(update={"slate": ("c1", "s1", "s2")})
    assert refuses(mind.hear(text, state=state)) == {"brand": ("Nike",)}


def test_a_bare_number_is_what_something_is_the_same_as(mind):
    act = mind.plan("same as 1 but in another colour", SHOP).acts[0]
    assert (act.act, len(act.refs), len(act.avoid)) == ("like", 1, 1)
