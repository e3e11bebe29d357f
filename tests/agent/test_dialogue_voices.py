"""Voices in the one flow: leased for a turn, let go at its end, and kept with what was shown."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from agent.dialogue import respond
from agent.errors import ModelUnavailable, UnknownSession
from agent.explainer import LLMExplainer
from agent.exploring import Explore
from agent.llm import ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.planner import RulePlanner
from agent.voice import Voice
from retrieval.filters import matches
from tests.agent.choosing import Liking
from tests.agent.shop import BY_ID
from tests.agent.talking import say, shown

REFINE = '{"acts":[{"act":"recommend"}]}'


class OneVoice:
    """A router with one voice; counts who holds it."""

    def __init__(self, voice):
        self.voice = voice
        self.held, self.leases = 0, []

    @contextmanager
    def lease(self, session_id):
        self.held += 1
        self.leases.append(session_id)
        try:
            yield self.voice
        finally:
            self.held -= 1


@pytest.fixture
def routed(parts):
    """Parts with a router to one voice, whose model plans and whose chooser likes high prices."""
    model = ScriptedModel(lambda messages: REFINE, name="shop-7")
    planner = LLMPlanner(model, RulePlanner(), fast_path=False)
    chooser = Liking(lambda item: item.fields.get("price", 0.0), name="shop-7")
    return replace(parts, router=OneVoice(Voice("shop-7", planner, None, chooser)))


def stored(parts, session):
    (logged,) = [one for one in parts.store.logged() if one.id == session]
    return logged


def test_voice_takes_the_turn_and_is_told(routed):
    session = routed.store.create_session()
    done = say(routed, session, "shoes")
    assert (done.voice, done.plan.model) == ("shop-7", "shop-7")
    assert (routed.router.leases, routed.router.held) == ([session], 0)
    logged = stored(routed, session)
    assert logged.turns[0].voice == "shop-7"
    assert logged.slates[0].policy == "greedy+shop-7"
    assert {one.propensity for one in logged.slates[0].items} == {1.0}
    assert routed.store.turns(session) == [done]


def test_voice_is_told_where_rules_planned(routed):
    planner = RulePlanner()
    voice = replace(routed.router.voice, planner=planner)
    done = say(replace(routed, router=OneVoice(voice)), routed.store.create_session(), "shoes")
    assert (done.voice, done.planner, done.plan.model) == ("shop-7", "rules", None)


def test_turn_without_a_router_has_the_own_voice(parts):
    done = say(parts, parts.store.create_session(), "shoes")
    assert (done.voice, done.planner) == ("rules", "rules")
    chooser = Liking(lambda item: 50.0 * (item.id in ("s2", "c1")))
    own = replace(parts, chooser=chooser, voice="house")
    other = say(own, parts.store.create_session(), "shoes")
    assert other.voice == "house"
    assert shown(other) != shown(done)
    assert set(shown(other)) == set(shown(done))


def test_listener_who_leaves_lets_the_voice_go(routed):
    session = routed.store.create_session()
    events = respond(routed, session, "shoes")
    next(events)
    assert routed.router.held == 1
    events.close()
    assert routed.router.held == 0
    assert say(routed, session, "shoes").state.turn == 1


def test_voice_is_let_go_when_a_turn_fails(routed, monkeypatch):
    session = routed.store.create_session()
    with pytest.raises(UnknownSession):
        list(respond(routed, "x" * 32, "shoes"))
    monkeypatch.setattr(routed.retriever, "search", lambda *a, **k: 1 / 0, raising=False)
    with pytest.raises(ZeroDivisionError):
        list(respond(routed, session, "something waterproof"))
    assert (routed.router.held, routed.router.leases) == (0, [session])


def test_explanations_are_worded_by_the_voice(parts):
    model = ScriptedModel([ModelUnavailable("down")] * 9, name="shop-8")
    voice = Voice("shop-8", RulePlanner(), LLMExplainer(model))
    routed = replace(parts, router=OneVoice(voice))
    done = say(routed, parts.store.create_session(), "blue shoes", "why the first one?")
    assert (done.written[0].model, done.written[0].fallback) == ("shop-8", "down")


def test_explored_slates_keep_their_chances(parts):
    exploring = replace(parts, policy=Explore(1.0, head=5))
    slates = []
    for _ in range(8):
        session = parts.store.create_session()
        say(exploring, session, "shoes")
        (slate,) = stored(parts, session).slates
        slates.append(slate)
    assert {slate.policy for slate in slates} == {"explore:1"}
    assert all(0 < one.propensity < 1 for slate in slates for one in slate.items)
    assert len({tuple(one.item_id for one in slate.items) for slate in slates}) > 2


def test_explored_turn_that_broke_off_comes_again(parts):
    exploring = replace(parts, policy=Explore(1.0))
    session = parts.store.create_session()
    events = respond(exploring, session, "under 100 please")
    slate = next(event.slate for event in events if event.kind == "items")
    events.close()
    again = say(exploring, session, "under 100 please")
    assert again.state.turn == 1
    assert shown(again) == [one.item_id for one in slate.items]
    assert all(matches(again.state.need.filter(), BY_ID[id]) for id in shown(again))
