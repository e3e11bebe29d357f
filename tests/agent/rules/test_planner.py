"""The rule planner: which acts an utterance has, and over which items."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.plan import Act, Mention, Plan
from agent.rules.planner import RulePlanner
from agent.rules.request import PlanRequest
from agent.state import Likeness, State
from tests.agent.shop import BY_ID, FACETS, SHOWN, items_of, meant, state_of, wish

NEED = (wish("kind", "Casual Shoes", "Sports Shoes", label="shoes"), wish("price", high=150.0))
SHOP = state_of(*NEED, slate=SHOWN)
"""Shoes under 150 are on screen: black Puma, blue Nike, grey Nike, navy Puma, black Adidas."""


@pytest.fixture
def acts(mind):
    """Return the acts of an utterance, recommend as refine: both are right for a first wish."""

    def acts(text, state=SHOP):
        return [act.act for act in mind.plan(text, state).acts]

    return acts


SAID = {
    "refine": ["blue ones please", "under 100", "not black", "in leather", "make it red",
               "no nike please", "only in stock", "any brand is fine", "forget the budget",
               "cheaper", "better rated than the second one", "cheapest first",
               "the price should be between 20 and 40", "more expensive is ok"],
    "recommend": ["now i'm looking for a dress", "show me laptops", "do you have any perfume?",
                  "i need a new bookcase"],
    "like": ["something like the second one", "similar to the first one but blue",
             "more like the third one", "the second one in red", "like that but cheaper",
             "something similar", "the first one but in canvas"],
    "more": ["more", "show me more", "what else do you have?", "any others?", "next",
             "show me something else", "other options", "see more"],
    "compare": ["compare the first two", "1 vs 3", "compare 1 and 3",
                "which is cheaper, the first or the third?",
                "what's the difference between the first and the second?"],
    "explain": ["why this one?", "why the second one?", "why did you pick the first one?",
                "why not the adidas?", "what makes the first one good?"],
    "detail": ["what's it made of?", "is the second in stock?", "how much is the last one?",
               "tell me more about the first one", "is the first one waterproof?",
               "what colour is the third one?", "how many reviews does the second one have?"],
    "select": ["i'll take the first", "add it to my cart", "perfect, that one",
               "i'll have the second one", "buy the last one", "let's go with the third one"],
    "reject": ["not the second one", "i don't like that one", "hide #3", "remove the first one",
               "the second one is ugly", "not the black one"],
    "undo": ["undo", "go back", "never mind that", "scratch that", "as before"],
    "reset": ["start over", "forget everything", "new search", "reset"],
    "answer": ["do you deliver to Spain?", "what's your return policy?", "how long is delivery?",
               "can i pay with paypal?", "what are your opening hours?"],
    "handoff": ["let me talk to a human", "can i speak to someone?", "i want a real person"],
    "chitchat": ["hi", "thanks a lot!", "how are you?", "good morning", "ok great"],
}  # fmt: skip
CASES = [(act, text) for act, texts in SAID.items() for text in texts]


@pytest.mark.parametrize(("expected", "text"), CASES)
def test_utterance_has_its_act(acts, expected, text):
    assert acts(text) == [expected]


@pytest.mark.parametrize("text", ["help me", "i need a gift", "i don't know what i want"])
def test_empty_request_is_asked_back(acts, text):
    assert acts(text, State()) == ["elicit"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("start over, i want red dresses", ["reset", "recommend"]),
        ("undo, and make it leather", ["undo", "refine"]),
        ("none of these, show me more", ["reject", "more"]),
        ("i don't like these", ["reject", "more"]),
        ("not the second, the third", ["reject", "select"]),
        ("do you deliver? and show me red dresses", ["answer", "recommend"]),
        ("forget everything", ["reset"]),
    ],
)
def test_turn_may_have_several_acts(acts, text, expected):
    found = acts(text)
    assert [("recommend" if act == "refine" else act) for act in found] == [
        ("recommend" if act == "refine" else act) for act in expected
    ]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("i'll take the first", {"c1"}),
        ("how much is the last one?", {"s3"}),
        ("compare the first two", {"c1", "s1"}),
        ("1 vs 3", {"c1", "s2"}),
        ("not the second one", {"s1"}),
        ("hide #3", {"s2"}),
        ("something like the blue one", {"s1"}),
        ("cheaper than the grey one", {"s2"}),
        ("none of these", set(SHOWN)),
        ("why not the adidas?", {"s3"}),
        ("tell me about The Night Sentinels", {"b3"}),
        ("the cheapest one but in red", {"c2"}),
        ("i'll take the most expensive one", {"s3"}),
    ],
)
def test_acts_point_at_items(mind, text, items):
    assert meant(mind.plan(text, SHOP)) == items


def test_like_changes_what_is_said(mind):
    text = "something like the second one but red, under 60, not leather"
    plan = mind.plan(text, SHOP)
    (act,) = plan.acts
    said = [[plan.mention(id).text for id in ids] for ids in (act.refs, act.want, act.avoid)]
    assert said == [["the second one"], ["red", "under 60"], ["leather"]]
    assert act.act == "like"


@pytest.mark.parametrize(
    ("text", "why_not"), [("why not the adidas?", True), ("why the adidas?", False)]
)
def test_why_not_is_told_from_why(mind, text, why_not):
    (act,) = mind.plan(text, SHOP).acts
    assert (act.act, act.why_not) == ("explain", why_not)


@pytest.mark.parametrize(
    ("text", "facet"),
    [("how much is the last one?", "price"), ("what's the second made of?", "material"),
     ("is the first one in stock?", "in_stock"), ("what colour is it?", "colour")],
)  # fmt: skip
def test_detail_names_its_facet(mind, text, facet):
    (act,) = mind.plan(text, SHOP).acts
    assert (act.act, act.facet) == ("detail", facet)


@pytest.mark.parametrize(
    ("text", "join"),
    [
        ("red", "replace"),
        ("make it red", "replace"),
        ("or red", "add"),
        ("also red", "add"),
        ("red as well", "add"),
        ("red is fine too", "add"),
        ("red instead", "replace"),
    ],
)
def test_joining_words_join(mind, text, join):
    (act,) = mind.plan(text, state_of(*NEED, wish("colour", "Blue"))).acts
    assert (act.act, act.join) == ("refine", join)


@pytest.mark.parametrize("text", ["", " ", "?!", "🙂", "()[]{}", "\n\n", "it", "the"])
def test_nothing_said_is_small_talk(mind, text):
    state = state_of(*NEED)
    plan = mind.plan(text, state)
    assert all(not (act.want or act.avoid or act.change) for act in plan.acts)


def test_plan_carries_the_turn(mind):
    plan = mind.plan("blue shoes", SHOP)
    assert (plan.utterance, plan.planner, plan.fallback) == ("blue shoes", "rules", "")
    assert plan.mentions == mind.link("blue shoes", SHOP)


_TALK = """blue navy shoes t-shirt dresses nike leather not no without or and but under over 60 €
between 40 the second one first it this these cheaper cheapest more any colour price forget undo
start over like similar to compare why is take hide instead also never mind what about make i
meant sorry please ? , ."""
WORDS = _TALK.split()
STATES = [State(), SHOP, state_of(*NEED, slate=SHOWN, focus=("s1",), like=Likeness(item_id="c1"))]
QUICK = settings(max_examples=150)


ALLOWED = {"refs": "RT", "want": "VNKU", "change": "DO", "avoid": "VKURTNF", "prefer": "VKUN",
           "drop": "FVNODKU"}  # fmt: skip


def check(plan):
    """Assert that every act points at mentions of its own kinds."""
    assert plan.acts
    for act in plan.acts:
        for name, letters in ALLOWED.items():
            ids = getattr(act, name)
            assert all(plan.mention(id).id[0] in letters for id in ids), (name, ids)
        assert not set(act.want) & {*act.avoid, *act.drop, *act.prefer}
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


@QUICK
@given(words=st.lists(st.sampled_from(WORDS), max_size=14), state=st.sampled_from(STATES))
def test_any_words_make_a_plan(mind, words, state):
    check(mind.plan(" ".join(words), state))


@QUICK
@given(text=st.text(max_size=300), state=st.sampled_from(STATES))
def test_any_text_makes_a_plan(mind, text, state):
    mentions = ()
    request = PlanRequest(text, mentions, state, items_of(*state.slate), FACETS)
    check(RulePlanner().plan(request))


@QUICK
@given(words=st.lists(st.sampled_from(WORDS), max_size=14))
def test_any_words_keep_a_sound_need(mind, words):
    after = mind.hear(" ".join(words), state=SHOP)
    for own in after.need.constraints:
        assert not set(own.values) & set(own.excluded)
        if own.low is not None and own.high is not None:
            assert own.low <= own.high
    assert set(after.need.rejected) <= set(SHOWN)
    assert after.need.like is None or after.need.like.item_id in BY_ID


def test_given_facets_replace_own(mind):
    mentions = (Mention(id="V1", kind="value", facet="kind", values=("Dresses",), start=0, end=5,
                        text="dress"),)  # fmt: skip
    request = PlanRequest("dress", mentions, State(), (), FACETS)
    assert RulePlanner(()).plan(request).acts == (Act(act="recommend", want=("V1",)),)
