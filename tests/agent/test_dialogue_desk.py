"""The desk in the one flow: it goes first, leaves the rest, and is stored with the turn."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from agent import tables
from agent.desk import Attended, Extras, Once
from agent.dialogue import respond
from agent.errors import Conflict
from agent.feedback import new_id
from agent.jobs import NewJob
from agent.llm import ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.planner import RulePlanner
from agent.service.values import DeskState, Handover, Quote, Service
from agent.turn import Items, Text, Understood
from tests.agent.talking import say, shown

ABOUT_RETURNS = "can I return it"
RETURNS = Quote(text="Within 30 days.", source="returns.md", score=0.9)


class Returns:
    """A desk that knows about returns, and hands over when a plan says so."""

    def __init__(self):
        self.requests, self.outcomes = [], []

    def attend(self, request):
        self.requests.append(request)
        at = request.utterance.find(ABOUT_RETURNS)
        if at < 0:
            return Attended(request.utterance, DeskState(failures=request.state.desk.failures))
        end = at + len(ABOUT_RETURNS)
        rest = request.utterance[:at] + " " * (end - at) + request.utterance[end:]
        service = Service(asked=(ABOUT_RETURNS,), quotes=(RETURNS,))
        return Attended(rest, DeskState(), service, ("Within 30 days.",))

    def conclude(self, request, attended, outcome):
        self.outcomes.append(outcome)
        if all(act.act != "handoff" for act in outcome.plan.acts):
            return attended
        made = Handover(id=new_id(), reason="asked")
        service = (attended.service or Service()).model_copy(update={"handover": made})
        job = NewJob("handover", {"id": made.id})
        return replace(
            attended, service=service, jobs=(job,), state=DeskState(failures=1, handover=made.id)
        )


@pytest.fixture
def desk():
    return Returns()


@pytest.fixture
def served(parts, desk):
    return replace(parts, desk=desk)


def rows(store, table):
    with store._database.read() as connection:
        return connection.execute(select(table)).all()


def test_question_alone_shows_no_items(served):
    done = say(served, served.store.create_session(), ABOUT_RETURNS)
    assert done.reply == "Within 30 days."
    assert [act.act for act in done.plan.acts] == ["answer"]
    assert shown(done) == []
    assert done.state.need == type(done.state.need)()
    assert done.service.quotes == (RETURNS,)


def test_mixed_turn_gets_both(served):
    session = served.store.create_session()
    events = list(respond(served, session, f"{ABOUT_RETURNS}, and show me blue shirts"))
    done = events[-1]
    assert [item.item_id for item in done.slate.items] == ["t1"]
    said = [event.delta for event in events if isinstance(event, Text)]
    assert said[0] == "Within 30 days."
    assert "".join(said) == done.reply
    kinds = [type(event) for event in events]
    assert kinds.index(Items) < kinds.index(Text)
    (mention,) = [m for m in done.plan.mentions if m.facet == "colour"]
    assert done.utterance[mention.start : mention.end] == "blue"


def test_turn_is_stored_with_its_service(served):
    session = served.store.create_session()
    done = say(served, session, ABOUT_RETURNS)
    assert served.store.turns(session) == [done]
    (logged,) = served.store.logged()
    assert logged.turns[0].service == done.service


def test_handover_and_job_are_stored_together(served):
    session = served.store.create_session()
    done = say(served, session, "let me talk to a human")
    (handover,) = rows(served.store, tables.handovers)
    assert (handover.id, handover.turn_id) == (done.service.handover.id, done.turn_id)
    (job,) = rows(served.store, tables.jobs)
    assert (job.kind, job.payload, job.status) == ("handover", {"id": handover.id}, "waiting")
    assert served.store.load(session).state.desk.handover == handover.id


def test_abandoned_turn_leaves_no_job(served):
    events = respond(served, served.store.create_session(), "let me talk to a human")
    assert isinstance(next(events), Understood)
    events.close()
    assert rows(served.store, tables.jobs) == rows(served.store, tables.handovers) == []


def test_planned_answer_is_left_to_the_desk(served, desk):
    model = ScriptedModel(lambda messages: '{"acts":[{"act":"answer"}]}')
    planner = LLMPlanner(model, RulePlanner(), fast_path=False)
    done = say(replace(served, planner=planner), served.store.create_session(), "blue or so")
    assert [act.act for act in desk.outcomes[-1].plan.acts] == ["answer"]
    assert done.reply


def test_masked_text_is_all_but_the_raw(served, desk):
    class Masks:
        def mask(self, text):
            return text.replace("a@b.example", "[mail]")

    session = served.store.create_session()
    done = say(replace(served, masker=Masks()), session, "blue shirts, mail a@b.example")
    assert done.utterance == "blue shirts, mail [mail]"
    assert desk.requests[-1].raw == "blue shirts, mail a@b.example"
    assert "a@b.example" not in served.store.turns(session)[0].model_dump_json()


def test_same_request_is_taken_once(served):
    session, once = served.store.create_session(), Once("k" * 64, "f" * 64)
    first = list(respond(served, session, "blue shirts", Extras(once=once)))
    again = list(respond(served, session, "blue shirts", Extras(once=once)))
    assert again[-1] == first[-1]
    assert [event.kind for event in again] == ["understood", "items", "text", "done"]
    assert len(served.store.turns(session)) == 1


def test_key_of_another_request_is_refused(served):
    session = served.store.create_session()
    say_once = list(respond(served, session, "blue shirts", Extras(once=Once("k" * 64, "f" * 64))))
    with pytest.raises(Conflict, match="another request"):
        list(respond(served, session, "red shirts", Extras(once=Once("k" * 64, "0" * 64))))
    assert served.store.turns(session) == [say_once[-1]]
