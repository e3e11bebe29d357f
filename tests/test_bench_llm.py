"""The benchmark of the language model: clocks, ratios, and all of it over a server of ours."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from rich.console import Console

from agent.errors import ModelUnavailable
from agent.llm import Completion, ScriptedModel
from agent.llm_planner import LLMPlanner
from agent.openai_chat import OpenAIChat
from agent.vllm_server import Installation
from benchmarks.llm import Rig, arguments, first, measure, ratio, usage
from benchmarks.llm_load.asked import (
    Call,
    Noted,
    Turn,
    always_asking,
    body,
    hold,
    own_store,
    record,
)  # fmt: skip
from benchmarks.llm_load.clients import Answered, Meter, Work, bare, load_of, spread, through
from benchmarks.llm_load.report import tables
from benchmarks.llm_load.served import Served, apart, serve
from benchmarks.random_talk.shops import open_shop
from tests.agent.chat_server import ChatServer, Handler, reply, status
from tests.agent.fake_vllm import METRICS

PLAN = '{"acts":[{"act":"refine"}]}'
LINES = ("blue ones under 200", "hmm what would my aunt fancy", "why the first?")


class Managed(Handler):
    """A chat server that has a prefix cache to be read and emptied, too."""

    disable_nagle_algorithm = True

    def do_GET(self):
        self.send(200, METRICS.encode())

    def do_POST(self):
        if self.path == "/reset_prefix_cache":
            return self.send(200, {})
        return super().do_POST()


@pytest.fixture
def server():
    server = ChatServer()
    server.RequestHandlerClass = Managed
    server.behave(reply(PLAN))
    yield server
    server.stop()


@pytest.fixture
def served(server):
    return Served(Installation(Path(sys.executable), "0.32.0", "cpu"), server.url, os.getsid(0))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = open_shop("no category", tmp_path_factory.mktemp("shop"))
    yield shop
    shop.close()


@pytest.fixture
def parts(shop, tmp_path):
    parts = own_store(shop.parts, tmp_path)
    yield parts
    parts.store.close()


def no_cpu():
    return 0.0


def test_only_what_came_while_all_were_busy_counts():
    began, ended = Meter(10.0, 1.0, 5.0), Meter(12.0, 1.5, 6.0)
    answers = [Answered(9.9, 1, 1), Answered(10.5, 30, 4), Answered(12.0, 50, 6),
               Answered(12.1, 9, 9)]  # fmt: skip
    load = load_of(began, ended, answers, [0.1, 0.3])
    assert (load.answers, load.answers_per_s) == (2, 1.0)
    assert (load.tokens_per_s, load.prompt_tokens_per_s) == (5.0, 40.0)
    assert (load.own_ms, load.server_ms) == (250.0, 500.0)
    assert load.ms["p50"] == 200.0


def test_no_answer_in_time_is_an_error():
    with pytest.raises(ValueError, match="give them more to do"):
        load_of(Meter(0, 0, 0), Meter(1, 0, 0), [Answered(2.0, 1, 1)], [2.0])


def test_clock_stops_at_the_first_client_without_work():
    work = Work(["a", "b"], no_cpu)
    assert [work.take(), work.take()] == ["a", "b"]
    assert work.ended is None
    assert work.take() is None
    ended = work.ended
    assert work.take() is None
    assert work.ended is ended
    assert ended.clock >= work.began.clock


def test_spread_and_ratio_are_middles():
    assert spread([0.001, 0.002, 0.003]) == {"p50": 2.0, "p95": 2.9}
    assert ratio([0.8, 0.95, 0.9]) == 0.9


def test_bare_request_is_what_the_planner_sends(server, parts):
    with OpenAIChat(server.url, "house", logprobs=True) as chat:
        script = record(parts, [LINES], chat)
    sent = [request.body for request in server.requests]
    assert len(sent) == len(script.requests) == len(LINES)
    assert [json.loads(body("house", call)) for call in script.calls] == sent


def test_bare_clients_post_everything_and_count_tokens(server):
    bodies = [json.dumps({"messages": [], "n": n}).encode() for n in range(40)]
    load = bare(server.url, bodies, 4, no_cpu)
    assert sorted(request.body["n"] for request in server.requests) == list(range(40))
    assert 36 <= load.answers <= 40
    assert load.tokens_per_s == pytest.approx(3 * load.answers_per_s)
    assert load.own_ms > 0


def test_bare_client_ends_at_an_error(server):
    server.behave(status(400, "too long"))
    with pytest.raises(ModelUnavailable, match=r"HTTP 400.*too long"):
        bare(server.url, [b'{"messages": []}'], 1, no_cpu)


def test_clients_share_work_and_ask_through_the_model():
    model = Noted(ScriptedModel(lambda messages: PLAN))
    asked = []

    def ask(thing):
        asked.append(thing)
        model.complete(())

    load = through(model, ask, range(50), 5, no_cpu)
    assert sorted(asked) == list(range(50))
    assert 45 <= load.answers <= 50


def test_client_that_fails_is_not_hidden():
    model = Noted(ScriptedModel([LookupError("broken")]))
    with pytest.raises(LookupError, match="broken"):
        through(model, lambda thing: model.complete(()), [1], 1, no_cpu)


def test_turn_tells_when_items_and_words_came(parts):
    model = Noted(ScriptedModel(lambda messages: PLAN))
    planner = always_asking(model, parts.retriever.facets)
    assert isinstance(planner, LLMPlanner)
    with_items, asked, without = hold(parts, LINES, model)
    assert 0 < with_items.item_ms <= with_items.word_ms <= with_items.whole_ms
    assert without.item_ms is None
    assert asked.asked == 0, "the shop's own planner has no model"
    assert "plan" in with_items.stages


def test_first_tells_the_asked_apart():
    quick, slow = Turn(10.0, 12.0, 20.0, 0, {}), Turn(None, 90.0, 95.0, 1, {"plan": 80.0})
    found = first([quick, slow])
    assert (found["turns"], found["with_items"]) == (2, 1)
    assert found["word_ms"]["p50"] == 51.0
    assert found["asked"] == {
        "turns": 1, "with_items": 0, "item_ms": None, "word_ms": {"p50": 90.0, "p95": 90.0},
        "mean_stages_ms": {"plan": 80.0},
    }  # fmt: skip


def test_usage_counts_calls_and_tokens_by_turn():
    model = Noted(ScriptedModel([]))
    answer = Completion(PLAN, prompt_tokens=30, completion_tokens=6)
    model.calls += [Call((), None, answer, 0.0)] * 3
    found = usage([0, 1, 2, 0], model, ["late", "unsure", "late"])
    assert found["calls"] == {"median": 0.5, "mean": 0.75, "max": 2}
    assert found["fast_path"] == 0.5
    assert found["prompt_tokens"] == {"per_turn": 22.5, "per_call": 30.0}
    assert found["completion_tokens"] == {"per_turn": 4.5, "per_call": 6.0}
    assert found["fallbacks"] == {"late": 2, "unsure": 1}


def test_usage_without_a_call():
    found = usage([0, 0], Noted(ScriptedModel([])))
    assert found["prompt_tokens"] == {"per_turn": 0.0, "per_call": 0.0}


def small(*words):
    """The quick benchmark, on even less."""
    given = arguments(["--quick", *words])
    given.sessions, given.clients, given.most, given.most_labelled = 2, [2], 4, 10
    given.labels = given.labels[:1]
    return given


@contextmanager
def nothing_to_serve(tmp_path):
    with (tmp_path / "log").open("wb") as log, serve(tmp_path, tmp_path / "python", log) as served:
        yield served


def printed(report):
    console = Console(record=True, width=160)
    for one in tables(report):
        console.print(one)
    return console.export_text()


ABOUT = {"model": "house", "machine": "x86", "load_before": 0.5,
         "targets": {"ratio": 0.9, "median calls": 1}}  # fmt: skip


def test_whole_benchmark_over_a_server(parts, served, server):
    found = measure(parts, ScriptedModel(lambda messages: PLAN), nullcontext(served), small())
    report = json.loads(json.dumps({**ABOUT, **found}))
    assert report["vllm"] == "0.32.0, cpu"
    assert set(report["first"]) == {"rules", "house", "vllm"}
    assert report["first"]["rules"]["asked"]["turns"] == 0
    (run,) = report["saturation"]
    assert run["bare"]["ratio"] == 1.0
    assert run["turns"]["same"] == run["planner"]["same"] == 1.0
    assert run["planner"]["ratio"] > 0
    assert [one["clients"] for one in report["alone"]["vllm"]] == [1, 2], "half of 4 requests"
    assert report["calls"]["understanding_dev"]["turns"] >= 10
    assert report["prefix_cache"]["plan@1"]["hit_rate"] == 0.0, "the figures here stand still"
    text = printed(report)
    assert "The same requests to vLLM" in text
    assert "prefix cache, plan@2: 0.0%" in text


def test_without_vllm_the_rest_is_measured(parts, tmp_path):
    given = small()
    given.labels = ()
    found = measure(parts, ScriptedModel(lambda messages: PLAN), nothing_to_serve(tmp_path), given)
    assert "vLLM is not installed" in found["skipped"]
    assert "saturation" not in found
    assert "left out what needs vLLM" in printed({**ABOUT, **found})


def test_failing_server_is_no_missing_one(parts, served, server):
    server.behave(status(500))
    with pytest.raises(ModelUnavailable, match="HTTP 500"):
        measure(parts, ScriptedModel(lambda messages: PLAN), nullcontext(served), small())


def test_failing_plans_are_not_counted(parts, served, server):
    script = record(parts, [LINES], ScriptedModel(lambda messages: PLAN))
    server.behave(reply("no plan at all"))
    with pytest.raises(ModelUnavailable, match="its answer was no plan"):
        Rig(served, script, parts, ()).run("planner", 2)


def test_long_run_writes_results_and_quick_does_not():
    assert arguments([]).out.name == "llm.json"
    assert arguments(["--quick"]).out is None
    assert arguments([]).placements == ("shared", "apart")


@pytest.fixture
def busy():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
    yield Served(Installation(Path(sys.executable), "0", "cpu"), "http://127.0.0.1:1/v1", child.pid)
    child.kill()
    child.wait()


def test_processor_time_is_that_of_the_servers_session(busy):
    before = busy.cpu_seconds()
    ends = time.monotonic() + 30
    while busy.cpu_seconds() < before + 0.1 and time.monotonic() < ends:
        time.sleep(0.02)
    assert busy.cpu_seconds() >= before + 0.1


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="takes two cores")
def test_cores_are_divided_and_given_back(busy):
    ours = os.sched_getaffinity(0)
    with apart(busy):
        theirs, own = os.sched_getaffinity(busy.group), os.sched_getaffinity(0)
        assert theirs
        assert own
        assert not theirs & own
    assert os.sched_getaffinity(0) == os.sched_getaffinity(busy.group) == ours
