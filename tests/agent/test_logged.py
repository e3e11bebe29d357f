"""Sessions read back whole: turns with the state before them, slates with chances, feedback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession
from agent.plan import Act, Plan
from agent.state import State
from agent.store import Store
from agent.turn import Done, Slate, SlateItem


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'sessions.db'}")


def done(session: str, number: int) -> Done:
    items = tuple(
        SlateItem(item_id=id, rank=rank, score=1 / rank, fields={"title": id, "tags": ("a", "b")})
        for rank, id in enumerate(("x", "y"), start=1)
    )
    return Done(
        turn_id=f"{session}-{number}", session_id=session, utterance=f"say {number}", reply="Here.",
        slate=Slate(id=f"slate-{session}-{number}", items=items),
        plan=Plan(acts=(Act(act="recommend"),), model="house"), state=State(turn=number),
    )  # fmt: skip


def event(session: str, number: int, **given: object) -> FeedbackEvent:
    values = {"slate_id": f"slate-{session}-{number}", "item_id": "x", "kind": "click", **given}
    return FeedbackEvent.model_validate(values)


def test_session_comes_back_whole(store: Store) -> None:
    id = store.create_session("ann")
    store.record(done(id, 1), policy="explore", propensities={"y": 0.25})
    store.record(done(id, 2))
    store.add_feedback_batch([event(id, 2), event(id, 1, kind="select", consent=False)])
    (session,) = store.logged()
    assert (session.id, session.user) == (id, "ann")
    assert [turn.utterance for turn in session.turns] == ["say 1", "say 2"]
    assert [slate.policy for slate in session.slates] == ["explore", "greedy"]
    assert [shown.propensity for shown in session.slates[0].items] == [1.0, 0.25]
    assert session.slates[0].item("y").fields["tags"] == ("a", "b")
    assert {one.kind for one in session.events} == {"click", "select"}
    assert [one.kind for one in session.consented().events] == ["click"]


def test_state_before_a_turn(store: Store) -> None:
    id = store.create_session()
    store.record(done(id, 1))
    store.record(done(id, 2))
    (session,) = store.logged()
    assert session.before(session.turns[0]) == State()
    assert session.before(session.turns[1]) == session.turns[0].state


def test_survives_being_written_as_json(store: Store) -> None:
    id = store.create_session()
    store.record(done(id, 1))
    store.add_feedback(event(id, 1, kind="rating", value=4))
    (session,) = store.logged()
    assert LoggedSession.model_validate_json(session.model_dump_json()) == session


def test_since_leaves_out_old_sessions(store: Store) -> None:
    id = store.create_session()
    store.record(done(id, 1))
    now = datetime.now(UTC)
    assert [one.id for one in store.logged(now - timedelta(hours=1))] == [id]
    assert list(store.logged(now + timedelta(hours=1))) == []


@pytest.mark.parametrize("what", ["turn", "feed", "feedback"])
def test_since_counts_whatever_happened(store: Store, what: str) -> None:
    id, quiet = store.create_session(), store.create_session()
    store.record(done(id, 1))
    store.record(done(quiet, 1))
    store.record_slate(done(id, 7).slate)  # nobody's
    now = datetime.now(UTC)
    if what == "turn":
        store.record(done(id, 2))
    elif what == "feed":
        store.record_slate(done(id, 2).slate, id)
    else:
        store.add_feedback(event(id, 1))
    assert [one.id for one in store.logged(now)] == [id]


def test_feed_slates_have_no_turn(store: Store) -> None:
    id = store.create_session()
    store.record_slate(done(id, 1).slate, id)
    (session,) = store.logged()
    assert [slate.turn_id for slate in session.slates] == [None]


def test_unknown_slate_or_item_is_named(store: Store) -> None:
    id = store.create_session()
    store.record(done(id, 1))
    (session,) = store.logged()
    with pytest.raises(KeyError, match="nope"):
        session.slate("nope")
    with pytest.raises(KeyError, match="nope"):
        session.slates[0].item("nope")


def test_deleted_while_reading_is_left_out(store: Store) -> None:
    first, second = store.create_session(), store.create_session()
    sessions = store.logged()
    assert next(sessions).id in (first, second)
    store.delete_session(first)
    store.delete_session(second)
    assert list(sessions) == []


def test_unreadable_turn_is_named(store: Store) -> None:
    from sqlalchemy import update

    from agent import tables

    id = store.create_session()
    store.record(done(id, 1))
    with store._database.write() as connection:
        connection.execute(update(tables.turns).values(plan={"acts": 3}))
    with pytest.raises(StoreError, match=f"session '{id}' holds"):
        list(store.logged())
