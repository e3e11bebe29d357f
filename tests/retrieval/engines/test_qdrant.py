"""The engine for a Qdrant server: the contract, and what is its own: leases, errors, upkeep.

The contract runs on the client's local mode, held in memory by place, so that an index can be
opened again; where ATTUNE_TEST_QDRANT_URL names a server, it runs there too.
"""

import os
import uuid

import pytest
from qdrant_client import QdrantClient

from retrieval.engines import qdrant_meta
from retrieval.engines.qdrant import QdrantIndex
from retrieval.engines.qdrant_server import Server
from tests.retrieval.index_contract import *  # noqa: F403

SERVER = os.environ.get("ATTUNE_TEST_QDRANT_URL", "")
KEY = os.environ.get("ATTUNE_TEST_QDRANT_KEY") or None


@pytest.fixture
def shared(monkeypatch):
    """Local mode that stays when an index is closed, as a server does: one client per address."""
    clients = {}

    class Staying:
        def __init__(self, client):
            self.client = client

        def __getattr__(self, name):
            return getattr(self.client, name)

        def close(self):
            pass

    def connect(server):
        place = server.address.location
        if place not in clients:
            clients[place] = QdrantClient(":memory:", force_disable_check_same_thread=True)
        return Staying(clients[place])

    monkeypatch.setattr(Server, "_connect", connect)
    monkeypatch.setattr(qdrant_meta, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(qdrant_meta, "LEASE_SECONDS", 0.4)
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture(
    params=[
        "local",
        pytest.param(
            "server",
            marks=pytest.mark.skipif(not SERVER, reason="ATTUNE_TEST_QDRANT_URL names no server"),
        ),
    ]
)
def make_index(request):
    if request.param == "local":
        request.getfixturevalue("shared")
    names = {}

    def make(folder, encoder_name="hashing-16", dimension=16, write=True):
        name = names.setdefault(folder, f"attune_test_{uuid.uuid4().hex}")
        url = SERVER if request.param == "server" else f"path:{folder}"
        return QdrantIndex(url, name, encoder_name, dimension, write=write, api_key=KEY)

    yield make
    if request.param == "server":
        server = Server(SERVER, KEY)
        for name in names.values():
            server.ask("delete_collection", collection_name=name)
            server.ask("delete_collection", collection_name=f"{name}__meta")
        server.close()
