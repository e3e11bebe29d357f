import threading
from dataclasses import replace

import pytest
from opentelemetry import trace

from agent import telemetry
from agent.dialogue import respond
from agent.errors import ModelUnavailable
from agent.jobs import NewJob
from agent.keys import key_of
from agent.llm_planner import LLMPlanner
from agent.observability import tracing
from agent.openai_chat import OpenAIChat
from agent.planner import RulePlanner
from agent.worker import Worker
from tests.agent.chat_server import hang_up, reply, status, stream

ASK = ({"role": "user", "content": "a private wish"},)


def _by_name(spans):
    return {span.name: span for span in spans}


def _say(parts, text):
    session = parts.store.create_session("ann@example.org")
    *_, done = respond(parts, session, text)
    return session, done


def test_turn_is_one_tree(parts, spans):
    _, done = _say(parts, "blue shirts under 40")
    found = _by_name(spans())
    turn = found["invoke_agent attune"]
    assert turn.parent is None
    for stage in ("link", "plan attune", "apply", "retrieval catalog", "explain", "store"):
        assert found[stage].parent.span_id == turn.context.span_id, stage
        assert found[stage].context.trace_id == turn.context.trace_id
    assert turn.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert turn.attributes["attune.planner"] == "rules"
    assert turn.attributes["attune.items"] == len(done.slate.items)
    assert found["plan attune"].attributes["gen_ai.operation.name"] == "plan"


def test_spans_tell_nothing_private(parts, spans, told):
    session, done = _say(parts, "blue shirts under 40 for Zebulon, zeb@example.org")
    text = told(spans())
    assert session not in text
    assert key_of(session) in text
    for private in ("Zebulon", "zeb@", "ann@", "under 40", done.reply[:20], done.turn_id,
                    done.slate.items[0].fields["title"]):  # fmt: skip
        assert private not in text, private


def test_steps_taken_in_many_threads_nest(parts, spans):
    """A server asks for each event of a stream in another thread."""
    events = respond(parts, parts.store.create_session(), "blue shirts")
    seen = []

    def step():
        seen.append(next(events, None))

    while not seen or seen[-1] is not None:
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()
    found = _by_name(spans())
    turn = found["invoke_agent attune"].context.span_id
    assert found["retrieval catalog"].parent.span_id == turn
    assert found["store"].parent.span_id == turn


def test_turn_left_early_is_ended(parts, spans):
    events = respond(parts, parts.store.create_session(), "blue shirts")
    next(events)
    events.close()
    turn = _by_name(spans())["invoke_agent attune"]
    assert "error.type" not in turn.attributes
    assert not trace.get_current_span().get_span_context().is_valid


def test_failed_turn_tells_its_class_only(parts, spans, told, monkeypatch):
    def broken(*args, **options):
        raise RuntimeError("blue shirts for Zebulon")

    monkeypatch.setattr(parts.retriever, "search", broken)
    with pytest.raises(RuntimeError):
        _say(parts, "blue shirts")
    turn = _by_name(spans())["invoke_agent attune"]
    assert turn.attributes["error.type"] == "RuntimeError"
    assert turn.status.status_code is trace.StatusCode.ERROR
    assert "Zebulon" not in told(spans())


def test_planning_calls_are_below_plan(parts, spans, model_server, told):
    model_server.behave(reply("no plan at all"))
    with OpenAIChat(model_server.url, "qwen", "sk-secret") as model:
        planner = LLMPlanner(model, RulePlanner(), fast_path=False)
        _say(replace(parts, planner=planner), "something for Zebulon")
    found = spans()
    plan = _by_name(found)["plan attune"]
    calls = [span for span in found if span.name == "chat qwen"]
    assert len(calls) == 2
    for call, request in zip(calls, model_server.requests, strict=True):
        assert call.parent.span_id == plan.context.span_id
        assert call.kind is trace.SpanKind.CLIENT
        version, trace_id, span_id, _ = request.headers["traceparent"].split("-")
        assert (version, int(trace_id, 16)) == ("00", call.context.trace_id)
        assert int(span_id, 16) == call.context.span_id
    assert calls[0].attributes["gen_ai.provider.name"] == "openai"
    assert calls[0].attributes["gen_ai.request.model"] == "qwen"
    assert calls[0].attributes["gen_ai.response.model"] == "served-model"
    assert calls[0].attributes["gen_ai.usage.input_tokens"] == 12
    assert calls[0].attributes["gen_ai.usage.output_tokens"] == 3
    assert calls[0].attributes["server.port"] == model_server.port
    for private in ("Zebulon", "no plan at all", "sk-secret"):
        assert private not in told(found)


def test_failed_call_is_marked(spans, model_server):
    model_server.behave(status(500))
    with OpenAIChat(model_server.url, "m") as model, pytest.raises(ModelUnavailable):
        model.complete(ASK, deadline_s=60)
    [call] = spans()
    assert call.attributes["error.type"] == "ModelUnavailable"
    assert call.events == ()


def test_stream_is_one_call(spans, model_server):
    model_server.behave(stream("a", "b"))
    with OpenAIChat(model_server.url, "m") as model:
        assert list(model.stream(ASK, deadline_s=60)) == ["a", "b"]
    [call] = spans()
    assert call.name == "chat m"
    assert call.attributes["gen_ai.request.stream"] is True
    assert model_server.requests[0].headers["traceparent"].split("-")[2] == trace.format_span_id(
        call.context.span_id
    )


def test_nothing_is_sent_when_off(model_server):
    model_server.behave(reply("x"))
    with OpenAIChat(model_server.url, "m") as model:
        model.complete(ASK, deadline_s=60)
    assert "traceparent" not in model_server.requests[0].headers
    assert telemetry.outgoing_headers() == {}
    assert telemetry.trace_ids() is None


def test_off_spans_are_one_object():
    with telemetry.span("a") as first, telemetry.span("b", {"k": 1}, "client") as second:
        first.set("k", "v")
        assert first is second
        assert first.headers() == {}


def test_meter_counts_calls(model_server):
    model_server.behave(reply("x"), reply("y"), hang_up)
    with OpenAIChat(model_server.url, "m") as model, telemetry.metered() as meter:
        model.complete(ASK, deadline_s=60)
        context = telemetry.copy_context()
        thread = threading.Thread(target=context.run, args=(model.complete, ASK))
        thread.start()
        thread.join()
        with pytest.raises(ModelUnavailable):
            model.complete(ASK, deadline_s=60)
    assert (meter.input_tokens, meter.output_tokens) == (24, 6)
    assert [use.error for use in meter.uses] == ["", "", "ModelUnavailable"]
    assert telemetry.current_meter() is None


def _usage(handler):
    body = (
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"s",'
        b'"choices":[],"usage":{"prompt_tokens":40,"completion_tokens":2,"total_tokens":42}}\n\n'
    )
    handler.wfile.write(body)


def test_streams_are_metered_too(model_server):
    model_server.behave(stream("a", "b", then=_usage))
    with OpenAIChat(model_server.url, "m") as model, telemetry.metered() as meter:
        list(model.stream(ASK, deadline_s=60))
    assert (meter.input_tokens, meter.output_tokens) == (40, 2)
    assert model_server.requests[0].body["stream_options"] == {"include_usage": True}


def test_server_without_stream_usage_is_asked_plainly(model_server):
    def behave(handler):
        refuses = "stream_options" in handler.body
        (status(400, "unknown field") if refuses else stream("a"))(handler)

    model_server.behave(behave)
    with OpenAIChat(model_server.url, "m") as model:
        assert list(model.stream(ASK, deadline_s=60)) == ["a"]
        assert list(model.stream(ASK, deadline_s=60)) == ["a"]
    assert ["stream_options" in one.body for one in model_server.requests] == [True, False, False]


def test_listener_who_leaves_is_no_failure(spans, model_server):
    model_server.behave(stream("a", "b", "c"))
    with OpenAIChat(model_server.url, "m") as model, telemetry.metered() as meter:
        pieces = model.stream(ASK, deadline_s=60)
        next(pieces)
        pieces.close()
    [call] = spans()
    assert "error.type" not in call.attributes
    assert [use.error for use in meter.uses] == ["cancelled"]


def test_environment_switches_tracing_on(monkeypatch):
    for name in tracing.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert tracing.start() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert tracing.wanted()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not tracing.wanted()


def test_service_is_named(monkeypatch, spans, parts):
    _say(parts, "blue shirts")
    assert spans()[0].resource.attributes["service.name"] == "attune"


def test_one_context_keeps_what_steps_set():
    kept = telemetry.ContextVar("kept", default=0)

    def steps():
        kept.set(1)
        yield
        yield kept.get()

    events = telemetry.in_one_context(steps())
    assert telemetry.copy_context().run(next, events) is None
    assert telemetry.copy_context().run(next, events) == 1
    assert kept.get() == 0


def test_inner_meters_count_for_the_outer(model_server):
    model_server.behave(reply("x"))
    with OpenAIChat(model_server.url, "m") as model, telemetry.metered() as outer:
        with telemetry.metered() as inner:
            model.complete(ASK, deadline_s=60)
        model.complete(ASK, deadline_s=60)
    assert (len(inner.uses), len(outer.uses)) == (1, 2)


def test_jobs_are_traces_of_their_own(parts, spans):
    def fails(payload):
        raise OSError("no webhook for Zebulon")

    parts.store.work.add(NewJob("handover", {"id": "1"}))
    Worker(parts.store, {"handover": fails}).run_due()
    [job] = spans()
    assert (job.name, job.parent) == ("job handover", None)
    assert job.attributes["error.type"] == "OSError"
    assert "Zebulon" not in job.to_json()
