"""Real vLLM: plans under a schema, adapters side by side, failures in the middle of a turn."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import uvicorn

from agent.dialogue import Parts, respond
from agent.linking import Linker
from agent.llm_planner import LLMPlanner
from agent.local_chat import LocalChat
from agent.openai_chat import OpenAIChat
from agent.plan_answer import turn_schema
from agent.plan_prompt import plan_messages
from agent.planner import RulePlanner
from agent.server import create_app
from agent.store import Store
from agent.turn import Done
from tests.agent.planning import FACETS, MENTIONS, FixedRules, request
from tests.agent.shop import open_shop

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

ASK = ({"role": "user", "content": "something nice"},)
UNCLEAR = "hmm well you know what my aunt would fancy, number {}"
ACTS = {"type": "array", "items": {"enum": ["undo", "reset"]}, "minItems": 2, "maxItems": 3}
SCHEMA = {
    "type": "object",
    "properties": {
        "acts": ACTS,
        "sure": {"type": "boolean"},
    },
    "required": ["acts", "sure"],
    "additionalProperties": False,
}  # fmt: skip


@pytest.fixture
def parts(tmp_path, served):
    """A shop whose turns the served base plans, wherever the rules leave room."""
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    with open_shop(tmp_path / "shop") as shop, OpenAIChat(served.url, "tiny") as chat:
        planner = LLMPlanner(
            chat, RulePlanner(shop.facets), deadline_s=60, breaker_failures=2, breaker_reset_s=1.0
        )
        yield Parts(store, shop, Linker.build(shop), planner)
    store.close()


@pytest.fixture
def api(parts):
    """The HTTP API over the shop, on a port of its own."""
    config = uvicorn.Config(create_app(parts), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        yield client
    server.should_exit = True
    thread.join()


def take(parts, session, text) -> Done:
    *_, done = respond(parts, session, text)
    return done


def test_plan_is_made_under_the_turns_schema(served):
    with OpenAIChat(served.url, "tiny", logprobs=True) as chat:
        schema = turn_schema(MENTIONS, [facet.name for facet in FACETS])
        answer = chat.complete(plan_messages(request()), schema=schema, deadline_s=60)
        plan = LLMPlanner(chat, FixedRules(), fast_path=False, deadline_s=60).plan(request())
    assert chat.structured == "strict"
    assert 0.5 < answer.confidence <= 1.0
    assert (plan.planner, plan.model) == ("llm", "tiny")
    assert [act.act for act in plan.acts] == ["recommend"]


def test_schema_holds_it_to_what_it_was_not_taught(served, models):
    with OpenAIChat(served.url, "tiny") as chat, LocalChat(models.base) as local:
        theirs = chat.complete(ASK, schema=SCHEMA, deadline_s=60)
        ours = local.complete(ASK, schema=SCHEMA, deadline_s=60)
    assert theirs.text == ours.text
    assert " " not in theirs.text
    assert theirs.text.startswith('{"acts":["')


def test_base_and_adapters_answer_side_by_side(served, admin, models):
    if "greet" not in {model.name for model in admin.models()}:
        admin.load("greet", models.greet)
    names = list(models.answers) * 4

    def ask(name):
        with OpenAIChat(served.url, name) as chat:
            return chat.complete(ASK, deadline_s=120)

    with ThreadPoolExecutor(len(names)) as pool:
        answers = list(pool.map(ask, names))
    assert [answer.text for answer in answers] == [models.answers[name] for name in names]
    assert [answer.model for answer in answers] == names


def test_adapter_comes_under_a_new_name_and_goes(served, admin, models):
    with OpenAIChat(served.url, "newer") as chat:
        with pytest.raises(Exception, match="HTTP 404"):
            chat.complete(ASK, deadline_s=60)
        admin.load("newer", models.greet)
        assert chat.complete(ASK, deadline_s=60).text == models.answers["greet"]
        assert {"tiny", "more", "newer"} <= {model.name for model in admin.models()}
        admin.unload("newer")
        with pytest.raises(Exception, match="HTTP 404"):
            chat.complete(ASK, deadline_s=60)


def test_answer_is_streamed(served, models):
    with OpenAIChat(served.url, "more") as chat:
        pieces = list(chat.stream(ASK, deadline_s=60))
    assert len(pieces) > 1
    assert "".join(pieces) == models.answers["more"]


def test_concurrent_turns_are_planned_from_the_cache(api, admin):
    def turn(number):
        session = api.post("/v1/sessions").json()["id"]
        text = UNCLEAR.format(number)
        return api.post(f"/v1/sessions/{session}/turns", json={"text": text}).json()

    turn(0)
    before, started = admin.prefix_cache(), time.monotonic()
    with ThreadPoolExecutor(32) as pool:
        turns = list(pool.map(turn, range(32)))
    spent = time.monotonic() - started
    after = admin.prefix_cache()
    assert [turn["plan"]["planner"] for turn in turns] == ["llm"] * 32
    assert all(turn["items"] for turn in turns)
    found, asked = after.found - before.found, after.looked_up - before.looked_up
    print(f"32 turns in {spent:.1f} s, prefix cache {found / asked:.3f} of {asked} tokens")
    assert found / asked > 0.5, "the static part of the prompt comes first and is served again"
    assert after.hit_rate > 0


def test_turn_survives_the_servers_end_and_return(served, parts):
    session = parts.store.create_session()
    assert take(parts, session, UNCLEAR.format(1)).planner == "llm"

    done = killed_in_the_middle(served, parts, session)
    assert (done.planner, done.plan.fallback) == (
        "rules", "no connection to the server, or it broke off",
    )  # fmt: skip
    assert take(parts, session, UNCLEAR.format(3)).planner == "rules"
    assert parts.planner.breaker.state != "closed"
    assert "not asked" in take(parts, session, UNCLEAR.format(4)).plan.fallback

    served.restart()
    assert take(parts, session, UNCLEAR.format(5)).planner == "llm"
    assert parts.planner.breaker.state == "closed"
    turns = parts.store.turns(session)
    assert [turn.planner for turn in turns] == ["llm", "rules", "rules", "rules", "llm"]
    assert turns[1] == done
    assert parts.store.load(session).state == turns[-1].state


def killed_in_the_middle(served, parts, session) -> Done:
    """Take a turn; the server is killed once it has the request and before it can answer."""
    group = served.server._process.pid
    os.killpg(group, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(take, parts, session, UNCLEAR.format(2))
        time.sleep(1.0)
        assert not turn.done(), "the request waits for the stopped server"
        served.server.kill()
        served.server.wait()
        return turn.result(timeout=30)
