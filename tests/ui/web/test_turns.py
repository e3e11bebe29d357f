"""Buttons as turns, and what a turn tells."""

import pytest

from ui.web.turns import anchors_of, answered, asked_about, compared_by, turn_of
from ui.web.words import Words

EN = Words()
ITEM = {"item": "7", "title": "Blue dress", "slate": "s"}


def turn(act="recommend", *, refs=(), why_not=False, claims=(), reply="Here.", items=()):
    return {
        "turn_id": "t", "slate_id": "s", "reply": reply, "items": [{"id": id} for id in items],
        "plan": {"acts": [{"act": act, "refs": list(refs), "why_not": why_not}],
                 "mentions": [{"id": "R1", "items": ["1", "2"]}, {"id": "R2", "items": ["2"]}]},
        "claims": [{"evidence": [{"item_id": id}]} for id in claims],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("action", "words", "press"),
    [
        ({"do": "say", "text": "hi"}, "hi", None),
        ({"do": "press", "text": "x", "press": {"act": "more"}}, "x", {"act": "more"}),
        ({"do": "more_like", **ITEM}, "More like Blue dress", {"act": "like", "items": ["7"]}),
        ({"do": "why_not", **ITEM}, "Why not Blue dress?", {"act": "why_not", "items": ["7"]}),
        (
            {"do": "why_not_named", "fields": {"named": " the Osquay one "}},
            "Why isn't the Osquay one here?",
            None,
        ),
        (
            {"do": "bring_back", **ITEM},
            "Show Blue dress again",
            {"act": "refine", "drop": [{"facet": "item", "values": ["7"]}]},
        ),
        ({"do": "undo"}, "Undo that", {"act": "undo"}),
    ],
    ids=lambda one: one.get("do") if isinstance(one, dict) else None,
)
def test_action_becomes_a_turn(action, words, press):
    assert turn_of(action, (), EN) == (words, press)


@pytest.mark.parametrize(
    "action",
    [{"do": "save", **ITEM}, {}, {"do": "why_not_named", "fields": {"named": "  "}},
     {"do": "why_not_named"}, {"do": "like_form", **ITEM, "said": ""}, {"do": "compare_go"}],
)  # fmt: skip
def test_other_actions_are_no_turns(action):
    assert turn_of(action, ({"id": "1", "title": "A"},), EN) is None


def test_comparing_names_what_was_chosen():
    chosen = ({"id": "1", "title": "A"}, {"id": "2", "title": "B"})
    words, press = turn_of({"do": "compare_go"}, chosen, EN)
    assert words == "Compare A, B"
    assert press == {"act": "compare", "items": ["1", "2"]}


def test_items_compared_are_those_of_the_plan():
    assert compared_by(turn("compare", refs=["R1", "R2", "R9"])) == ["1", "2"]
    assert compared_by(turn("recommend", refs=["R1"])) == []


def test_table_of_a_comparison_is_not_said():
    reply = "price  1  2\ncolour  a  b\nA is the cheapest."
    assert answered(turn("compare", refs=["R1"], reply=reply))["content"] == "A is the cheapest."
    assert answered(turn("recommend", reply=reply))["content"] == reply


def test_item_asked_about_is_one_that_is_not_there():
    assert asked_about(turn("explain", why_not=True, claims="339", items="1")) == ["3", "9"]
    assert asked_about(turn("explain", why_not=True, claims="1", items="1")) == []
    assert asked_about(turn("explain", claims="3")) == []


def test_anchors_are_what_items_are_compared_with():
    items = [{"evidence": [{"other_id": "4"}, {"other_id": None}]}, {"evidence": None},
             {"evidence": [{"other_id": "4"}, {"other_id": "5"}]}]  # fmt: skip
    assert anchors_of(items) == ["4", "5"]
