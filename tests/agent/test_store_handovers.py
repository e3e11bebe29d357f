"""Hand-overs in each kind of store."""

from dataclasses import replace

import pytest

from agent.dialogue import respond
from agent.errors import UnknownHandover
from agent.feedback import new_id
from agent.jobs import NewJob
from agent.service.values import DeskState, Handover, Service
from agent.store_handovers import Handovers


class HandsOver:
    """A desk that hands every conversation over."""

    def attend(self, request):
        from agent.desk import Attended

        made = Handover(id=new_id(), reason="rule", detail="always", open=False)
        job = NewJob("handover", {"id": made.id}, id=made.id)
        state = DeskState(handover=made.id)
        return Attended("", state, Service(handover=made), ("Handed over.",), (job,))

    def conclude(self, request, attended, outcome):
        return attended


@pytest.fixture
def made(parts, store):
    """Two hand-overs of one session, oldest first."""
    served = replace(parts, store=store, desk=HandsOver())
    session = store.create_session()
    turns = [list(respond(served, session, text))[-1] for text in ("one", "two")]
    return [turn.service.handover.id for turn in turns]


def test_handovers_are_listed_newest_first(store, made):
    handovers = Handovers(store.database)
    assert [one.id for one in handovers.list()] == made[::-1]
    assert [one.id for one in handovers.list(limit=1)] == made[1:]
    one = handovers.get(made[0])
    assert (one.reason, one.detail, one.status) == ("rule", "always", "waiting")
    assert one.created.tzinfo is not None


def test_status_follows_delivery_job_and_people(store, made):
    handovers = Handovers(store.database)
    first, second = made
    assert handovers.delivered(first)
    assert not handovers.delivered(first)
    while (job := store.work.claim(("handover",), 30)) is not None:
        store.work.fail(job, "HTTP 410", None)
    assert [one.id for one in handovers.list("dead")] == [second]
    assert handovers.get(first).status == "delivered"
    assert handovers.is_open(second)
    assert handovers.close(second).status == "closed"
    assert handovers.list("dead") == []
    assert not handovers.is_open(second)


def test_handover_goes_with_its_session(store, made):
    handovers = Handovers(store.database)
    store.delete_session(handovers.get(made[0]).session_id)
    assert handovers.list() == []
    assert not handovers.is_open(made[0])
    with pytest.raises(UnknownHandover, match="its session may be deleted"):
        handovers.get(made[0])
