"""The one flow under stress: odd input, deletions, threads, listeners who leave, failures."""

import threading
import time
from dataclasses import replace

import pytest

from agent.dialogue import respond
from agent.errors import StoreError, UnknownSession, UserInputError
from agent.planner import RulePlanner
from agent.store import Store
from retrieval.catalog import Item
from tests.agent.shop import bounds, wants
from tests.agent.talking import say, shown

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

    def full(done, **chosen):
        raise StoreError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(parts.store, "record", full)
        with pytest.raises(StoreError, match="disk full"):
            list(respond(parts, session, "under 60"))
    assert parts.store.load(session).state == before.state
    assert say(parts, session, "under 60").state.turn == 2
