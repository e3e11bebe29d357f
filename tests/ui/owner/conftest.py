"""A project with adapters, and sessions as if people had shopped under an experiment."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession, LoggedSlate, LoggedTurn, Shown
from agent.plan import Act, Plan
from agent.state import State
from agent.store import Store
from benchmarks.browser.learned import add_adapters
from finetune.bases import HOUSE


@pytest.fixture
def learned(tmp_path):
    """A project folder with three adapters: live, passed, refused; and their names."""
    if not (HOUSE / "config.json").is_file():
        pytest.skip("needs the house model")
    project = tmp_path / "learned"
    return project, add_adapters(project, tmp_path / "work")


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    yield store
    store.close()


def shopped(number, voice, *, bought, policy="greedy", begun=None, user=True):
    """Return a session of somebody of their own: one turn, two items shown, one perhaps bought."""
    begun = begun or datetime.now(UTC) - timedelta(minutes=5)
    name = f"{voice[:20]}-{policy[-4:]}-{number}".replace(":", "-").replace("+", "-")
    items = tuple(Shown(item_id=str(n), rank=n, score=1.0, fields={}) for n in (1, 2))
    plan = Plan(acts=(Act(act="recommend"),), utterance="shoes")
    turn = LoggedTurn(
        id=f"{name}-t", number=1, time=begun, utterance="shoes", reply="Here.", plan=plan,
        state=State(turn=1), slate_id=f"{name}-s", voice=voice,
    )  # fmt: skip
    slate = LoggedSlate(id=f"{name}-s", turn_id=turn.id, policy=policy, time=begun, items=items)
    event = FeedbackEvent(slate_id=slate.id, item_id="2", kind="select", time=begun)
    return LoggedSession(
        id=name, user=f"user-{name}" if user else None, created=begun, turns=(turn,),
        slates=(slate,), events=(event,) if bought else (),
    )  # fmt: skip


@pytest.fixture
def shop_as():
    return shopped


@pytest.fixture
def put(store):
    """Put sessions into the store as they are, at their own times."""
    return lambda *sessions: [store.add_session(one) for one in sessions]
