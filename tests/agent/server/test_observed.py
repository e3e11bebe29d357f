import json
import logging

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from agent.keys import key_of
from agent.llm_planner import LLMPlanner
from agent.observability.request import current
from agent.openai_chat import OpenAIChat
from agent.planner import RulePlanner
from tests.agent.chat_server import reply

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def _access(caplog):
    return [record for record in caplog.records if record.name == "attune.access"]


def _value(client, series):
    lines = client.get("/metrics").text.splitlines()
    found = [line.rpartition(" ")[2] for line in lines if line.rpartition(" ")[0] == series]
    return float(found[0]) if found else None


def test_request_id_is_returned(client):
    given = client.get("/health", headers={"X-Request-ID": "order-4711.a"})
    assert given.headers["x-request-id"] == "order-4711.a"
    made = client.get("/health").headers["x-request-id"]
    assert len(made) == 32
    assert made != client.get("/health").headers["x-request-id"]


@pytest.mark.parametrize("bad", ["short", "x" * 65, "with space in it", 'a"b{c}d\\e', "-dashfirst"])
def test_insane_request_ids_are_replaced(client, bad):
    made = client.get("/health", headers={"X-Request-ID": bad}).headers["x-request-id"]
    assert made != bad
    assert len(made) == 32


def test_errors_carry_the_id_too(client):
    for path in ("/nope", "/v1/sessions/unknown"):
        assert len(client.get(path).headers["x-request-id"]) == 32


def test_access_line_tells_the_route_only(client, session, caplog):
    caplog.set_level(logging.INFO)
    client.post(f"{session}/turns?token=secret", json={"text": "blue shirts for Zebulon"})
    [line] = [one for one in _access(caplog) if one.told["route"].endswith("/turns")]
    assert line.told["route"] == "/v1/sessions/{session_id}/turns"
    assert line.told["status"] == 200
    assert line.told["ms"] > 0
    ours = [one for one in caplog.records if not one.name.startswith("http")]  # the client's own
    said = "\n".join(f"{one.getMessage()} {json.dumps(vars(one), default=str)}" for one in ours)
    for private in (session.rsplit("/", 1)[1], "secret", "Zebulon"):
        assert private not in said


def test_errors_are_named_in_the_log(client, caplog):
    caplog.set_level(logging.INFO)
    client.get("/v1/sessions/unknown")
    [line] = _access(caplog)
    assert (line.told["status"], line.told["error"]) == (404, "unknown_session")


def test_probes_are_quiet(client, caplog):
    caplog.set_level(logging.INFO)
    for path in ("/health", "/ready", "/metrics"):
        client.get(path)
    assert _access(caplog) == []


def test_request_is_one_trace(client, session, spans):
    answer = client.post(
        f"{session}/turns", json={"text": "blue shirts"}, headers={"traceparent": TRACEPARENT}
    )
    assert answer.status_code == 200
    found = {span.name: span for span in spans()}
    server = found["POST /v1/sessions/{session_id}/turns"]
    assert server.kind is SpanKind.SERVER
    assert format(server.context.trace_id, "032x") == TRACE
    assert format(server.parent.span_id, "016x") == TRACEPARENT.split("-")[2]
    assert found["invoke_agent attune"].parent.span_id == server.context.span_id
    assert server.attributes["http.route"] == "/v1/sessions/{session_id}/turns"
    assert server.attributes["http.response.status_code"] == 200
    assert server.attributes["attune.tenant"] == "default"


def test_streamed_request_is_one_trace(client, session, spans):
    with client.stream(
        "POST", f"{session}/turns", json={"text": "blue shirts", "stream": True}
    ) as answer:
        assert "event: done" in answer.read().decode()
    found = {span.name: span for span in spans()}
    server = found["POST /v1/sessions/{session_id}/turns"]
    turn = found["invoke_agent attune"]
    assert turn.parent.span_id == server.context.span_id
    assert found["store"].parent.span_id == turn.context.span_id


def test_spans_of_a_request_hold_nothing_private(client, session, spans):
    client.post(f"{session}/turns?secret=1", json={"text": "blue shirts for zeb@example.org"})
    client.get(f"{session}")
    told = "\n".join(span.to_json() for span in spans())
    assert session.rsplit("/", 1)[1] not in told
    assert key_of(session.rsplit("/", 1)[1]) in told
    for private in ("zeb@", "secret", "blue shirts", "cotton shirt"):
        assert private not in told


def test_failed_request_is_marked(client, shop, monkeypatch, spans):
    def broken(ids):
        raise KeyError("Zebulon")

    monkeypatch.setattr(shop, "get_many", broken, raising=False)
    client.get("/v1/items/1")
    [server] = spans()
    assert server.status.status_code is StatusCode.ERROR
    assert server.attributes["error.type"] == "KeyError"
    assert server.attributes["http.response.status_code"] == 500
    assert "Zebulon" not in server.to_json()


def test_tokens_are_counted_by_model(client_of, parts, model_server, store):
    model_server.behave(reply("no plan"))
    with OpenAIChat(model_server.url, "qwen") as model:
        planner = LLMPlanner(model, RulePlanner(), fast_path=False)
        client = client_of(parts={"planner": planner})
        path = f"/v1/sessions/{client.post('/v1/sessions').json()['id']}/turns"
        assert client.post(path, json={"text": "something nice"}).status_code == 200
    of = 'model="qwen",tenant="default"'
    assert _value(client, f'attune_model_tokens_total{{direction="input",{of}}}') == 24
    assert _value(client, f'attune_model_tokens_total{{direction="output",{of}}}') == 6
    calls = 'attune_model_calls_total{model="qwen",outcome="ok",tenant="default"}'
    assert _value(client, calls) == 2
    fallback = 'attune_planner_fallbacks_total{reason="bad_answer",tenant="default"}'
    assert _value(client, fallback) == 1


def test_streams_under_way_are_counted(client, session):
    seen = []
    with client.stream("POST", f"{session}/turns", json={"text": "shoes", "stream": True}) as got:
        got.read()
        seen.append(_value(client, "attune_active_streams"))
    assert seen == [0]
    assert _value(client, "attune_requests_in_flight") == 1  # this one


def test_errors_are_counted_by_type(client):
    client.get("/v1/sessions/unknown")
    assert _value(client, 'attune_errors_total{tenant="default",type="unknown_session"}') == 1


def test_clients_make_no_series(client, session):
    """What clients choose (paths, methods, ids, texts) never becomes a label."""

    def series():
        names = {line.rpartition(" ")[0] for line in client.get("/metrics").text.splitlines()}
        return {name for name in names if name.startswith("attune_")}

    def visit(number):
        client.get(f"/nothing/{number}")
        client.request(f"METHOD{number}", "/health")
        client.get(f"/v1/sessions/{number:032x}", headers={"X-Request-ID": f"request-{number}"})
        client.post(f"{session}/turns", json={"text": f"shirts number {number}"})
        client.post("/v1/feedback", json={"slate_id": str(number), "kind": f"kind{number}"})

    for number in range(3):
        visit(number)
    series()  # asking is a request too
    before = series()
    for number in range(3, 30):
        visit(number)
    assert series() == before


def test_request_is_forgotten_afterwards(client):
    client.get("/health")
    assert current.get() is None


def test_metrics_of_jobs_and_store(client, store):
    from agent.jobs import NewJob

    store.work.add(NewJob("handover", {"id": "1"}))
    waiting = 'attune_jobs{kind="handover",status="waiting",tenant="default"}'
    assert _value(client, waiting) == 1
    assert _value(client, 'attune_jobs_oldest_waiting_seconds{tenant="default"}') >= 0
    assert _value(client, 'attune_store_up{tenant="default"}') == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_request_sent_again_is_one_turn(client, session, stream):
    for _ in range(3):
        answer = client.post(
            f"{session}/turns", json={"text": "blue shirts", "stream": stream},
            headers={"Idempotency-Key": "order-1"},
        )  # fmt: skip
        assert answer.status_code == 200
    assert _value(client, 'attune_turns_total{planner="rules",tenant="default"}') == 1
