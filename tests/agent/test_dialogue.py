"""The one flow, end to end: real store, real retriever, linker and rule planner."""

import threading
import time
from dataclasses import replace

import pytest

from agent.dialogue import Parts, respond, shows
from agent.errors import ModelUnavailable, StoreError, UnknownSession, UserInputError
from agent.linking import Linker
from agent.llm import ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.plan import Act, Plan
from agent.planner import RulePlanner
from agent.store import Store
from retrieval.catalog import Item
from retrieval.filters import matches
from tests.agent.shop import BY_ID, bounds, open_shop, refuses, wants


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path}/sessions.db")
    yield opened
    opened.close()


@pytest.fixture
def parts(store, store_shop, mind):
    return Parts(store=store, retriever=store_shop, linker=mind.linker, planner=RulePlanner())


@pytest.fixture
def own_parts(store, tmp_path):
    """Parts over a shop of the test's own, whose items may change."""
    with open_shop(tmp_path / "shop") as shop:
        yield Parts(store=store, retriever=shop, linker=Linker(shop), planner=RulePlanner())


def say(parts, session, *texts):
    """Take turns and return the last."""
    for text in texts:
        *_, done = respond(parts, session, text)
    return done


def shown(done):
    return [item.item_id for item in done.slate.items]


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


# Sessions and input


def test_unknown_session_is_an_error(parts):
    with pytest.raises(UnknownSession):
        next(respond(parts, "A" * 22, "shoes"))


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00\x01", "x" * 20_001])
def test_unusable_text_changes_nothing(parts, text):
    session = parts.store.create_session()
    before = say(parts, session, "shoes")
    with pytest.raises(UserInputError):
        next(respond(parts, session, text))
    assert parts.store.load(session).state == before.state
    assert say(parts, session, "under 60").state.turn == 2


@pytest.mark.parametrize(
    "text",
    [
        "blue shoes " * 909,
        "🙂" * 50,
        "zapatos azules por favor",
        "ich hätte gern schwarze Schuhe",
        "我想要一双蓝色的鞋",
        "أريد حذاء",
        "blue\x00 sho\x1bes",
        "'; DROP TABLE sessions; --",
        "<V1> {want: V9} {{slate}} %s %(x)s",
        "under 10 and over 100",
        "blue and not blue",
        "²³ ½ Ⅷ ١٢٣ under ५० euros",
        "#99999999999999999999",
        "#" + "9" * 9000,
        "the ፩st one",
        "under 1e309 or 1" + "0" * 400,
        "-" * 500,
        "the the the the",
    ],
    ids=["10,000 characters", "emoji", "Spanish", "German", "Chinese", "Arabic", "control", "SQL",
         "markup", "bounds clash", "contradiction", "digits", "huge ordinal", "endless ordinal",
         "Ethiopic", "huge number", "signs", "stop words"],
)  # fmt: skip
def test_odd_text_gets_an_answer(parts, text):
    session = parts.store.create_session()
    say(parts, session, "show me shoes")
    done = say(parts, session, text)
    assert done.reply.strip()
    assert parts.store.load(session).state == done.state
    assert say(parts, session, "start over").state.need.constraints == ()


def test_clashing_bounds_leave_one(parts):
    done = say(parts, parts.store.create_session(), "shoes over 100", "under 60")
    assert bounds(done.state) == {"price": (None, 60.0)}


def test_resumed_session_answers_the_same(parts, tmp_path):
    talk = ("show me shoes", "not black", "something like the second one but cheaper", "more")
    session = parts.store.create_session()
    twin = parts.store.create_session()
    say(parts, session, *talk[:-1])
    for text in talk[:-1]:
        again = Store(f"sqlite:///{tmp_path}/sessions.db")
        say(replace(parts, store=again), twin, text)
        again.close()
    straight, resumed = say(parts, session, talk[-1]), say(parts, twin, talk[-1])
    assert (resumed.state, resumed.reply, shown(resumed)) == (
        straight.state, straight.reply, shown(straight),
    )  # fmt: skip


def test_sessions_do_not_mix(parts):
    mine, yours = parts.store.create_session(), parts.store.create_session()
    say(parts, mine, "show me shoes")
    assert wants(say(parts, yours, "under 60").state) == {}
    assert wants(say(parts, mine, "under 60").state) != {}


# The catalog under a running session


def test_deleted_item_is_no_longer_spoken_of(own_parts):
    session = own_parts.store.create_session()
    first = shown(say(own_parts, session, "show me shoes"))
    own_parts.retriever.delete([first[1]])
    for text in ("how much is the second one?", "i'll take the second one",
                 "like the second one but blue", "compare the first two", "more"):  # fmt: skip
        done = say(own_parts, session, text)
        assert done.reply.strip()
        assert first[1] not in shown(done)


def test_positions_hold_after_a_deletion(own_parts):
    session = own_parts.store.create_session()
    first = shown(say(own_parts, session, "show me shoes"))
    own_parts.retriever.delete([first[1]])
    assert say(own_parts, session, "i'll take the third one").state.selected == (first[2],)


def test_whole_slate_may_be_deleted(own_parts):
    session = own_parts.store.create_session()
    own_parts.retriever.delete(shown(say(own_parts, session, "laptops")))
    done = say(own_parts, session, "cheaper than the first one")
    assert done.reply.strip()
    assert not {"l1", "l2"} & set(shown(done))


def test_new_items_are_found_next_turn(own_parts):
    session = own_parts.store.create_session()
    say(own_parts, session, "show me shoes")
    own_parts.retriever.upsert([Item("n1", "Blue Kimono", "", {"kind": "Kimonos", "price": 9.0})])
    assert shown(say(own_parts, session, "now i'm looking for kimonos")) == ["n1"]


# The generator, threads and failures


def slow(parts, seconds=0.0):
    """Return parts whose planner takes a while, and the order in which turns were planned."""
    order = []

    class Planner(RulePlanner):
        def plan(self, request):
            order.append(request.utterance)
            time.sleep(seconds)
            order.append(request.utterance)
            return super().plan(request)

    return replace(parts, planner=Planner()), order


@pytest.mark.parametrize("events", [1, 2, 3])
def test_listener_who_leaves_keeps_nothing(parts, events):
    session = parts.store.create_session()
    before = say(parts, session, "shoes")
    stream = respond(parts, session, "under 60")
    for _ in range(events):
        assert next(stream).kind != "done"
    stream.close()
    assert parts.store.load(session).state == before.state
    assert len(parts.store.turns(session)) == 1
    assert say(parts, session, "under 60").state.turn == 2


def test_stored_once_done_is_seen(parts):
    session = parts.store.create_session()
    stream = respond(parts, session, "shoes")
    while next(stream).kind != "done":
        assert parts.store.turns(session) == []
    assert len(parts.store.turns(session)) == 1
    stream.close()


def test_nothing_happens_before_listening(parts):
    session = parts.store.create_session()
    respond(parts, session, "shoes")
    assert parts.store.turns(session) == []


def test_turns_of_a_session_wait(parts):
    parts, order = slow(parts, 0.02)
    session = parts.store.create_session()
    texts = ["shoes", "under 100", "not black", "more"]
    threads = [threading.Thread(target=say, args=(parts, session, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order[0::2] == order[1::2]
    assert sorted(order[::2]) == sorted(texts)
    turns = parts.store.turns(session)
    assert [turn.state.turn for turn in turns] == [1, 2, 3, 4]
    assert [turn.utterance for turn in turns] == order[::2]


def test_other_sessions_do_not_wait(parts):
    mine, yours = parts.store.create_session(), parts.store.create_session()
    stream = respond(parts, mine, "shoes")
    next(stream)
    assert say(parts, yours, "laptops").state.turn == 1
    stream.close()


@pytest.mark.parametrize("stage", ["planner", "linker"])
def test_failed_stage_keeps_the_session(parts, stage):
    class Broken:
        def plan(self, request):
            raise RuntimeError("broken")

        def link(self, utterance, state, slate):
            raise RuntimeError("broken")

    session = parts.store.create_session()
    before = say(parts, session, "shoes")
    with pytest.raises(RuntimeError, match="broken"):
        list(respond(replace(parts, **{stage: Broken()}), session, "under 60"))
    assert parts.store.load(session).state == before.state
    assert say(parts, session, "under 60").state.turn == 2


def test_failed_store_keeps_the_session(parts, monkeypatch):
    session = parts.store.create_session()
    before = say(parts, session, "shoes")

    def full(done):
        raise StoreError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(parts.store, "record", full)
        with pytest.raises(StoreError, match="disk full"):
            list(respond(parts, session, "under 60"))
    assert parts.store.load(session).state == before.state
    assert say(parts, session, "under 60").state.turn == 2


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
