"""DELETE /v1/users: what is stored of somebody goes, whatever they are called."""

from __future__ import annotations

import pytest


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


@pytest.mark.parametrize("path", ["/v1/users", "/v1/users/", "/v1/users/%00"])
def test_no_name_is_refused(client, path):
    id, _ = start(client, "ann")
    response = client.delete(path)
    assert response.status_code == 422
    assert "no user is named" in response.json()["error"]["message"]
    assert client.get(f"/v1/sessions/{id}").status_code == 200
