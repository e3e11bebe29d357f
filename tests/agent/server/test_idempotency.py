"""A request that is sent again is done once, however the retries come in."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from agent import tables
from agent.server.idempotency import once_of
from agent.store_beside import KEPT
from tests.agent.server.tenancy import bearer, open_shop, serve
from tests.agent.server.test_turns import SlowPlanner

SAID = {"text": "blue shirts under 40"}
KEY = {"Idempotency-Key": "b1f5"}


def turns_of(client, session):
    return client.get(session).json()["turns"]


def type_of(response):
    return response.json()["error"]["type"]


def test_same_request_is_one_turn(client, session):
    first, again = (client.post(f"{session}/turns", json=SAID, headers=KEY) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert again.json() == first.json()
    assert len(turns_of(client, session)) == 1


def test_without_a_key_both_are_taken(client, session):
    for _ in range(2):
        client.post(f"{session}/turns", json=SAID)
    assert len(turns_of(client, session)) == 2


def test_retry_may_ask_for_a_stream(client, session, events_of):
    first = client.post(f"{session}/turns", json=SAID, headers=KEY).json()
    stream = {**SAID, "stream": True}
    events = events_of(client.post(f"{session}/turns", json=stream, headers=KEY).text)
    assert [name for name, _ in events] == ["understood", "items", "text", "done"]
    assert events[-1][1] == first
    assert events[2][1]["delta"] == first["reply"]
    assert len(turns_of(client, session)) == 1


def test_answer_is_that_of_then_after_later_turns(client, session):
    first = client.post(f"{session}/turns", json=SAID, headers=KEY).json()
    client.post(f"{session}/turns", json={"text": "red ones"})
    assert client.post(f"{session}/turns", json=SAID, headers=KEY).json() == first
    assert len(turns_of(client, session)) == 2


def test_order_and_spaces_of_json_do_not_count(client, session):
    json = {"Content-Type": "application/json", **KEY}
    bodies = ('{"text": "blue", "press": null}', '{"press":null,   "text":"blue"}')
    answers = [client.post(f"{session}/turns", content=b, headers=json).json() for b in bodies]
    assert answers[0] == answers[1]
    assert len(turns_of(client, session)) == 1


def test_other_body_is_refused_and_nothing_lost(client, session):
    first = client.post(f"{session}/turns", json=SAID, headers=KEY).json()
    for body in ({"text": "red shoes"}, {"text": "red shoes", "stream": True}):
        refused = client.post(f"{session}/turns", json=body, headers=KEY)
        assert (refused.status_code, type_of(refused)) == (422, "idempotency_conflict")
    assert turns_of(client, session) == [first]


def test_failed_request_may_be_sent_again(client, session, shop, monkeypatch):
    def broken(*args, **options):
        raise OSError("gone")

    monkeypatch.setattr(shop, "search", broken, raising=False)
    assert client.post(f"{session}/turns", json=SAID, headers=KEY).status_code == 500
    monkeypatch.undo()
    assert client.post(f"{session}/turns", json=SAID, headers=KEY).status_code == 200
    assert len(turns_of(client, session)) == 1


def test_keys_of_sessions_and_senders_are_apart(tmp_path, shop):
    a, b = (open_shop(name, tmp_path, shop) for name in "ab")
    client = serve(a, b)
    taken = set()
    for made in (a, b):
        for key in (made.keys["chat"], made.keys["admin"]):
            own = {**bearer(key), **KEY}
            session = client.post("/v1/sessions", headers=own).json()["id"]
            answer = client.post(f"/v1/sessions/{session}/turns", json=SAID, headers=own)
            taken.add(answer.json()["turn_id"])
    assert len(taken) == 4
    for made in (a, b):
        made.tenant.close()


def test_two_at_once_are_one_turn(client, session):
    answers = []

    def send():
        answers.append(client.post(f"{session}/turns", json=SAID, headers=KEY))

    threads = [threading.Thread(target=send) for _ in range(8)]
    with client:  # one event loop for all requests, as a server has
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["turn_id"] for answer in answers}) == 1
    assert len(turns_of(client, session)) == 1


REQUESTS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["blue shirts", "red shoes"]), st.booleans()),
    max_size=12,
)


@settings(max_examples=25)
@given(requests=REQUESTS)
def test_every_key_takes_one_turn_in_any_order(requests, make_client):
    """Retries in any order, whole or as streams, with the first body or another."""
    client, events_of = make_client
    session = "/v1/sessions/" + client.post("/v1/sessions").json()["id"]
    first: dict[int, tuple[str, str]] = {}
    for key, text, stream in requests:
        body = {"text": text, "stream": stream}
        answer = client.post(f"{session}/turns", json=body, headers={"Idempotency-Key": str(key)})
        if key in first and first[key][0] != text:
            assert (answer.status_code, type_of(answer)) == (422, "idempotency_conflict")
            continue
        assert answer.status_code == 200
        done = events_of(answer.text)[-1][1] if stream else answer.json()
        assert first.setdefault(key, (text, done["turn_id"])) == (text, done["turn_id"])
    shown = [(turn["utterance"], turn["turn_id"]) for turn in turns_of(client, session)]
    assert shown == list(first.values())


@pytest.fixture
def make_client(client, events_of):
    return client, events_of


def test_completion_sent_again_is_one_turn(client, store):
    body = {"model": "attune", "messages": [{"role": "user", "content": "blue shirts"}]}
    first, again = (
        client.post("/v1/chat/completions", json=body, headers=KEY).json() for _ in range(2)
    )
    assert again["attune"]["turn_id"] == first["attune"]["turn_id"]
    assert again["choices"] == first["choices"]
    assert len(store.turns(first["attune"]["session_id"])) == 1
    other = {**body, "messages": [{"role": "user", "content": "red shoes"}]}
    refused = client.post("/v1/chat/completions", json=other, headers=KEY)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "idempotency_conflict")


@pytest.fixture
def event(say):
    shown = say("blue shirts")
    return {"slate_id": shown["slate_id"], "item_id": "1", "kind": "click"}


def test_feedback_sent_again_counts_once(client, event, store, session):
    first, again = (client.post("/v1/feedback", json=event, headers=KEY) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert len(store.feedback(session.rpartition("/")[2])) == 1


def test_feedback_batch_sent_again_counts_once(client, event, store, session):
    batch = {"events": [event, {**event, "kind": "impression"}]}
    answers = [client.post("/v1/feedback", json=batch, headers=KEY).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]["ids"]) == 2
    assert len(store.feedback(session.rpartition("/")[2])) == 2


def test_other_feedback_under_a_key_is_refused(client, event, store, session):
    client.post("/v1/feedback", json=event, headers=KEY)
    refused = client.post("/v1/feedback", json={**event, "kind": "reject"}, headers=KEY)
    assert (refused.status_code, type_of(refused)) == (422, "idempotency_conflict")
    assert [one.kind for one in store.feedback(session.rpartition("/")[2])] == ["click"]


def test_wrong_feedback_leaves_its_key_free(client, event, store, session):
    wrong = {**event, "item_id": "nope"}
    assert client.post("/v1/feedback", json=wrong, headers=KEY).status_code == 422
    assert client.post("/v1/feedback", json=event, headers=KEY).status_code == 201


def test_feedback_at_once_is_stored_once(client, event, store, session):
    answers = []

    def send():
        answers.append(client.post("/v1/feedback", json=event, headers=KEY).json())

    threads = [threading.Thread(target=send) for _ in range(6)]
    with client:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(answer == answers[0] for answer in answers)
    assert len(store.feedback(session.rpartition("/")[2])) == 1


def test_old_keys_count_no_longer(client, session, store):
    first = client.post(f"{session}/turns", json=SAID, headers=KEY).json()
    age(store, KEPT + timedelta(minutes=1))
    second = client.post(f"{session}/turns", json=SAID, headers=KEY).json()
    assert second["turn_id"] != first["turn_id"]
    assert count(store) == 1


def test_old_keys_are_deleted_by_the_way(client, session, store):
    for number in range(5):
        client.post(f"{session}/turns", json=SAID, headers={"Idempotency-Key": str(number)})
    age(store, KEPT + timedelta(minutes=1))
    client.post(f"{session}/turns", json=SAID, headers=KEY)
    assert count(store) == 1
    age(store, KEPT - timedelta(minutes=1))
    client.post(f"{session}/turns", json=SAID, headers={"Idempotency-Key": "last"})
    assert count(store) == 2


def age(store, by):
    own = tables.idempotency_keys
    with store.database.write() as connection:
        connection.execute(own.update().values(time=datetime.now(UTC) - by))


def count(store):
    with store.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(tables.idempotency_keys))


@pytest.mark.parametrize("key", ["", "   ", "x" * 256, "ключ".encode(), b"a\x07b"])
def test_wrong_keys_are_refused(client, session, key):
    refused = client.post(f"{session}/turns", json=SAID, headers={"Idempotency-Key": key})
    assert (refused.status_code, type_of(refused)) == (422, "invalid_input")
    assert "1 to 255 printable ASCII" in refused.text
    assert turns_of(client, session) == []


def test_stored_key_tells_neither_key_nor_body():
    once = once_of("payer", "POST /x", "my-key", b'{"text": "secret"}')
    assert once != once_of("other", "POST /x", "my-key", b'{"text": "secret"}')
    assert once.fingerprint != once_of("payer", "POST /x", "k2", b'{"text": "secret"}').fingerprint
    assert len(once.key) == len(once.fingerprint) == 64


def test_deleted_session_takes_its_keys_along(client, session, store):
    client.post(f"{session}/turns", json=SAID, headers=KEY)
    client.delete(session)
    assert count(store) == 0
    assert client.post(f"{session}/turns", json=SAID, headers=KEY).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/chat/completions", {"messages": [{"role": "user", "content": "blue shirts"}]}),
     ("/v1/responses", {"input": "blue shirts"})],
)  # fmt: skip
def test_conversation_sent_twice_at_once_is_begun_once(client_of, store, path, body):
    planner = SlowPlanner()
    client, answers = client_of(parts={"planner": planner}), []

    def send(stream):
        answers.append(client.post(path, json={**body, "stream": stream}, headers=KEY))

    threads = [threading.Thread(target=send, args=(stream,)) for stream in (False, True, False)]
    with client:
        for thread in threads:
            thread.start()
        assert planner.entered.wait(20)
        while not any(len(line) == 3 for line in list(store._turns._lines.values())):
            assert all(thread.is_alive() for thread in threads)
            threads[0].join(0.01)
        planner.go.set()
        for thread in threads:
            thread.join()
    assert [one.status_code for one in answers] == [200] * 3
    (session,) = store.logged()
    assert len(session.turns) == 1
    assert all(session.turns[0].id in one.text for one in answers)
