import json

import pytest

from agent.asking import ASKING
from agent.plan import Act
from agent.plan_prompt import plan_messages
from agent.planner import PlanRequest
from agent.tagged_prompt import tagged_messages
from finetune.pairs.keys import key_of
from finetune.pairs.plans import UNSAID, plan_rows
from finetune.pairs.rows import Dropped, Pair, Unpaired
from tests.agent import shop

WANT = Act(act="refine", want=("V1",))


def rows(talk, catalog, prompt="plan@2"):
    """Return pairs, unpaired rows and reasons of a session."""
    every = list(plan_rows(talk.session, catalog, prompt))
    return (
        [r for r in every if isinstance(r, Pair)],
        [(r.completion, r.label) for r in every if isinstance(r, Unpaired)],
        [r.reason for r in every if isinstance(r, Dropped)],
    )


def answer(*acts: dict) -> str:
    return json.dumps({"acts": list(acts)}, separators=(",", ":"))


MISREAD = [
    # first, then what was misread, how, what it was followed by, and what was meant
    ("dresses", "anything but red", WANT, "I meant not red", {"act": "refine", "avoid": ["V1"]}),
    ("dresses", "nothing but red", Act(act="refine", avoid=("V1",)), "I said red",
     {"act": "refine", "want": ["V1"]}),
    ("dresses", "preferably red", WANT, "I meant ideally red", {"act": "refine", "prefer": ["V1"]}),
    ("t-shirts in blue", "white as well", WANT, "blue or white",
     {"act": "refine", "want": ["V1"], "join": "add"}),
    ("dresses in red", "the colour is up to you", Act(act="chitchat"),
     "I said the colour doesn't matter", {"act": "refine", "drop": ["F1"]}),
    ("dresses", "same vibe as the second one", Act(act="chitchat"),
     "I meant something like the second one", {"act": "like", "want": ["U1"], "refs": ["R1"]}),
    ("dresses", "not the second one", Act(act="like", refs=("R1",)), "I said hide the second one",
     {"act": "reject", "refs": ["R1"]}),
    ("dresses", "keep them coming", Act(act="chitchat"), "I meant show me more", {"act": "more"}),
    ("dresses", "don't go over 60", Act(act="chitchat"), "I meant under 60",
     {"act": "refine", "want": ["N1"]}),
]  # fmt: skip


@pytest.mark.parametrize(("first", "said", "act", "then", "meant"), MISREAD)
def test_plan_that_was_meant_is_found(talk, catalog, first, said, act, then, meant):
    one = talk().says(first, shows=("d1", "d2", "d3")).says(said, act, shows=("d1", "d2", "d3"))
    (pair,), labels, _ = rows(one.says(then, shows=("d2", "d3")), catalog)
    assert pair.chosen == answer(meant)
    assert pair.rejected == answer(act.model_dump(exclude_defaults=True, mode="json"))
    assert labels == [(pair.rejected, False), (pair.chosen, True)]
    assert pair.weight == (UNSAID if then == "blue or white" else 1.0)


def corrected(talk):
    """Return a session whose second turn was misread."""
    one = talk().says("dresses", shows=("d1", "d2", "d3"))
    one.says("anything but red", WANT, shows=("d1",))
    return one.says("no, I meant not red", shows=("d2", "d3"))


def request_of(talk) -> PlanRequest:
    """Return what the planner of the second turn was given."""
    turn, before = talk.turns[1], talk.turns[0].state
    return PlanRequest(turn.utterance, turn.plan.mentions, before, shop.items_of(*before.slate),
                       shop.FACETS)  # fmt: skip


def test_prompt_is_the_one_sent_when_serving(talk, catalog):
    one = corrected(talk)
    (tagged,), _, _ = rows(one, catalog)
    assert tagged.prompt == tagged_messages(request_of(one))
    (plain,), _, _ = rows(one, catalog, "plan@1")
    assert plain.prompt == plan_messages(request_of(one))


@pytest.mark.parametrize("prompt", ASKING)
def test_answers_are_read_back_as_plans(talk, catalog, prompt):
    one = corrected(talk)
    (pair,), _, _ = rows(one, catalog, prompt)
    asking = ASKING[prompt]()
    assert asking.read(pair.chosen, request_of(one)) == (Act(act="refine", avoid=("V1",)),)
    assert asking.read(pair.rejected, request_of(one)) == (WANT,)


def test_rows_know_whose_they_are(talk, catalog):
    (pair,), _, _ = rows(corrected(talk), catalog)
    assert (pair.session, pair.user) == (key_of("session-1"), key_of("user-1"))
    assert "session-1" not in json.dumps(pair.row())


def test_rules_own_wrong_plan_is_another_rejected_one(talk, catalog):
    one = talk().says("dresses", shows=("d1", "d2", "d3"))
    one.says("red gives me a headache", Act(act="chitchat"), shows=("d1",))
    (pair,), _, _ = rows(one.says("I meant no red", shows=("d2", "d3")), catalog)
    assert pair.others == (answer({"act": "refine", "want": ["V1", "U1"]}),)


def test_meaning_beyond_the_mentions_is_dropped(talk, catalog):
    one = talk().says("dresses", shows=("d1", "d2", "d3"))
    one.says("cheaper than red ones", Act(act="refine", want=("V1",)), shows=("d1",))
    pairs, labels, reasons = rows(one.says("I meant under 50", shows=("d3",)), catalog)
    assert pairs == []
    assert reasons == ["no plan over the turn's own mentions gives what was meant"]
    assert labels == [(answer({"act": "refine", "want": ["V1"]}), False)]


def test_same_items_are_as_good_as_the_same_words(talk, catalog):
    # What was meant: not maroon. In blue, as before, nothing is maroon: the plan that keeps blue
    # and rules maroon out lets the same through.
    one = talk().says("t-shirts in blue", shows=("t1",))
    one.says("anything but maroon", WANT, shows=("t4",))
    (pair,), _, _ = rows(one.says("I meant not maroon", shows=("t1", "t2", "t3")), catalog)
    assert pair.chosen == answer({"act": "refine", "avoid": ["V1"]})


def test_uncommon_plan_that_worked_is_good(talk, catalog):
    act = Act(act="refine", avoid=("V1",))
    one = talk().says("dresses", shows=("d1", "d2", "d3"))
    one.says("red gives me a headache", act, shows=("d2", "d3")).does("select", "d3")
    assert rows(one, catalog)[1] == [(answer({"act": "refine", "avoid": ["V1"]}), True)]


@pytest.mark.parametrize(
    ("said", "act", "kind"),
    [("not red", Act(act="refine", avoid=("V1",)), "select"),
     ("red gives me a headache", Act(act="refine", avoid=("V1",)), "click"),
     ("not red", None, "purchase")],
    ids=["as the rules", "only clicked", "by the rules"],
)  # fmt: skip
def test_common_plan_teaches_nothing(talk, catalog, said, act, kind):
    one = talk().says("dresses", shows=("d1", "d2", "d3"))
    one.says(said, *([act] if act else []), shows=("d2", "d3")).does(kind, "d3")
    assert rows(one, catalog)[1] == []
