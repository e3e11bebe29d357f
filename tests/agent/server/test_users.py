"""/v1/users: what is stored of somebody is told, and goes, whatever they are called."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from agent.adapter_desk import Adapters
from agent.desk import Once
from agent.jobs import NewJob
from agent.keys import key_of
from agent.privacy.secrets import Secrets
from agent.service.values import Handover, Service
from agent.store import Store
from tests.agent.stores import turn


def start(client, user):
    id = client.post("/v1/sessions", json={"user": user}).json()["id"]
    shown = client.post(f"/v1/sessions/{id}/turns", json={"text": "blue shirts"}).json()
    event = {"slate_id": shown["slate_id"], "item_id": shown["items"][0]["id"], "kind": "click"}
    assert client.post("/v1/feedback", json=event).status_code == 201
    return id, event


def test_user_goes_with_all_that_is_theirs(client):
    (id, event), (other, _) = start(client, "ann"), start(client, "bob")
    response = client.delete("/v1/users/ann")
    assert (response.status_code, response.json()) == (
        200,
        {"sessions": 1, "slates": 1, "events": 1},
    )
    assert client.get(f"/v1/sessions/{id}").status_code == 404
    assert client.post("/v1/feedback", json=event).status_code == 404
    assert client.get(f"/v1/sessions/{other}").status_code == 200


def test_deleting_again_is_no_error(client):
    start(client, "ann")
    client.delete("/v1/users/ann")
    response = client.delete("/v1/users/ann")
    assert (response.status_code, response.json()["sessions"]) == (200, 0)


@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("ann/of/berlin", "ann/of/berlin"),
        ("anna müller", "anna%20m%C3%BCller"),
        ("a?b#c%d", "a%3Fb%23c%25d"),
        ("🙂", "%F0%9F%99%82"),
        ("x\x07y", "x%07y"),
    ],
)
def test_any_name_can_be_deleted(client, user, path):
    start(client, user)
    assert client.delete(f"/v1/users/{path}").json()["sessions"] == 1


@pytest.mark.parametrize("path", ["%ff%fe", "x" * 5000])
def test_odd_names_find_nothing(client, path):
    start(client, "ann")
    response = client.delete(f"/v1/users/{path}")
    assert (response.status_code, response.json()["sessions"]) == (200, 0)


@pytest.mark.parametrize(("path", "status", "said"), [
    ("/v1/users", 404, "/v1/users"), ("/v1/users/", 422, "no user is named"),
    ("/v1/users/%00", 404, "byte of zero"),
])  # fmt: skip
def test_no_name_is_refused(client, path, status, said):
    id, _ = start(client, "ann")
    response = client.delete(path)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]
    assert client.get(f"/v1/sessions/{id}").status_code == 200


def test_everything_of_a_user_is_told(client, store):
    id, event = start(client, "ann")
    start(client, "bob")
    told = client.get("/v1/users/ann/export").json()
    (session,) = told["sessions"]
    assert session["id"] == id
    assert session["turns"][0]["utterance"] == "blue shirts"
    assert session["slates"][0]["items"][0]["item_id"] == event["item_id"]
    assert session["events"][0]["kind"] == "click"
    assert session["state"]["turn"] == 1
    assert session["timings"][session["turns"][0]["id"]]["link"] >= 0
    assert (told["deletions"], told["adapters"]) == ([], [])


def test_handed_over_and_sent_twice_are_told(client, store):
    id = store.create_session("ann")
    handed = Service(handover=Handover(id="h1", reason="rule", detail="vip"))
    store.record(turn(id, 1, service=handed), once=Once("1" * 64, "2" * 64))
    (session,) = client.get("/v1/users/ann/export").json()["sessions"]
    assert session["handovers"][0] | {"id": "h1", "detail": "vip"} == session["handovers"][0]
    assert session["requests"][0]["key"] == "1" * 64


def test_nothing_is_told_of_a_stranger(client):
    start(client, "ann")
    told = client.get("/v1/users/nobody/export").json()
    assert (told["sessions"], told["deletions"]) == ([], [])


def test_deletion_is_told(client):
    start(client, "ann")
    client.delete("/v1/users/ann")
    told = client.get("/v1/users/ann/export").json()
    assert told["sessions"] == []
    assert [one["sessions"] for one in told["deletions"]] == [1]


@pytest.mark.parametrize("user", ["a/b", "a/export", "anna müller", "🙂"])
def test_any_name_can_be_told(client, user):
    start(client, user)
    assert len(client.get(f"/v1/users/{quote(user)}/export").json()["sessions"]) == 1


def test_adapters_that_learned_are_told(client_of):
    asked = []

    class Desk:
        def learned_from(self, sessions, users):
            asked.append((set(sessions), set(users)))
            return ["round-1"]

    client = client_of(adapters=Adapters(None, Desk()))
    id, _ = start(client, "ann")
    assert client.get("/v1/users/ann/export").json()["adapters"] == ["round-1"]
    assert asked == [({key_of(id)}, {key_of("ann")})]


def test_deletion_leaves_work_to_forget(client, store):
    start(client, "ann")
    client.delete("/v1/users/ann")
    (job,) = store.work.list(kind="forget")
    assert (job.status, job.payload) == ("waiting", {"user": key_of("ann")})


def test_work_about_a_session_goes_with_it(client, store):
    id, other = store.create_session("ann"), store.create_session("bob")
    for session, handover in ((id, "h1"), (other, "h2")):
        handed = Service(handover=Handover(id=handover, reason="asked"))
        job = NewJob("handover", {"handover": handover})
        store.record(turn(session, 1, service=handed), jobs=[job])
    client.delete("/v1/users/ann")
    assert [job.payload for job in store.work.list(kind="handover")] == [{"handover": "h2"}]


def test_session_shows_no_name(shop, tmp_path, parts, client_of):
    store = Store(f"sqlite:///{tmp_path}/hashed.db", Secrets(b"a secret of some length"))
    client = client_of(parts={"store": store})
    id, _ = start(client, "ann of berlin")
    shown = client.get(f"/v1/sessions/{id}").text
    told = client.get("/v1/users/ann%20of%20berlin/export").text
    assert "ann of berlin" not in shown + told
    assert client.get(f"/v1/sessions/{id}").json()["user"].startswith("u1.")
    assert client.delete("/v1/users/ann%20of%20berlin").json()["sessions"] == 1
    store.close()
    held = [path.name for path in tmp_path.iterdir() if b"ann of berlin" in path.read_bytes()]
    assert held == []
