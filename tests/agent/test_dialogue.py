"""The one flow, end to end: real store, real retriever, linker and rule planner."""

from dataclasses import replace

import pytest

from agent.dialogue import respond, shows
from agent.errors import ModelUnavailable
from agent.explainer import LLMExplainer
from agent.llm import ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.plan import Act, Plan
from agent.planner import RulePlanner
from retrieval.filters import matches
from tests.agent.shop import BY_ID, bounds, refuses, wants
from tests.agent.talking import say, shown


def kinds(events):
    """Return event kinds in order, pieces of text as one."""
    found = [event.kind for event in events]
    return [kind for i, kind in enumerate(found) if kind != "text" or found[i - 1] != "text"]


# Events


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ([], "blue shoes", ["understood", "items", "text", "done"]),
        ([], "hello", ["understood", "text", "done"]),
        (["shoes"], "is the first one in stock?", ["understood", "text", "done"]),
        (["shoes"], "compare the first two", ["understood", "text", "done"]),
        (["shoes"], "i'll take the first one", ["understood", "text", "done"]),
        (["shoes"], "like the first one but red", ["understood", "items", "text", "done"]),
        (["shoes"], "more", ["understood", "items", "text", "done"]),
        (["shoes"], "undo", ["understood", "items", "text", "done"]),
        (["shoes"], "start over", ["understood", "items", "text", "done"]),
    ],
)  # fmt: skip
def test_events_come_in_order(parts, before, text, expected):
    session = parts.store.create_session()
    for one in before:
        say(parts, session, one)
    assert kinds(list(respond(parts, session, text))) == expected


def test_events_agree_with_done(parts):
    session = parts.store.create_session()
    events = list(respond(parts, session, "nike shoes under 100"))
    understood, items, done = events[0], events[1], events[-1]
    assert "".join(event.delta for event in events if event.kind == "text") == done.reply
    assert items.slate == done.slate
    assert understood.plan == done.plan
    assert understood.state.need == done.state.need
    assert done.state.slate == tuple(shown(done))
    assert (done.utterance, done.session_id) == ("nike shoes under 100", session)


def test_stored_turn_equals_done(parts):
    session = parts.store.create_session()
    dones = [say(parts, session, text) for text in ("shoes", "under 100", "why the first one?")]
    assert parts.store.turns(session) == dones
    loaded = parts.store.load(session)
    assert (loaded.state, loaded.turns) == (dones[-1].state, 3)


def test_each_turn_has_its_ids(parts):
    session = parts.store.create_session()
    first, second = say(parts, session, "shoes"), say(parts, session, "more")
    assert len({first.turn_id, second.turn_id, first.slate.id, second.slate.id}) == 4


def test_stages_are_timed(parts):
    done = say(parts, parts.store.create_session(), "blue shoes")
    assert {"link", "plan", "apply", "retrieve", "reply"} <= set(done.timings)
    assert all(took >= 0 for took in done.timings.values())


def test_slate_is_rendered_from_catalog(parts):
    done = say(parts, parts.store.create_session(), "laptops")
    first = done.slate.items[0]
    item = BY_ID[first.item_id]
    assert (first.rank, first.fields["title"], first.fields["price"]) == (
        1, item.title, item.fields["price"],
    )  # fmt: skip
    assert (first.fields["currency"], first.fields["kind"]) == ("EUR", "Laptops")


def test_reasons_name_what_was_asked(parts):
    done = say(parts, parts.store.create_session(), "blue nike shoes under 150")
    (item,) = done.slate.items
    evidence = {e.facet: e.value for reason in item.reasons for e in reason.evidence}
    assert evidence["colour"] == "Blue"
    assert all(e.item_id == "s1" for reason in item.reasons for e in reason.evidence)


# A conversation


def test_conversation_narrows_and_widens(parts):
    session = parts.store.create_session()
    assert set(shown(say(parts, session, "show me shoes"))) == {"c1", "c2", "s1", "s2", "s3"}
    assert set(shown(say(parts, session, "under 100 please"))) == {"c1", "c2", "s2"}
    assert set(shown(say(parts, session, "not black"))) == {"c2", "s2"}
    assert shown(say(parts, session, "waterproof, and from nike"))[0] == "s2"
    done = say(parts, session, "any brand is fine")
    assert (wants(done.state), bounds(done.state)) == (
        {"kind": ("Sports Shoes", "Casual Shoes")}, {"price": (None, 100.0)},
    )  # fmt: skip
    assert refuses(done.state) == {"colour": ("Black",)}


def test_every_shown_item_fits(parts):
    session = parts.store.create_session()
    for text in ("something for women", "in cotton", "no dresses", "cheaper than 30"):
        done = say(parts, session, text)
        assert done.relaxations or all(
            matches(done.state.need.filter(), BY_ID[id]) for id in shown(done)
        )


def test_more_brings_new_items(parts):
    session = parts.store.create_session()
    first = shown(say(parts, session, "something under 1000"))
    second = shown(say(parts, session, "more"))
    third = shown(say(parts, session, "show me more"))
    assert len({*first, *second, *third}) == len(first) + len(second) + len(third) == 15


def test_more_ends_when_all_were_shown(parts):
    session = parts.store.create_session()
    say(parts, session, "laptops")
    done = say(parts, session, "more")
    assert done.reply
    assert not {"l1", "l2"} & set(shown(done)) or done.relaxations


def test_undo_brings_the_need_back(parts):
    session = parts.store.create_session()
    before = say(parts, session, "show me shoes")
    say(parts, session, "under 60")
    assert say(parts, session, "undo").state.need == before.state.need


def test_reset_then_new_wishes(parts):
    session = parts.store.create_session()
    say(parts, session, "black shoes under 100")
    done = say(parts, session, "start over, i want a red dress")
    assert (wants(done.state), bounds(done.state)) == (
        {"colour": ("Red",), "kind": ("Dresses",)}, {},
    )  # fmt: skip
    assert shown(done) == ["d1"]


@pytest.mark.parametrize("text", ["undo", "start over", "more", "cheaper", "the second one",
                                  "i'll take it", "why?", "not that one", "compare them",
                                  "is it in stock?", "none of these", "hi", "help",
                                  "any colour", "forget the budget"])  # fmt: skip
def test_first_turn_may_be_anything(parts, text):
    session = parts.store.create_session()
    done = say(parts, session, text)
    assert done.reply.strip()
    assert done.state.turn == 1
    assert done.state.selected == done.state.need.rejected == ()


def test_rejected_item_stays_away(parts):
    session = parts.store.create_session()
    first = shown(say(parts, session, "show me shoes"))
    done = say(parts, session, "not the second one")
    assert done.state.need.rejected == (first[1],)
    assert first[1] not in shown(done)
    assert first[1] not in shown(say(parts, session, "under 1000"))


def test_nothing_fits_is_said(parts):
    done = say(parts, parts.store.create_session(), "blue dresses under 10")
    assert done.relaxations
    assert done.reply


def test_foreign_currency_is_said(parts):
    done = say(parts, parts.store.create_session(), "shoes under $100")
    assert bounds(done.state) == {"price": (None, 100.0)}
    assert "EUR" in " ".join((done.reply, *done.notes))


# Planners


def test_rules_are_named_as_planner(parts):
    done = say(parts, parts.store.create_session(), "blue shoes")
    assert (done.planner, done.plan.planner, done.plan.fallback) == ("rules", "rules", "")


def test_absent_model_falls_back(parts):
    model = ScriptedModel([ModelUnavailable("connection refused")] * 3)
    planner = LLMPlanner(model, RulePlanner(), fast_path=False)
    done = say(replace(parts, planner=planner), parts.store.create_session(), "blue shoes")
    assert (done.planner, done.plan.fallback) == ("rules", "connection refused")
    assert wants(done.state)["colour"] == ("Blue",)
    assert done.slate.items


def test_model_plans_when_it_answers(parts):
    model = ScriptedModel(['{"acts":[{"act":"recommend","want":["V2"],"avoid":["V1"]}]}'])
    planner = LLMPlanner(model, RulePlanner(), fast_path=False)
    session = parts.store.create_session()
    done = say(replace(parts, planner=planner), session, "blue shoes")
    assert (done.planner, done.plan.model) == ("llm", "scripted")
    assert "Blue" in refuses(done.state)["colour"]
    assert parts.store.turns(session) == [done]


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        (["recommend"], True),
        (["detail"], False),
        (["undo"], True),
        (["chitchat", "more"], True),
        (["select"], False),
        (["answer", "handoff"], False),
        ([], False),
    ],
)
def test_only_some_acts_show_items(acts, expected):
    assert shows(Plan(acts=tuple(Act(act=name) for name in acts))) is expected


def test_model_words_reasons_after_the_items(parts):
    model = ScriptedModel(lambda _: "It is one of the {F1}, as you asked. It is the best.")
    talking = replace(parts, explainer=LLMExplainer(model))
    id = parts.store.create_session()
    events = list(respond(talking, id, "casual shoes"))
    kinds = [event.kind for event in events]
    assert kinds[:2] == ["understood", "items"]
    done = events[-1]
    said = "".join(event.delta for event in events if event.kind == "text")
    assert said == done.reply
    assert "is one of the Casual Shoes, as you asked." in said
    assert "best" not in said
    [written] = done.written
    assert (written.writer, written.kept, written.dropped) == ("model", 1, 1)
    assert parts.store.turns(id)[-1].written == done.written


def test_why_is_worded_by_the_model_too(parts):
    model = ScriptedModel(lambda _: "It is one of the {F1}, as you asked.")
    talking = replace(parts, explainer=LLMExplainer(model))
    id = parts.store.create_session()
    list(respond(talking, id, "casual shoes"))
    *_, done = respond(talking, id, "why the first one?")
    assert "is one of the Casual Shoes, as you asked." in done.reply
    assert [one.writer for one in done.written] == ["model"]
    *_, done = respond(parts, id, "why the first one?")
    assert "Casual Shoes, as asked (kind)" in done.reply
    assert done.written == ()
