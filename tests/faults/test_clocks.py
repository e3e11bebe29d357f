"""Clocks that jump, there and back: ids, turns, feedback, jobs and limits bear it."""

from datetime import UTC, datetime, timedelta

import pytest

from agent import store as store_module
from agent import store_feedback, store_jobs, worker
from agent.errors import UserInputError
from agent.feedback import FeedbackEvent
from agent.jobs import NewJob
from agent.store import Store
from agent.worker import Worker
from tests.agent.stores import turn

JUMPS = (timedelta(days=2), timedelta(days=-2), timedelta(hours=-1), timedelta(0))


@pytest.fixture
def sessions(tmp_path):
    opened = Store(f"sqlite:///{tmp_path}/sessions.db")
    yield opened
    opened.close()


@pytest.fixture
def clock(monkeypatch):
    """Set how far the wall clock is off, for everything that stores times."""
    off = {"by": timedelta(0)}

    class Clock(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.now(zone) + off["by"]

    for module in (store_module, store_feedback, store_jobs, worker):
        monkeypatch.setattr(module, "datetime", Clock)
    monkeypatch.setattr("agent.feedback.datetime", Clock)
    return lambda by: off.update(by=by)


def test_turns_keep_their_order(sessions, clock):
    id, ids = sessions.create_session(), []
    for number, jump in enumerate(JUMPS, start=1):
        clock(jump)
        done = turn(id, number)
        sessions.record(done)
        ids.append(done.turn_id)
    assert [done.turn_id for done in sessions.turns(id)] == ids
    assert len(set(ids)) == len(JUMPS)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_feedback_is_taken_after_a_jump(sessions, clock, jump):
    """Who leaves the time out does not answer for our clock; who gives one is held to it."""
    done = turn(sessions.create_session(), 1)
    sessions.record(done)
    clock(jump)
    own = {"slate_id": done.slate.id, "item_id": "7", "kind": "click"}
    sessions.add_feedback(FeedbackEvent(**own, id="left-out"))
    (kept,) = sessions.feedback(done.session_id)
    assert (kept.id, kept.time >= datetime.now(UTC) - timedelta(minutes=1)) == ("left-out", True)
    early = FeedbackEvent(**own, id="given", time=datetime.now(UTC) - timedelta(days=3))
    with pytest.raises(UserInputError, match="set the clock, or leave time out"):
        sessions.add_feedback(early)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_jobs_go_on_after_a_jump(sessions, clock, jump, monkeypatch):
    """New ones run, failed ones are tried again, none runs more often than it should."""
    first, failing = NewJob("mail", {"n": 1}), NewJob("mail", {"n": 2})
    ran, fails = [], [True]

    def run(payload):
        ran.append(payload["n"])
        if payload["n"] == 2 and fails:
            fails.pop()
            raise ValueError("not now")

    one = Worker(sessions, {"mail": run})
    sessions.work.add(failing)
    one.run_due()
    clock(jump)
    sessions.work.add(first)
    one.run_due()
    assert sessions.work.get(first.id).status == "done"
    waits = sessions.work.next_due(("mail",))
    if waits is not None:  # the clock went back: no longer than one pause by either clock
        clock(jump + timedelta(seconds=waits + 1))
        one.run_due()
    assert sessions.work.get(failing.id).status == "done"
    assert sorted(ran) == [1, 2, 2]
    assert waits is None or waits <= 3600 + 10
