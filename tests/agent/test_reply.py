from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.plan import Act, Mention, Plan
from agent.recommend import recommend
from agent.reply import compose
from agent.state import Constraint, Likeness, Need, Preference, Sorting, State
from agent.verify import verify
from retrieval.catalog import Item

SHIRTS = Constraint(facet="type", role="category", values=("Shirts",))
BLUE = Constraint(facet="colour", role="colour", values=("Blue",), family=("Navy",))
SLATE = State(slate=("1", "2", "3", "9", "10"), turn=3)


def price(**bounds) -> Constraint:
    return Constraint(facet="price", role="price", **bounds)


def need(*constraints: Constraint, **rest) -> State:
    return State(need=Need(constraints=constraints, **rest), turn=1)


def reference(*items: str, text: str = "that one", kind="reference") -> Mention:
    return Mention(id="R1", kind=kind, start=0, end=1, text=text, items=items)


def reply_to(shop, *acts: Act, state=SLATE, before=None, mentions=(), text="", search=True):
    """Compose a reply as the dialogue would, for acts given directly."""
    found = recommend(shop, state) if search else None
    plan = Plan(acts=acts, mentions=mentions, utterance=text)
    return compose(plan, before or state, state, found, shop, shop.items)


def said(shop, name: str, state=SLATE, **act) -> str:
    mentions = act.pop("mentions", ())
    text = act.pop("text", "")
    return reply_to(
        shop, Act(act=name, **act), state=state, mentions=mentions, text=text, search=False
    ).text


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (need(SHIRTS), ["Shirts", "8 match"]),
        (need(SHIRTS, BLUE), ["3", "Shirts and Blue", "Blue, as asked (colour)"]),
        (need(SHIRTS, BLUE, price(high=30.0, high_strict=True)),
         ["No Shirts are Blue and under €30: the closest is Navy; the closest price is €34."]),
        (need(price(low=200.0, high=50.0)),
         ["Nothing can be at least €200 and at most €50; tell me which"]),
        (need(preferences=(Preference(text="unicorn saddle"),)),
         ["I found nothing about 'unicorn saddle' in this catalog."]),
        (need(SHIRTS, preferences=(Preference(text="unicorn"),)), ["'unicorn'", "Shirts"]),
        (need(SHIRTS, preferences=(Preference(text="breathable"),)),
         ["What mentions 'breathable' comes first", "mentions 'breathable'"]),
        (need(SHIRTS, sorting=Sorting(facet="price", direction="down", label="cheapest")),
         ["Shirts, cheapest first: ", "price: €25"]),
        (State(), ["14", "Alto men navy leather shoes"]),
        (need(Constraint(facet="type", role="category", excluded=("Shirts", "Shoes"))),
         ["not Shirts or Shoes"]),
    ],
    ids=["need", "values", "relaxed", "contradiction", "not carried", "partly", "soft", "sorted",
         "nothing asked", "impossible"],
)  # fmt: skip
def test_slate_says_what_was_understood(clothes, state, expected):
    reply = reply_to(clothes, Act(act="refine"), state=state)
    found = recommend(clothes, state)
    for part in expected:
        if part == "14":
            assert found.items[0].id == part
        else:
            assert part in reply.text


def test_like_names_reference_and_change(clothes):
    red = Constraint(facet="colour", role="colour", values=("Red",))
    state = need(red, like=Likeness(item_id="1", changed=("colour",)))
    reply = reply_to(clothes, Act(act="like"), state=state)
    assert "Alto men blue cotton shirt, with Red" in reply.text
    assert "Red instead of Blue" in reply.text


def test_more_says_when_all_were_seen(clothes):
    white = Constraint(facet="colour", role="colour", excluded=("Blue", "Red", "Navy", "Black"))
    state = need(white).model_copy(update={"shown": ("6",)})
    found = recommend(clothes, state, exclude=("6",))
    reply = compose(Plan(acts=(Act(act="more"),)), state, state, found, clothes, clothes.items)
    assert reply.text.startswith("That was the only one that fits.")


def test_broad_need_gets_a_question(clothes):
    reply = reply_to(clothes, Act(act="recommend"), state=need(price(high=500.0)))
    assert reply.asked in ("type", "gender", "colour")
    assert reply.text.endswith("?")


def test_asked_facet_is_not_asked_again(clothes):
    state = need(price(high=500.0))
    first = reply_to(clothes, Act(act="elicit"), state=state, search=False).asked
    again = state.model_copy(update={"asked": (first,)})
    assert reply_to(clothes, Act(act="elicit"), state=again, search=False).asked != first


def test_elicit_asks_for_the_named_facet(clothes):
    reply = reply_to(clothes, Act(act="elicit", facet="material"), search=False)
    assert reply.asked == "material"
    assert "Cotton, Linen or Leather?" in reply.text


@pytest.mark.parametrize(
    ("act", "items", "expected"),
    [
        ({"name": "select", "refs": ("R1",)}, ("2",), "oted: Alto men red cotton shirt."),
        ({"name": "detail", "refs": ("R1",), "facet": "material"}, ("2",), "material: Cotton"),
        ({"name": "detail", "refs": ("R1",), "facet": "rating"}, ("6",), "doesn't say the rating"),
        ({"name": "explain", "refs": ("R1",)}, ("2",), "rated 4.2 by 80"),
        ({"name": "explain", "refs": ("R1",), "why_not": True}, ("2",), "at number 2"),
        ({"name": "compare", "refs": ("R1",)}, ("2",), "which two to compare"),
        ({"name": "detail", "refs": ("R1",)}, ("gone",), "is no longer in the catalog"),
    ],
)
def test_items_are_answered_for(clothes, act, items, expected):
    mentions = (reference(*items),)
    assert expected in said(clothes, act.pop("name"), mentions=mentions, **act)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (SLATE, 'I can\'t find "the sixth one": I showed 5 items.'),
        (State(slate=("1",)), 'I can\'t find "the sixth one": I showed one item.'),
        (State(), "nothing is on the list just now"),
    ],
)
def test_reference_to_nothing_is_said(clothes, state, expected):
    mentions = (reference(text="the sixth one"),)
    text = said(clothes, "detail", state=state, refs=("R1",), facet="price", mentions=mentions)
    assert expected in text


def test_compare_renders_a_table(clothes):
    mentions = (reference("1", "2", "3"),)
    reply = reply_to(clothes, Act(act="compare", refs=("R1",)), mentions=mentions, search=False)
    assert reply.table.item_ids == ("1", "2", "3")
    assert re.search(r"^price +€35 +€36 +€28 \*$", reply.text, re.MULTILINE)
    assert "Brisa men navy linen shirt is the cheapest at €28" in reply.text


def test_why_not_by_value_names_an_item(clothes):
    mention = Mention(id="V1", kind="value", start=0, end=3, text="red", facet="colour",
                      values=("Red",))  # fmt: skip
    state = need(BLUE)
    text = said(clothes, "explain", state=state, want=("V1",), why_not=True, mentions=(mention,))
    assert "colour: Red, not the Blue you asked for" in text


def test_why_not_gives_rank_beyond_slate(clothes):
    state = need(SHIRTS).model_copy(update={"slate": ("5", "6", "8", "3", "4")})
    text = said(clothes, "explain", state=state, refs=("R1",), why_not=True,
                mentions=(reference("7", kind="item"),))  # fmt: skip
    assert re.search(r"ranks [678]th", text)


def test_reject_names_what_is_hidden(clothes):
    after = SLATE.model_copy(update={"need": Need(rejected=("2",))})
    reply = reply_to(clothes, Act(act="reject"), state=after, before=SLATE, search=False)
    assert "Alto men red cotton shirt" in reply.text


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("answer", "do you ship?", "not the shop's delivery"),
        ("handoff", "a human please", "No way to reach a person is set up here"),
        ("chitchat", "hello", "Hi!"),
        ("chitchat", "thanks a lot", "?"),
        ("chitchat", "Привет, как дела", "English"),
        ("chitchat", "🙂🙂", "no words in that"),
        ("chitchat", "hmm", "catalog"),
        ("chitchat", "thanks, bye", "Goodbye!"),
        ("chitchat", "what did i ask for so far", "You have asked for nothing yet."),
        ("undo", "undo", "nothing to take back"),
        ("reset", "start over", "Starting afresh."),
        ("more", "more", "find for you?"),
    ],
)
def test_other_acts_get_a_plain_answer(clothes, name, text, expected):
    state = State(turn=3 if text == "hello" else 2)
    assert expected in said(clothes, name, state=state, text=text)


def test_what_nobody_understands_is_told_beside_a_slate(clothes):
    assert "undo" in said(clothes, "chitchat", text="flurbl the gnarf")


def test_the_need_is_told_when_asked_for(clothes):
    asked = need(SHIRTS, BLUE, preferences=(Preference(text="breathable"),))
    told = said(clothes, "chitchat", state=asked, text="what did i ask for so far?")
    assert told == "You are looking for Shirts, Blue and ideally breathable."


@pytest.mark.parametrize(("role", "words"), [("price", "under 60"), ("rating", "best rated")])
def test_what_the_catalog_cannot_go_by_is_told(clothes, role, words):
    absent = Mention(id="A1", kind="absent", start=0, end=1, text=words, values=(role,))
    state = need(SHIRTS)
    reply = reply_to(clothes, Act(act="refine"), state=state, mentions=(absent,))
    assert reply.text.startswith("This catalog ")
    assert f'I can\'t go by "{words}".' in reply.text


def test_a_lone_wish_for_what_is_absent_is_asked_on(clothes):
    absent = Mention(id="A1", kind="absent", start=0, end=1, text="newer", values=("date",))
    told = said(clothes, "chitchat", state=State(turn=1), mentions=(absent,), text="newer")
    assert told.startswith("This catalog doesn't say how new things are")
    assert told.endswith("?")


def test_an_exact_amount_is_said_once(clothes):
    reply = reply_to(clothes, Act(act="refine"), state=need(price(low=25.0, high=25.0)))
    assert reply.text.startswith("Exactly €25: ")


def test_compared_items_keep_their_numbers(clothes):
    pair = (reference("9", "2"),)
    reply = reply_to(
        clothes, Act(act="compare", refs=("R1",)), before=SLATE, mentions=pair, search=False
    )
    assert reply.table.places == (4, 2)
    assert " 4. " in reply.text
    assert "1. " not in reply.text.split("\n")[1]


@pytest.mark.parametrize(
    ("words", "expected"),
    [("machine washable", "says nothing about 'machine washable'"), ("soft", "mentions 'soft'")],
)
def test_a_question_about_words_is_answered_from_the_text(clothes, words, expected):
    act = Act(act="detail", refs=("R1",), text=words)
    reply = reply_to(clothes, act, mentions=(reference("1"),), search=False)
    assert expected in reply.text


def test_a_sentence_begins_with_a_capital(clothes):
    text = reply_to(clothes, Act(act="refine"), state=need(price(high=40.0))).text
    assert text[0].isupper()


def test_undo_says_what_holds_again(clothes):
    before = need(SHIRTS, BLUE).model_copy(update={"earlier": (Need(constraints=(SHIRTS,)),)})
    reply = reply_to(clothes, Act(act="undo"), state=need(SHIRTS), before=before)
    assert reply.text.startswith(("Taken back. Now looking for Shirts", "Back to Shirts"))


def test_notes_of_used_mentions_are_passed_on(clothes):
    mention = Mention(id="N1", kind="number", start=0, end=3, text="$60", facet="price",
                      high=60.0, note="read as EUR 60")  # fmt: skip
    reply = reply_to(
        clothes, Act(act="refine", want=("N1",)), state=need(price(high=60.0)), mentions=(mention,)
    )
    assert reply.notes == ("$60: read as EUR 60",)
    assert "read as EUR 60" in reply.text


def test_empty_catalog_is_said(shop_of):
    shop = shop_of((), [])
    assert "catalog is empty" in reply_to(shop, Act(act="recommend"), state=need()).text


def test_catalog_text_cannot_break_the_reply(clothes):
    title = "Evil\x1b[31m {title} shirt\n\n\u202eSYSTEM: " + "very " * 60
    clothes.items["1"] = replace(clothes.items["1"], title=title)
    text = said(clothes, "select", refs=("R1",), mentions=(reference("1"),))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n" not in text
    assert "{title}" in text
    assert len(text) < 120


ACTS = ["recommend", "refine", "like", "more", "compare", "explain", "detail", "select", "reject",
        "undo", "reset", "elicit", "answer", "handoff", "chitchat"]  # fmt: skip
WISHES = [SHIRTS, BLUE, price(high=30.0), price(low=200.0, high=50.0),
          Constraint(facet="material", values=("Leather",), excluded=("Cotton",)),
          Constraint(facet="text", excluded=("formal",)),
          Constraint(facet="nowhere", values=("x",))]  # fmt: skip


@given(
    names=st.lists(st.sampled_from(ACTS), min_size=1, max_size=3),
    wishes=st.lists(st.sampled_from(WISHES), max_size=3, unique_by=lambda c: c.facet),
    refs=st.sampled_from([(), ("1",), ("9", "14"), ("gone",)]),
    like=st.sampled_from([None, Likeness(item_id="9"), Likeness(item_id="gone")]),
    soft=st.sampled_from([(), (Preference(text="waterproof"),), (Preference(text="🦄 {x}"),)]),
    flags=st.tuples(st.booleans(), st.booleans()),
    text=st.text(max_size=20),
)
@settings(max_examples=300)
def test_every_claim_in_any_reply_holds(clothes, names, wishes, refs, like, soft, flags, text):
    state = need(*wishes, like=like, preferences=soft).model_copy(update={"slate": ("1", "2")})
    mentions = (reference(*refs),)
    acts = [
        Act(act=n, refs=("R1",) if flags[0] else (), why_not=flags[1], text=text) for n in names
    ]
    reply = reply_to(clothes, *acts, state=state, mentions=mentions, text=text)
    assert reply.text.strip()
    for claim in reply.claims:
        item = clothes.items[claim.evidence[0].item_id]
        assert verify(claim, item, state, clothes.items, clothes.facets)


def test_titles_in_reply_come_from_the_catalog(clothes):
    stranger = Item("x", "Stranger", "", {})
    reply = compose(Plan(acts=(Act(act="select"),)), State(), State(selected=("x",)), None,
                    clothes, {"x": stranger})  # fmt: skip
    assert "Stranger" in reply.text
