"""Conversations that were had elsewhere, over a shop with a desk: what was the desk's stays its."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from agent.server import create_app
from agent.service.config import HandoverTable
from agent.service.desk import ServiceDesk
from agent.service.escalation import Escalation
from agent.store_handovers import Handovers
from tests.agent.server.asking import URL, messages_of, thread
from tests.agent.service.conftest import ScriptedPages

CONVERSATIONS = (
    ("blue shirts", "how long does delivery take?", "red ones", "the second one"),
    (
        "hello, blue shirts please",
        "is delivery free? and show me the red ones",
        "thanks",
        "cheaper",
    ),
    ("can I return them? black shoes please", "the first one", "not leather"),
    ("shirts under 40", "I want to talk to a person", "never mind", "in blue"),
)


@pytest.fixture
def pages():
    return ScriptedPages()


@pytest.fixture
def client(parts, pages):
    noon = datetime(2026, 11, 23, 11, tzinfo=UTC)
    waiting = Handovers(parts.store.database)
    escalation = Escalation(HandoverTable(), None, "", waiting, lambda: noon)
    desk = ServiceDesk(parts.linker, escalation, pages=lambda: pages)
    return TestClient(create_app(replace(parts, desk=desk)))


def talk(client, texts):
    session = client.post("/v1/sessions").json()["id"]
    path = f"/v1/sessions/{session}/turns"
    return [client.post(path, json={"text": text}).json() for text in texts]


@pytest.mark.parametrize("texts", CONVERSATIONS)
def test_replayed_conversation_has_the_same_wishes(client, texts):
    kept = talk(client, texts)
    said = [one for text in texts for one in (text, "An answer from elsewhere.")]
    for place, turn in enumerate(kept[:-1], start=1):
        asked = messages_of(*said[: 2 * place], "show me what you have")
        body = {"messages": asked, "user": f"somebody {place}"}
        replayed = client.post(URL, json=body).json()
        assert thread(replayed) == "replayed"
        there = client.get(f"/v1/sessions/{replayed['attune']['session_id']}").json()["turns"]
        for name in ("need", "slate", "selected"):
            assert there[-2]["state"][name] == turn["state"][name], (name, texts[:place])


def test_nothing_is_done_twice_in_a_replay(client, pages, parts):
    elsewhere = ("can I return them?", "Yes.", "I want to talk to a person", "One moment.")
    client.post(URL, json={"messages": messages_of(*elsewhere, "blue shirts")})
    assert pages.asked == []
    assert Handovers(parts.store.database).list() == []
