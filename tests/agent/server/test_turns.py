import threading
from contextlib import nullcontext

import pytest

from agent.errors import ModelUnavailable
from agent.planner import RulePlanner
from agent.server.context import Limits

FIELDS = {
    "turn_id", "session_id", "slate_id", "utterance", "reply", "items", "state", "plan",
    "timings", "planner", "written", "relaxations", "notes", "claims", "service",
    "voice",
}  # fmt: skip
ITEM_FIELDS = {
    "id", "title", "price", "currency", "brand", "category", "availability", "image", "url",
    "attributes", "rank", "score", "reasons", "evidence",
}  # fmt: skip


def test_turn_answers_with_items(say):
    answer = say("blue shirts under 40")
    assert set(answer) == FIELDS
    assert [item["id"] for item in answer["items"]] == ["1", "7"]
    assert answer["planner"] == "rules"
    assert answer["reply"]


def test_items_come_with_evidence(say):
    item = say("blue shirts under 40")["items"][0]
    assert set(item) == ITEM_FIELDS
    card = {name: item[name] for name in ("title", "price", "currency", "brand", "category")}
    assert card == {
        "title": "Alto men blue cotton shirt",
        "price": 35.0,
        "currency": "EUR",
        "brand": "Alto",
        "category": "Shirts",
    }
    assert item["availability"] is True
    assert item["attributes"]["material"] == "Cotton"
    assert {"brand", "type", "in_stock", "price", "title"}.isdisjoint(item["attributes"])
    cited = {evidence["reason"] for evidence in item["evidence"]}
    assert cited == set(range(len(item["reasons"])))
    assert all(evidence["item_id"] == item["id"] for evidence in item["evidence"])


def test_state_carries_over_turns(say):
    say("blue shirts")
    answer = say("under 34.50")
    constraints = {one["facet"]: one for one in answer["state"]["need"]["constraints"]}
    assert constraints["colour"]["values"] == ["Blue"]
    assert constraints["price"]["high"] == 34.5
    assert [item["id"] for item in answer["items"]] == ["7"]


def test_stream_ends_with_same_turn(client, session, events_of):
    response = client.post(f"{session}/turns", json={"text": "blue shirts", "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response.text)
    names = [name for name, _ in events]
    assert names[:2] == ["understood", "items"]
    assert names[-1] == "done"
    assert set(names[2:-1]) == {"text"}
    data = dict(events)
    assert "".join(one["delta"] for name, one in events if name == "text") == data["done"]["reply"]
    assert data["items"] == {
        "slate_id": data["done"]["slate_id"],
        "items": data["done"]["items"],
    }
    assert data["understood"]["plan"] == data["done"]["plan"]
    assert client.get(session).json()["turns"] == [data["done"]]


def test_stream_to_unknown_session_is_404(client):
    response = client.post("/v1/sessions/nope/turns", json={"text": "hi", "stream": True})
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "unknown_session"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ('{"text": ', 400, "the body is not JSON: Expecting value at character 9"),
        (b'{"text": "\xff"}', 400, "error parsing the body"),
        (b"[" * 200_000, 400, "error parsing the body"),
        ("{}", 422, "text: Field required"),
        ("[]", 422, "body: Input should be a valid dictionary"),
        ("null", 422, "body: "),
        ("", 422, "body: Field required"),
        ('{"text": 5}', 422, "text: Input should be a valid string"),
        ('{"text": "a", "stream": "perhaps"}', 422, "stream: Input should be a valid boolean"),
        ('{"text": "a", "txet": "b"}', 422, "txet: Extra inputs"),
        ('{"text": ""}', 422, "the text is empty; say what you are looking for"),
        ('{"text": " \\u0000\\n "}', 422, "the text is empty"),
        ('{"text": "' + "x" * 20_001 + '"}', 422, "20,001 characters; at most 20,000"),
    ],
)
def test_wrong_bodies_say_why(client, session, say, body, status, said):
    headers = {"content-type": "application/json"}
    response = client.post(f"{session}/turns", content=body, headers=headers)
    assert response.status_code == status
    assert set(response.json()) == {"error"}
    assert said in response.json()["error"]["message"]
    assert say("blue shirts")["state"]["turn"] == 1


def test_form_bodies_get_a_hint(client, session):
    response = client.post(f"{session}/turns", data={"text": "blue"})
    assert response.status_code == 415
    assert response.json()["error"]["hint"] == 'send the header "Content-Type: application/json"'


@pytest.mark.parametrize(
    "text",
    [
        "👗🔥🔥 blue 👍🏽",
        "синяя рубашка до 40",
        "藍色襯衫",
        "قميص أزرق",
        "x" * 20_000,
        "blue shirt " * 900,
        "'; DROP TABLE sessions; --",
        "<script>alert(1)</script>",
        "{{7*7}} ${jndi:ldap://x} %s %n",
        "the third one",
        "0",
    ],
)
def test_odd_text_gets_an_answer(say, text):
    answer = say(text)
    assert answer["utterance"] == text.strip()
    assert say("red shoes")["state"]["turn"] == 2


def test_control_characters_are_stripped(client, session):
    body = '{"text": "bl\\u0000ue \\u001b[1mshirts\\ud83d \\u202e!"}'
    headers = {"content-type": "application/json"}
    answer = client.post(f"{session}/turns", content=body, headers=headers).json()
    assert answer["utterance"] == "blue shirts \u202e!"


def test_body_size_is_limited(client_of):
    client = client_of(limits=Limits(body_bytes=100))
    session = "/v1/sessions/" + client.post("/v1/sessions").json()["id"]
    response = client.post(f"{session}/turns", json={"text": "x" * 200})
    assert response.status_code == 413
    assert "at most 100 are taken" in response.json()["error"]["message"]
    chunks = (b'{"text": "' + b"x" * 60 for _ in range(3))
    response = client.post(f"{session}/turns", content=chunks)
    assert response.status_code == 413
    assert set(response.json()) == {"error"}
    assert client.get(session).json()["turns"] == []


class SlowPlanner(RulePlanner):
    """Waits in the first turn until it is told to go on."""

    def __init__(self):
        super().__init__()
        self.entered, self.go = threading.Event(), threading.Event()

    def plan(self, request):
        self.entered.set()
        assert self.go.wait(20)
        return super().plan(request)


def _post(client, session, text, answers):
    answers.append(client.post(f"{session}/turns", json={"text": text}))


def test_two_turns_at_once_are_ordered(client_of):
    planner = SlowPlanner()
    client = client_of(parts={"planner": planner})
    session = "/v1/sessions/" + client.post("/v1/sessions").json()["id"]
    answers: list = []
    threads = []
    with client:  # one event loop for all requests, as a server has
        for text in ("blue shirts", "under 34.50"):
            threads.append(threading.Thread(target=_post, args=(client, session, text, answers)))
            threads[-1].start()
            assert planner.entered.wait(20)
        planner.go.set()
        for thread in threads:
            thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    turns = client.get(session).json()["turns"]
    assert [turn["utterance"] for turn in turns] == ["blue shirts", "under 34.50"]
    assert [item["id"] for item in turns[1]["items"]] == ["7"]


def test_many_turns_at_once_all_count(client, session):
    answers: list = []
    threads = [
        threading.Thread(target=_post, args=(client, session, f"under {price}", answers))
        for price in range(30, 42)
    ]
    with client:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["state"]["turn"] for answer in answers) == list(range(1, 13))
    assert len(client.get(session).json()["turns"]) == 12


def test_turn_after_another_process_conflicts(client, session, parts, monkeypatch):
    load = type(parts.store).load

    def load_then_lose(store, id):
        loaded = load(store, id)
        monkeypatch.setattr(type(parts.store), "load", load)
        assert client.post(f"{session}/turns", json={"text": "red"}).status_code == 200
        return loaded

    # The other process has its own locks, so this one's must not keep it out.
    monkeypatch.setattr(type(parts.store), "turn_lock", lambda store, id: nullcontext())
    monkeypatch.setattr(type(parts.store), "load", load_then_lose)
    response = client.post(f"{session}/turns", json={"text": "blue"})
    assert response.status_code == 409
    assert response.json()["error"]["type"] == "conflict"
    assert [turn["utterance"] for turn in client.get(session).json()["turns"]] == ["red"]


def _fill(store):
    with store._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


def test_full_disk_is_503_and_passes(client, session, say, store, events_of):
    before = say("blue shirts")
    _fill(store)
    text = "red shirts " + "x" * 15_000
    response = client.post(f"{session}/turns", json={"text": text})
    assert response.status_code == 503
    assert "the disk is full" in response.json()["error"]["message"]
    streamed = client.post(f"{session}/turns", json={"text": text, "stream": True})
    assert events_of(streamed.text)[-1][0] == "error"
    assert events_of(streamed.text)[-1][1]["error"]["type"] == "store_unavailable"
    with store._database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert client.get(session).json()["turns"] == [before]
    assert say("red shirts")["state"]["turn"] == 2


class BrokenPlanner:
    """Fails in a way nobody foresaw, or as a dead model server does."""

    def __init__(self, error):
        self.error = error

    def plan(self, request):
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RuntimeError("secret path /srv/x"), 500, "internal"),
        (ModelUnavailable("no answer in 2 s"), 503, "model_unavailable"),
    ],
)
def test_broken_stage_hides_internals(client_of, error, status, kind):
    client = client_of(parts={"planner": BrokenPlanner(error)})
    session = "/v1/sessions/" + client.post("/v1/sessions").json()["id"]
    response = client.post(f"{session}/turns", json={"text": "blue"})
    assert response.status_code == status
    assert response.json()["error"]["type"] == kind
    assert "secret" not in response.text
    assert client.get(session).json()["turns"] == []


def test_item_deleted_mid_session(client, session, say):
    first = say("blue shirts under 40")
    gone = first["items"][0]
    client.post("/v1/items:delete", json={"ids": [gone["id"]]})
    assert client.get(session).json()["turns"][0]["items"][0]["title"] == gone["title"]
    for text in ("something like the first one but red", "how much is the first?", "blue shirts"):
        answer = say(text)
        assert gone["id"] not in [item["id"] for item in answer["items"]]
