"""Hand-overs: by request, failures and rules; announced by a job; closed; told by the hours."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import update
from standardwebhooks import Webhook

from agent import tables
from agent.dialogue import respond
from agent.errors import HopelessJob, UnknownHandover
from agent.llm import ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.planner import RulePlanner
from agent.service.handover import Announcer, NotAnnounced
from agent.store_handovers import Handovers
from agent.worker import Worker
from tests.agent.talking import say as take
from tests.agent.talking import shown
from tests.agent.tools.shop_api import SECRET

HOURS = {
    "zone": "Europe/Berlin",
    **{day: ["9:00-18:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")},
}
HOOK = {"handover": {"url": "https://desk.example/hook", "secret_env": "DESK_SECRET"}}
SUNDAY = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


@pytest.fixture
def handovers(sessions):
    return Handovers(sessions.database)


def test_request_is_told_as_it_is(talk, handovers, sessions):
    done = talk(HOOK)("can I talk to a person?")
    assert "handing this conversation over to a person" in done.reply
    assert done.service.handover.open
    (stored,) = handovers.list()
    assert (stored.id, stored.reason, stored.status) == (
        done.service.handover.id, "asked", "waiting",
    )  # fmt: skip
    assert sessions.work.get(stored.id).kind == "handover"


def test_closed_hours_are_told(talk, clock):
    clock[0] = SUNDAY
    done = talk({**HOOK, "hours": HOURS, "contact": "Call 030 1234."})("human please")
    assert "they're back tomorrow at 9:00" in done.reply
    assert "If it can't wait: Call 030 1234." in done.reply
    assert not done.service.handover.open


def test_without_a_webhook_the_list_is_named(talk, sessions):
    done = talk({"handover": {}})("let me speak to someone")
    assert "on the list of those that wait for a person. Nobody is alerted" in done.reply
    assert sessions.work.list() == []


def test_open_handover_is_mentioned_once(talk):
    say = talk(HOOK)
    say("human please")
    first, second = say("blue shirts"), say("red shirts")
    assert first.reply.startswith("A person has been asked for")
    assert shown(first)
    assert "A person" not in second.reply
    again = say("I want a human!")
    assert "on the list already" in again.reply
    assert again.service.handover is None


def test_quiet_desk_leaves_it_to_the_person(talk, waiting):
    say = talk({"handover": {"while_open": "quiet"}})
    id = say("human please").service.handover.id
    done = say("blue shirts")
    assert shown(done) == []
    assert "please wait" in done.reply
    waiting.closed.add(id)
    assert shown(say("blue shirts"))


def test_closed_handover_can_be_made_again(talk, waiting):
    say = talk(HOOK)
    first = say("human please").service.handover.id
    waiting.closed.add(first)
    assert say("human please").service.handover.id != first


def test_failures_in_a_row_hand_over(talk):
    say = talk({"handover": {"after_failures": 3}})
    turns = [
        say("do you have a loyalty programme?"), say("thanks"), say("what is your privacy policy?"),
        say("blahfoo quux"),
    ]  # fmt: skip
    assert [done.state.desk.failures for done in turns] == [1, 1, 2, 0]
    assert turns[-1].service.handover.reason == "failures"
    assert "not getting you any further" in turns[-1].reply


def test_success_between_failures_starts_anew(talk):
    say = talk({"handover": {"after_failures": 2}})
    say("do you have a loyalty programme?")
    assert say("blue shirts").state.desk.failures == 0
    done = say("do you have a loyalty programme?")
    assert done.service.handover is None
    assert say("thanks").state.desk.failures == 1


def test_failures_never_hand_over_where_set(talk):
    say = talk({"handover": {"after_failures": 0}})
    assert [say("what is your privacy policy?").service.handover for _ in range(4)] == [None] * 4


RULES = [
    ({"name": "law", "words": ["lawyer", "legal action"]}, "I will call my lawyer", "law"),
    ({"name": "dear", "facet": "price", "over": 100}, "shoes over 120", "dear"),
    ({"name": "dear", "facet": "price", "over": 100}, "shoes under 40", None),
    ({"name": "formal", "facet": "colour", "values": ["black"]}, "black shoes", "formal"),
    ({"name": "both", "words": ["wedding"], "facet": "price", "over": 100}, "shoes over 120", None),
    ({"name": "law", "words": ["law"]}, "show me flawless shirts", None),
]


@pytest.mark.parametrize(("rule", "text", "name"), RULES)
def test_rules_of_the_owner_hand_over(talk, rule, text, name):
    done = talk({"handover": {"rules": [rule]}})(text)
    made = done.service.handover if done.service else None
    assert (made.detail if made else None) == name
    assert made is None or made.reason == "rule"


def test_failing_tool_hands_over_by_rule(talk, tools_of, shop_api):
    shop_api.answers = {"GET /orders/A-1234": (500, {})}
    rules = [{"name": "broken", "tool_failed": 2}]
    say = talk({"handover": {"rules": rules, "after_failures": 0}}, tools=tools_of())
    assert say("where is my order A-1234?").service.handover is None
    done = say("where is my order A-1234?")
    assert done.service.handover.detail == "broken"


def test_planner_can_hand_over(desk_of, parts_of, sessions):
    class Plans(RulePlanner):
        def plan(self, request):
            from agent.plan import Act, Plan

            return Plan(acts=(Act(act="handoff"),), utterance=request.utterance, planner="llm")

    parts = parts_of(desk_of(HOOK), planner=Plans())
    done = take(parts, sessions.create_session(), "this is getting silly")
    assert done.service.handover.reason == "asked"


def test_model_planner_or_not_the_desk_goes_first(desk_of, parts_of, sessions, pages):
    model = ScriptedModel(['{"acts":[{"act":"recommend"}]}'])
    planner = LLMPlanner(model, RulePlanner())
    parts = parts_of(desk_of(), planner=planner)
    done = take(parts, sessions.create_session(), "what is your return policy?")
    assert done.service.quotes
    assert pages.asked == ["what is your return policy?"]


def test_turn_is_stored_and_read_back(talk, sessions):
    done = talk(HOOK)("is this returnable? and can I talk to a person?")
    (stored,) = sessions.turns(done.session_id)
    assert stored.service == done.service
    assert stored.reply == done.reply
    assert sessions.load(done.session_id).state.desk == done.state.desk


class Desk:
    """Answers announcements with the statuses that it was given, and keeps them."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.got = []

    def __call__(self, request):
        self.got.append(request)
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise httpx.ConnectError("refused")
        return httpx.Response(status)


def announcer(store, desk):
    return Announcer(
        store, "https://desk.example/hook", SECRET, transport=httpx.MockTransport(desk)
    )


def test_announcement_tells_everything_signed(talk, sessions, handovers):
    say = talk(HOOK)
    say("blue shirts under 40")
    id = say("human please").service.handover.id
    desk = Desk()
    assert announcer(sessions, desk)({"id": id}) == {"status": 200}
    (request,) = desk.got
    told = Webhook(SECRET).verify(request.content, dict(request.headers))
    data = told["data"]
    assert told["type"] == "handover.created"
    assert request.headers["webhook-id"] == data["id"] == id
    assert [turn["user"] for turn in data["transcript"]] == ["blue shirts under 40", "human please"]
    assert data["slate"][0]["title"] == "Alto men blue cotton shirt"
    assert data["reason"] == "asked"
    assert data["state"]["need"]["constraints"]
    assert handovers.get(id).status == "delivered"


def test_worker_announces_until_it_is_taken(talk, sessions, handovers):
    id = talk(HOOK)("human please").service.handover.id
    desk = Desk(0, 503, 200)
    worker = Worker(sessions, {"handover": announcer(sessions, desk)})
    for _ in range(3):
        with sessions.database.write() as connection:
            connection.execute(update(tables.jobs).values(due=datetime(2020, 1, 1, tzinfo=UTC)))
        worker.run_due()
    assert len(desk.got) == 3
    assert handovers.get(id).status == "delivered"
    assert sessions.work.get(id).status == "done"


def test_hopeless_announcement_is_dead_until_retried(talk, sessions, handovers):
    id = talk(HOOK)("human please").service.handover.id
    worker = Worker(sessions, {"handover": announcer(sessions, Desk(410))})
    worker.run_due()
    assert handovers.get(id).status == "dead"
    assert [one.id for one in handovers.list("dead")] == [id]
    assert handovers.list("waiting") == []
    sessions.work.retry(id)
    worker.run_due()
    assert handovers.get(id).status == "delivered"


@pytest.mark.parametrize(("status", "error"), [(500, NotAnnounced), (302, NotAnnounced),
                                               (410, HopelessJob), (0, NotAnnounced)])  # fmt: skip
def test_refused_announcement_raises(talk, sessions, status, error):
    id = talk(HOOK)("human please").service.handover.id
    with pytest.raises(error):
        announcer(sessions, Desk(status))({"id": id})


def test_nothing_is_announced_of_what_is_gone(talk, sessions, handovers):
    say = talk(HOOK)
    done = say("human please")
    id = done.service.handover.id
    handovers.close(id)
    desk = Desk()
    assert announcer(sessions, desk)({"id": id}) == {"skipped": "closed"}
    sessions.delete_session(done.session_id)
    assert announcer(sessions, desk)({"id": id}) == {"skipped": "deleted"}
    assert desk.got == []


def test_closing_twice_is_closing_once(talk, handovers):
    id = talk(HOOK)("human please").service.handover.id
    assert handovers.is_open(id)
    assert handovers.close(id).status == handovers.close(id).status == "closed"
    assert not handovers.is_open(id)
    assert not handovers.delivered(id)
    with pytest.raises(UnknownHandover, match="no hand-over 'nope'"):
        handovers.get("nope")


def test_real_store_reopens_the_bot(parts_of, desk_of, sessions, handovers):
    desk = desk_of(HOOK)
    desk = replace(desk, escalation=_with(desk.escalation, handovers))
    parts = parts_of(desk)
    session = sessions.create_session()
    id = take(parts, session, "human please").service.handover.id
    handovers.close(id)
    done = take(parts, session, "blue shirts")
    assert done.state.desk.handover is None
    assert json.loads(done.model_dump_json())["service"] is None
    assert list(respond(parts, session, "human please"))[-1].service.handover.id != id


def _with(escalation, handovers):
    escalation._handovers = handovers
    return escalation
