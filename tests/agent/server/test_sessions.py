import pytest

from agent.store import Store


def test_new_session_is_empty(client):
    response = client.post("/v1/sessions", json={"user": "ann\x00"})
    assert response.status_code == 201
    shown = client.get(f"/v1/sessions/{response.json()['id']}").json()
    assert shown["user"] == "ann"
    assert shown["turns"] == []
    assert shown["state"]["turn"] == 0


def test_sessions_need_no_body(client):
    ids = {client.post("/v1/sessions").json()["id"] for _ in range(3)}
    assert len(ids) == 3
    assert client.post("/v1/sessions", json={}).status_code == 201


def test_session_shows_its_turns(client, session, say):
    first, second = say("blue shirts"), say("under 35")
    shown = client.get(session).json()
    assert shown["turns"] == [first, second]
    assert shown["state"] == second["state"]


def test_deleted_session_is_gone(client, session, say):
    say("blue shirts")
    assert client.delete(session).status_code == 204
    for response in (client.get(session), client.delete(session)):
        assert response.status_code == 404
        assert response.json()["error"]["type"] == "unknown_session"
    assert client.post(f"{session}/turns", json={"text": "hi"}).status_code == 404


@pytest.mark.parametrize("id", ["nope", "%F0%9F%98%80", "a%20b", "x" * 3000])
def test_unknown_session_is_404(client, id):
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/turns")):
        response = client.request(method, f"/v1/sessions/{id}{path}", json={"text": "hi"})
        assert response.status_code == 404
        error = response.json()["error"]
        assert error["type"] == "unknown_session"
        assert error["hint"] == "POST /v1/sessions gives a new one"


@pytest.mark.parametrize("body", [{"user": 5}, {"user": "x" * 201}, {"name": "ann"}, ["ann"]])
def test_wrong_user_is_refused(client, body):
    assert client.post("/v1/sessions", json=body).status_code == 422


def test_session_resumes_in_another_server(client, session, say, client_of, tmp_path):
    say("blue shirts")
    before = client.get(session).json()
    again = Store(f"sqlite:///{tmp_path}/sessions.db")
    other = client_of(parts={"store": again})
    assert other.get(session).json() == before
    answer = other.post(f"{session}/turns", json={"text": "under 35"}).json()
    assert answer["state"]["turn"] == 2
    again.close()
