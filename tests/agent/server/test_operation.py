import json
import logging

import pytest
from fastapi.testclient import TestClient

from agent.feedback import FeedbackEvent
from agent.payload import TurnAnswer
from agent.server import create_app
from agent.server.examples import TURN
from agent.server.explanations import Asked
from agent.server.items import Delete, Upsert
from agent.server.recommendations import Wanted
from agent.server.sessions import NewSession
from agent.server.turns import NewTurn


def test_health_needs_no_parts(client, store):
    store.close()
    assert client.get("/health").json() == {"status": "ok"}


def test_ready_names_the_catalog(client):
    assert client.get("/ready").json() == {
        "status": "ready",
        "catalog": "clothes",
        "version": 0,
        "tenants": 1,
        "reasons": [],
        "warnings": [],
    }


def test_unready_says_why(client, shop, store, monkeypatch, tmp_path):
    def broken(*args, **options):
        raise RuntimeError("secret path")

    monkeypatch.setattr(shop, "search", broken, raising=False)
    store.close()
    (tmp_path / "sessions.db").write_bytes(b"garbage" * 2000)
    response = client.get("/ready")
    assert response.status_code == 503
    answer = response.json()
    assert answer["status"] == "not ready"
    assert len(answer["reasons"]) == 2
    assert "not a session store" in answer["reasons"][0]
    assert "secret" not in response.text


def _metric(client, line):
    return [one for one in client.get("/metrics").text.splitlines() if one.startswith(line)]


def test_metrics_count_requests_and_turns(client, session, say):
    shown = say("blue shirts")
    event = {"slate_id": shown["slate_id"], "item_id": "1", "kind": "click"}
    client.post("/v1/feedback", json=event)
    client.get("/v1/sessions/nope")
    client.get("/nothing/here")
    route = 'attune_requests_total{method="%s",route="%s",status="%d",tenant="default"} 1.0'
    for method, path, status in (
        ("POST", "/v1/sessions/{session_id}/turns", 200),
        ("GET", "/v1/sessions/{session_id}", 404),
        ("GET", "unknown", 404),
    ):
        assert _metric(client, route % (method, path, status))
    assert _metric(client, 'attune_turns_total{planner="rules",tenant="default"} 1.0')
    assert _metric(client, 'attune_feedback_total{kind="click",tenant="default"} 1.0')
    assert _metric(client, 'attune_stage_seconds_count{stage="link",tenant="default"} 1.0')
    assert _metric(client, 'attune_catalog_version{tenant="default"} 0.0')


def test_apps_count_apart(client, client_of):
    client.post("/v1/sessions")
    assert not _metric(client_of(), "attune_requests_total")


def test_models_are_listed(client_of):
    answer = client_of(models=("rules", "qwen")).get("/v1/models").json()
    assert answer["object"] == "list"
    assert [(one["id"], one["object"]) for one in answer["data"]] == [
        ("attune", "model"), ("rules", "model"), ("qwen", "model"),
    ]  # fmt: skip


def test_openapi_describes_every_answer(client):
    document = client.get("/openapi.json").json()
    paths = document["paths"]
    assert set(paths) >= {
        "/v1/sessions", "/v1/sessions/{session_id}", "/v1/sessions/{session_id}/turns",
        "/v1/feedback", "/v1/recommendations", "/v1/explanations", "/v1/items:upsert",
        "/v1/items:delete", "/v1/items/{item_id}", "/v1/models", "/health", "/ready", "/metrics",
    }  # fmt: skip
    turn = paths["/v1/sessions/{session_id}/turns"]["post"]["responses"]
    assert set(turn["200"]["content"]) == {"application/json", "text/event-stream"}
    schema = turn["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    assert {"turn_id", "reply", "items"} <= set(
        document["components"]["schemas"][schema]["required"]
    )
    for path, routes in paths.items():
        for method, route in routes.items():
            assert route["summary"], (path, method)
            assert "ErrorAnswer" in json.dumps(route["responses"]["4XX"])


def test_openapi_examples_are_valid(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for model in (Asked, Delete, FeedbackEvent, NewSession, NewTurn, Upsert, Wanted):
        [example] = schemas[model.__name__]["examples"]
        assert model.model_validate(example)


def test_openapi_shows_a_real_turn(say):
    answer = TurnAnswer.model_validate(TURN)
    assert answer.model_dump(mode="json").keys() == say("blue shirts under 40").keys()
    assert TURN["items"][0].keys() == say("blue shirts under 40")["items"][0].keys()


def test_unknown_routes_answer_in_shape(client):
    for method, path, status, kind in (
        ("GET", "/nope", 404, "not_found"),
        ("PUT", "/v1/sessions", 405, "method_not_allowed"),
    ):
        response = client.request(method, path)
        assert response.status_code == status
        assert response.json()["error"]["type"] == kind
        assert "openapi.json" in response.json()["error"]["hint"]


def test_unforeseen_errors_are_logged(client, shop, monkeypatch, caplog):
    def broken(ids):
        raise KeyError("secret")

    monkeypatch.setattr(shop, "get_many", broken, raising=False)
    with caplog.at_level(logging.ERROR):
        response = client.get("/v1/items/1")
    assert response.status_code == 500
    assert response.json() == {
        "error": {
            "type": "internal",
            "message": "something went wrong on our side",
            "hint": "it is logged; try again",
        }
    }
    assert "KeyError: 'secret'" in caplog.text


def test_readers_only_are_refused(parts):
    class Reader:
        facets = ()

    from dataclasses import replace

    with pytest.raises(TypeError, match="Reader has no name, version, mapping"):
        create_app(replace(parts, retriever=Reader()))


def test_app_starts_and_stops(parts):
    with TestClient(create_app(parts)) as client:
        assert client.get("/health").status_code == 200


def test_stopping_server_is_not_ready(client):
    client.app.state.draining = True
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the server is stopping"]
    assert client.get("/health").status_code == 200
