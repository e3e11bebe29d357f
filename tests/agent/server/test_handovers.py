"""The routes for those who look after customers, and what a session opens with."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.service.config import HandoverTable, OpeningTable
from agent.service.desk import ServiceDesk
from agent.service.escalation import Escalation
from agent.service.openings import Openings
from agent.store_handovers import Handovers


def now():
    return datetime(2026, 11, 23, 11, tzinfo=UTC)


@pytest.fixture
def parts(parts):
    handovers = Handovers(parts.store.database)
    escalation = Escalation(HandoverTable(), None, "", handovers, now)
    tables = [
        OpeningTable(text="Hello!", suggestions=["Blue shirts"]),
        OpeningTable(text="Hallo!", language="de"),
    ]
    openings = Openings(tables, None, now)
    return replace(parts, desk=ServiceDesk(parts.linker, escalation, openings=openings))


def test_handover_is_listed_shown_and_closed(client, say):
    say("blue shirts under 40")
    made = say("can I talk to a person?")["service"]["handover"]
    (listed,) = client.get("/v1/handovers").json()["handovers"]
    assert (listed["id"], listed["status"], listed["reason"]) == (made["id"], "waiting", "asked")
    path = f"/v1/handovers/{made['id']}"
    shown = client.get(path).json()
    assert [turn["user"] for turn in shown["transcript"]] == [
        "blue shirts under 40", "can I talk to a person?",
    ]  # fmt: skip
    assert shown["slate"][0]["id"] == "1"
    assert shown["open"] is True
    assert client.post(f"{path}:close").json()["status"] == "closed"
    assert client.get("/v1/handovers?status=waiting").json() == {"handovers": []}
    assert say("red shirts")["state"]["desk"]["handover"] is None


def test_wrong_handover_is_refused(client):
    assert client.get("/v1/handovers/nope").json()["error"]["type"] == "unknown_handover"
    assert client.post("/v1/handovers/nope:close").status_code == 404
    assert client.get("/v1/handovers?status=lost").status_code == 422
    assert client.get("/v1/handovers?limit=-1").status_code == 422


def test_session_opens_in_the_language_asked_for(client):
    answer = client.post("/v1/sessions").json()
    assert answer["opening"] == {"text": "Hello!", "suggestions": ["Blue shirts"]}
    german = client.post("/v1/sessions", headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})
    assert german.json()["opening"]["text"] == "Hallo!"
    other = client.post("/v1/sessions", headers={"accept-language": "fr;q=x,,*"})
    assert other.json()["opening"]["text"] == "Hello!"
