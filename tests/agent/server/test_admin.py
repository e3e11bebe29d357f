import pytest

from agent.adapter_desk import Adapters
from agent.routes import Routes, write_routes
from agent.routing import AdapterRouter
from tests.agent.hosting import ScriptedHost
from tests.agent.server.desks import Desk

KEY = {"Authorization": "Bearer secret"}


@pytest.fixture
def router(tmp_path):
    return AdapterRouter(tmp_path, ScriptedHost(refused={"broken": "no"}))


@pytest.fixture
def api(client_of, router, tmp_path):
    adapters = Adapters(router, Desk(tmp_path), "secret")
    return client_of(models=("rules", "house"), adapters=adapters, parts={"router": router})


def test_promotion_reaches_the_next_session(api, router):
    answer = api.post("/v1/adapters:promote", json={"name": "good"}, headers=KEY)
    assert (answer.status_code, answer.json()["adapters"]) == (200, {"good": "live"})
    router.follow()
    told = api.get("/v1/adapters", headers=KEY).json()
    assert (told["live"], told["loaded"], told["problems"]) == ("good", {"good": 0}, {})
    session = api.post("/v1/sessions").json()["id"]
    api.post(f"/v1/sessions/{session}/turns", json={"text": "blue shirts"})
    assert 'attune_voice_turns_total{tenant="default",voice="good"} 1.0' in api.get("/metrics").text


def test_rollback_is_one_call(api, router):
    for name in ("good", "bad"):
        asked = {"name": name, "force": True, "why": "demo"}
        api.post("/v1/adapters:promote", json=asked, headers=KEY)
    assert api.post("/v1/adapters:rollback", headers=KEY).status_code == 200
    router.follow()
    assert api.get("/v1/adapters", headers=KEY).json()["live"] == "good"
    api.post("/v1/adapters:rollback", json={"why": "x"}, headers=KEY)
    refused = api.post("/v1/adapters:rollback", headers=KEY)
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "adapter_refused")


def test_canary_takes_a_share(api, router):
    api.post("/v1/adapters:promote", json={"name": "good"}, headers=KEY)
    body = {"name": "bad", "share": 0.2}
    assert api.post("/v1/adapters:canary", json=body, headers=KEY).status_code == 200
    router.follow()
    assert api.get("/v1/adapters", headers=KEY).json()["canary"] == "bad"
    listed = api.get("/v1/models").json()["data"]
    assert [(one["id"], one["parent"]) for one in listed] == [
        ("attune", None), ("rules", None), ("house", None), ("good", "house"), ("bad", "house")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [({"name": "nobody"}, 404, "unknown_adapter"), ({"name": "bad"}, 409, "adapter_refused"),
     ({}, 422, "invalid_request"), ({"name": "good", "share": 0.5}, 422, "invalid_request")],
)  # fmt: skip
def test_refused_promotion_changes_nothing(api, body, status, kind):
    answer = api.post("/v1/adapters:promote", json=body, headers=KEY)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert api.get("/v1/adapters", headers=KEY).json()["adapters"] == {}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"},
                                     {"Authorization": "Bearer sécret".encode()}])  # fmt: skip
def test_without_the_key_nothing_is_told_or_done(api, headers):
    for method, path in (("GET", ""), ("POST", ":promote"), ("POST", ":rollback")):
        answer = api.request(method, f"/v1/adapters{path}", headers=headers, json={"name": "good"})
        assert answer.status_code == 403
        assert "secret" not in answer.text


def test_without_a_key_set_there_is_nothing(client_of, client, router, tmp_path):
    unset = client_of(adapters=Adapters(router, Desk(tmp_path)))
    for api in (client, unset):
        answer = api.post("/v1/adapters:rollback", headers=KEY)
        assert answer.status_code == 404
        assert "ATTUNE_ADMIN_KEY is not set" in answer.json()["error"]["message"]


def test_adapter_that_cannot_be_loaded_is_told(api, router, tmp_path):
    write_routes(tmp_path, Routes(1, "broken", adapters={"broken": tmp_path}))
    router.follow()
    answer = api.get("/ready").json()
    assert (answer["status"], answer["warnings"]) == (
        "ready", ["adapters, broken: it cannot be loaded: no"],
    )  # fmt: skip
    assert 'attune_adapter_problems{tenant="default"} 1.0' in api.get("/metrics").text


def test_key_is_in_no_representation(router, tmp_path):
    assert "secret" not in repr(Adapters(router, Desk(tmp_path), "secret"))
