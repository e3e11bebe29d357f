"""Feedback in the store: once, whole, and only such as can have happened."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from agent.errors import Conflict, UnknownSession, UnknownSlate, UserInputError
from agent.feedback import CLOCK_SKEW, FeedbackEvent, new_id
from agent.turn import Slate
from tests.agent.stores import HAT, SHIRT, turn


@pytest.fixture
def done(store):
    made = turn(store.create_session("ann"), 1)
    store.record(made)
    return made


def click(done, **fields):
    values = {"slate_id": done.slate.id, "item_id": "7", "kind": "click", **fields}
    return FeedbackEvent(**values)


def test_feedback_is_stored_once(store):
    done = turn(store.create_session(), 1)
    store.record(done)
    event = FeedbackEvent(id="e1", slate_id=done.slate.id, item_id="7", kind="rating", value=4)
    again = FeedbackEvent(id="e1", slate_id=done.slate.id, item_id="7", kind="rating", value=4)
    assert [store.add_feedback(event), store.add_feedback(again)] == ["e1", "e1"]
    assert store.feedback(done.session_id) == [event]


def test_feedback_keeps_every_kind(store):
    done = turn(store.create_session(), 1)
    store.record(done)
    about = {"slate_id": done.slate.id, "item_id": "8"}
    events = [
        FeedbackEvent(**about, kind="select"),
        FeedbackEvent(**about, kind="dwell", value=3.5),
        FeedbackEvent(**about, kind="critique", value="too röd 🙂", consent=False),
        FeedbackEvent(slate_id=done.slate.id, kind="edit", value="Better."),
    ]
    store.add_feedback_batch(events)
    assert store.feedback(done.session_id) == sorted(events, key=lambda e: (e.time, e.id))


def test_wrong_feedback_is_refused(store):
    done = turn(store.create_session(), 1)
    store.record(done)
    about = {"slate_id": done.slate.id, "kind": "click"}
    store.add_feedback(FeedbackEvent(id="e1", item_id="7", **about))
    with pytest.raises(Conflict, match="used for another event"):
        store.add_feedback(FeedbackEvent(id="e1", item_id="8", **about))
    with pytest.raises(UserInputError, match=r"'9' was not on slate .* it showed \['7', '8'\]"):
        store.add_feedback(FeedbackEvent(item_id="9", **about))
    with pytest.raises(UnknownSlate, match="no slate 'nope'"):
        store.add_feedback(FeedbackEvent(slate_id="nope", item_id="7", kind="click"))


def test_feedback_batch_is_all_or_nothing(store):
    done = turn(store.create_session(), 1)
    store.record(done)
    good = FeedbackEvent(slate_id=done.slate.id, item_id="7", kind="click")
    bad = good.model_copy(update={"id": new_id(), "item_id": "9"})
    with pytest.raises(UserInputError):
        store.add_feedback_batch([good, bad])
    assert store.feedback(done.session_id) == []


def test_slate_outside_turns_takes_feedback(store):
    id = store.create_session()
    slates = [Slate(id=new_id(), items=(SHIRT,)), Slate(id=new_id(), items=(HAT,))]
    store.record_slate(slates[0], id, policy="feed")
    store.record_slate(slates[1])
    events = [
        FeedbackEvent(slate_id=slate.id, item_id=slate.items[0].item_id, kind="click")
        for slate in slates
    ]
    store.add_feedback_batch(events)
    assert store.feedback(id) == events[:1]
    assert store.turns(id) == []
    with pytest.raises(UnknownSession):
        store.record_slate(Slate(id=new_id()), "nope")


def test_bad_event_of_batch_is_named_by_place(store, done):
    with pytest.raises(UserInputError, match=r"^events\.1: item '9' was not on slate"):
        store.add_feedback_batch([click(done), click(done, item_id="9"), click(done)])
    with pytest.raises(UnknownSlate, match=r"^events\.0: no slate 'nope'"):
        store.add_feedback_batch([click(done, slate_id="nope")])
    with pytest.raises(Conflict, match=r"^events\.1: feedback id 'e' was used"):
        store.add_feedback_batch([click(done, id="e"), click(done, id="e", kind="reject")])
    assert store.feedback(done.session_id) == []


@pytest.mark.parametrize(("off", "taken"), [(-1, True), (1, False)])
def test_future_event_is_refused(store, done, off, taken):
    at = datetime.now(UTC) + CLOCK_SKEW + timedelta(minutes=off)
    event = click(done, time=at)
    if taken:
        store.add_feedback(event)
        return
    with pytest.raises(UserInputError) as refused:
        store.add_feedback(event)
    assert f"{at:%Y-%m-%dT%H:%M:%SZ}" in str(refused.value)
    assert "at most 5 minutes ahead" in str(refused.value)
    assert store.feedback(done.session_id) == []


@pytest.mark.parametrize(("off", "taken"), [(1, True), (-1, False)])
def test_event_before_its_slate_is_refused(store, done, off, taken):
    event = click(done, time=datetime.now(UTC) - CLOCK_SKEW + timedelta(minutes=off))
    if taken:
        store.add_feedback(event)
        return
    with pytest.raises(UserInputError, match=r"slate .* was first shown at"):
        store.add_feedback(event)


def test_empty_slate_has_the_time_of_its_turn(store):
    done = turn(store.create_session(), 1, items=())
    store.record(done)
    about = {"item_id": None, "kind": "critique", "value": "nothing found?"}
    with pytest.raises(UserInputError, match="was first shown at"):
        store.add_feedback(click(done, **about, time="2020-01-01T00:00:00Z"))
    store.add_feedback(click(done, **about))
    with pytest.raises(UserInputError, match=r"it showed \[\]"):
        store.add_feedback(click(done))


def test_events_are_kept_in_order_of_time(store, done):
    now = datetime.now(UTC)
    events = [click(done, id=f"e{n}", time=now + timedelta(seconds=n)) for n in (2, 0, 1)]
    store.add_feedback_batch(events)
    assert [one.id for one in store.feedback(done.session_id)] == ["e0", "e1", "e2"]


def test_each_event_is_judged_alone(store, done):
    store.add_feedback(click(done, id="e0"))
    outcomes = store.add_feedback_each(
        [click(done, id="e0"), click(done, item_id="9"), click(done, id="e1")]
    )
    assert [outcomes[0], outcomes[2]] == [False, True]
    assert str(outcomes[1]).startswith("item '9' was not on slate")
    assert [one.id for one in store.feedback(done.session_id)] == ["e0", "e1"]


def test_same_event_sent_at_once_counts_once(store, done):
    start, event = threading.Barrier(4), click(done, id="e1")
    outcomes = []

    def send():
        start.wait()
        outcomes.append(store.add_feedback(event))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["e1"] * 4
    assert store.feedback(done.session_id) == [event]


def test_feedback_after_the_session_is_gone(store, done):
    store.delete_session(done.session_id)
    with pytest.raises(UnknownSlate):
        store.add_feedback(click(done))
