"""What people tell of themselves is in no log, database file or metric, whatever the route."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from agent.observability.logs import _CHATTY, JsonLines, TextLines
from agent.privacy.masking import PersonalDataMasker
from agent.privacy.sealing import new_key
from agent.privacy.secrets import Secrets
from agent.server import create_app
from agent.store import Store

USER = "waldemar.quist"
TOLD = (
    "waldemar.quist@posteo.de", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00",
    "+44 7911 123456", "Waldemar", "Quist", "Lindenallee 45", "50968", "536-22-1234",
)  # fmt: skip
SAYINGS = (
    "my name is Waldemar Quist and I want blue shirts under 60",
    "mail me at waldemar.quist@posteo.de or call +44 7911 123456",
    "pay with 4111 1111 1111 1111, refund to DE89 3704 0044 0532 0130 00",
    "ship it to Lindenallee 45, 50968 Köln; my ssn is 536-22-1234",
    "is the first one of cotton?",
)


@pytest.fixture(params=["clear", "encrypted"])
def store(request, tmp_path):
    keys = (new_key(),) if request.param == "encrypted" else ()
    store = Store(f"sqlite:///{tmp_path}/sessions.db", Secrets(b"a secret of some length", keys))
    yield store
    store.close()


@pytest.fixture
def client(parts):
    app = create_app(replace(parts, masker=PersonalDataMasker()))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def logged():
    """Everything that is logged at any level, as the server writes it."""
    written = io.StringIO()
    handlers = [logging.StreamHandler(written) for _ in range(2)]
    handlers[0].setFormatter(JsonLines())
    handlers[1].setFormatter(TextLines())
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    for chatty in _CHATTY:  # the test's own client is none of the server
        logging.getLogger(chatty).setLevel(logging.WARNING)
    for handler in handlers:
        root.addHandler(handler)
    yield written
    root.setLevel(before)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.NOTSET)
    for handler in handlers:
        root.removeHandler(handler)


def talk(client):
    """Tell everything on every route that takes text; return a slate of the session."""
    session = client.post("/v1/sessions", json={"user": USER}).json()["id"]
    path = f"/v1/sessions/{session}"
    slates = []
    for text in SAYINGS:
        slates.append(client.post(f"{path}/turns", json={"text": text}).json()["slate_id"])
        client.post(f"{path}/turns", json={"text": text, "stream": True})
        client.post("/v1/recommendations", json={"text": text, "k": 2})
        client.post("/v1/recommendations", json={"text": text, "session_id": session})
        client.post("/v1/explanations", json={"item_ids": ["1"], "text": text})
        client.post("/v1/explanations", json={"item_ids": ["1"], "wishes": text})
        messages = [{"role": "user", "content": text}]
        for more in ({}, {"stream": True}, {"user": USER}):
            client.post(
                "/v1/chat/completions", json={"model": "attune", "messages": messages} | more
            )
            client.post("/v1/responses", json={"input": text} | more)
        for kind in ("critique", "edit"):
            event = {"slate_id": slates[0], "kind": kind, "value": text}
            assert client.post("/v1/feedback", json=event).status_code == 201
        client.post("/v1/feedback", json={"slate_id": text, "kind": "critique", "value": text})
        client.post(f"{path}/turns", json={"text": text, "unknown": text})
        client.post(f"{path}/turns", content=f'{{"text": "{text}')
        client.get(f"/v1/sessions/{quote(text)}")
        client.get(f"/v1/items/{quote(text)}")
        client.get(f"/{quote(text)}")
    return session


def leaks(text):
    return [one for one in TOLD if one.casefold() in text.casefold()]


def on_disk(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir()).decode("latin-1")


def test_nothing_personal_is_kept_or_told(client, logged, tmp_path, store):
    session = talk(client)
    shown = client.get(f"/v1/sessions/{session}").text
    assert "[name]" in shown
    assert "[card]" in shown
    assert leaks(shown) == []
    assert leaks(client.get("/metrics").text) == []
    assert leaks(on_disk(tmp_path)) == []
    exported = client.get(f"/v1/users/{USER}/export")
    assert len(exported.json()["sessions"]) >= 1
    assert leaks(exported.text) == []
    assert client.delete(f"/v1/users/{USER}").json()["sessions"] >= 1
    assert leaks(logged.getvalue()) == []
    assert leaks(on_disk(tmp_path)) == []
    assert len(logged.getvalue()) > 1_000


def test_answers_understand_what_is_not_masked(client):
    session = client.post("/v1/sessions").json()["id"]
    said = {"text": "my phone is +44 7911 123456, i want blue shirts"}
    answer = client.post(f"/v1/sessions/{session}/turns", json=said).json()
    assert answer["utterance"] == "my phone is [phone], i want blue shirts"
    assert {item["attributes"]["colour"] for item in answer["items"]} == {"Blue"}
    labels = [one["label"] for one in answer["state"]["need"]["constraints"]]
    assert not any("phone" in label for label in labels)


@pytest.mark.parametrize(
    "said", ["my name is Waldemar Quist", "call me at +44 7911 123456, please"]
)
def test_telling_who_one_is_is_no_search(client, said):
    session = client.post("/v1/sessions").json()["id"]
    client.post(f"/v1/sessions/{session}/turns", json={"text": "blue shirts"})
    answer = client.post(f"/v1/sessions/{session}/turns", json={"text": said}).json()
    assert "is not kept here" in answer["reply"]
    assert answer["state"]["need"]["preferences"] == []
    assert answer["items"] == []


def test_what_is_not_masked_would_be_seen(parts, tmp_path, logged):
    store = Store(f"sqlite:///{tmp_path}/clear.db")
    client = TestClient(create_app(replace(parts, store=store)))
    session = client.post("/v1/sessions", json={"user": USER}).json()["id"]
    client.post(f"/v1/sessions/{session}/turns", json={"text": SAYINGS[0]})
    assert leaks(client.get(f"/v1/sessions/{session}").text) == ["Waldemar", "Quist"]
    assert leaks(on_disk(tmp_path)) == ["Waldemar", "Quist"]
    store.close()
