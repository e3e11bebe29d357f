"""The API over the small shop: real store, linker, planner and dialogue; no network."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from agent.knowledge import Knowledge, Library
from agent.server import create_app
from agent.store import Store
from retrieval.encoder import HashingEncoder
from tests.agent.clothes import parts_over, writable
from tests.agent.server.asking import URL, messages_of


@pytest.fixture
def shop(clothes):
    return writable(clothes)


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    yield store
    store.close()


@pytest.fixture
def parts(shop, store):
    return parts_over(shop, store)


@pytest.fixture
def library(tmp_path):
    """Where the shop's own pages are kept."""
    encoder = HashingEncoder(64)
    knowledge = Knowledge(tmp_path / "knowledge", encoder)
    yield Library(knowledge, lambda: encoder)
    knowledge.close()


@pytest.fixture
def client_of(parts):
    """Make a client of an app with other settings or parts."""
    return lambda **options: TestClient(
        create_app(replace(parts, **options.pop("parts", {})), **options),
        raise_server_exceptions=False,
    )


@pytest.fixture
def client(client_of):
    return client_of()


@pytest.fixture
def session(client):
    """The path of a new session."""
    return "/v1/sessions/" + client.post("/v1/sessions").json()["id"]


@pytest.fixture
def say(client, session):
    """Take a turn and return its answer."""

    def say(text):
        response = client.post(f"{session}/turns", json={"text": text})
        assert response.status_code == 200, response.text
        return response.json()

    return say


@pytest.fixture
def events_of():
    """Read Server-Sent Events as (event, data) pairs."""

    def read(body):
        blocks = [block.splitlines() for block in body.split("\n\n") if block]
        return [
            (lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: ")))
            for lines in blocks
            if lines[0].startswith("event: ")
        ]

    return read


@pytest.fixture
def ask(client):
    """Ask for a chat completion and return it; see `tests.agent.server.asking`."""

    def ask(*said, status=200, headers=None, **fields):
        body = {"model": "attune", "messages": messages_of(*said), **fields}
        response = client.post(URL, json=body, headers=headers)
        assert response.status_code == status, response.text
        return response.json()

    return ask
