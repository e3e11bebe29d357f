import pytest


@pytest.fixture
def shown(say):
    return say("blue shirts under 40")


def test_single_event_is_stored(client, shown, store):
    event = {"slate_id": shown["slate_id"], "item_id": "1", "kind": "click"}
    response = client.post("/v1/feedback", json=event)
    assert response.status_code == 201
    [stored] = store.feedback(shown["session_id"])
    assert response.json() == {"ids": [stored.id]}
    assert (stored.item_id, stored.kind, stored.consent) == ("1", "click", True)


def test_batch_of_every_kind_is_stored(client, shown, store):
    about = {"slate_id": shown["slate_id"], "item_id": "7"}
    values = {"critique": "too formal", "rating": 4, "edit": "Better.", "dwell": 2.5}
    kinds = ("impression", "click", "select", "reject", "critique", "rating", "edit", "dwell",
             "purchase")  # fmt: skip
    events = [{**about, "kind": kind, "value": values.get(kind)} for kind in kinds]
    response = client.post("/v1/feedback", json={"events": events})
    assert response.status_code == 201
    assert len(set(response.json()["ids"])) == 9
    assert {event.kind for event in store.feedback(shown["session_id"])} == set(kinds)


def test_same_id_counts_once(client, shown, store):
    event = {"id": "web-1", "slate_id": shown["slate_id"], "item_id": "1", "kind": "click"}
    for _ in range(3):
        assert client.post("/v1/feedback", json=event).json() == {"ids": ["web-1"]}
    assert len(store.feedback(shown["session_id"])) == 1
    other = client.post("/v1/feedback", json={**event, "kind": "reject"})
    assert other.status_code == 409
    assert "used for another event" in other.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"slate_id": "nope"}, 404, "no slate 'nope'"),
        ({"item_id": "14"}, 422, "item '14' was not on slate"),
        ({"item_id": "\ud800"}, 422, r"item '\ud800' was not on slate"),
        ({"item_id": None}, 422, "'click' is about an item: give item_id"),
        ({"kind": "stare"}, 422, "kind: Input should be 'impression'"),
        ({"kind": "rating", "value": 9}, 422, "'rating' needs a number from 1 to 5, got 9"),
        ({"kind": "rating", "value": True}, 422, "got a boolean"),
        ({"slate_id": "a b"}, 422, "as an id, got 'a b'"),
        ({"mood": "good"}, 422, "mood: Extra inputs"),
        ({"time": "yesterday"}, 422, "time: Input should be a valid datetime"),
        ({"time": "2999-01-01T00:00:00Z"}, 422, "the event is from 2999-01-01T00:00:00Z, but it"),
        ({"time": "1999-01-01T00:00:00Z"}, 422, "was first shown at 2"),
        ({"time": "0001-01-01T00:00:00+10:00"}, 422, "time: expected a time from year 1"),
    ],
)
def test_wrong_events_are_refused(client, shown, store, change, status, said):
    event = {"slate_id": shown["slate_id"], "item_id": "1", "kind": "click", **change}
    headers = {"content-type": "application/json"}
    for body in (event, {"events": [event]}):
        response = client.post("/v1/feedback", content=_ascii(body), headers=headers)
        assert response.status_code == status
        assert said in response.json()["error"]["message"]
    assert store.feedback(shown["session_id"]) == []


def _ascii(body):
    import json

    return json.dumps(body)


def test_one_bad_event_stores_none(client, shown, store):
    good = {"slate_id": shown["slate_id"], "item_id": "1", "kind": "click"}
    response = client.post("/v1/feedback", json={"events": [good, {**good, "item_id": "14"}]})
    assert response.status_code == 422
    assert response.json()["error"]["message"].startswith("events.1: item '14' was not on slate")
    assert store.feedback(shown["session_id"]) == []


@pytest.mark.parametrize("body", [{}, {"events": []}, {"events": "click"}, [], 5])
def test_empty_feedback_is_refused(client, body):
    assert client.post("/v1/feedback", json=body).status_code == 422


def test_batch_size_is_limited(client_of, shown):
    from agent.server.limits import Limits

    event = {"slate_id": shown["slate_id"], "item_id": "1", "kind": "click"}
    client = client_of(limits=Limits(batch=2))
    response = client.post("/v1/feedback", json={"events": [event] * 3})
    assert response.status_code == 422
    assert "3 events at once; at most 2 are taken" in response.json()["error"]["message"]


def test_feedback_on_deleted_session_is_404(client, session, shown):
    client.delete(session)
    event = {"slate_id": shown["slate_id"], "item_id": "1", "kind": "click"}
    assert client.post("/v1/feedback", json=event).status_code == 404
