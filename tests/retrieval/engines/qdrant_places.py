"""Fixtures: places where the engine for Qdrant can be tested without a real server."""

import os
import tempfile
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from retrieval.engines import qdrant_meta
from retrieval.engines.qdrant_server import Server
from tests.retrieval.engines.edge_server import EdgeServer


@pytest.fixture
def quick_beat(monkeypatch):
    """Whether a writer lives is seen soon; it is given up only after longer than it may stall."""
    monkeypatch.setattr(qdrant_meta, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(qdrant_meta, "LEASE_SECONDS", 60.0)


@pytest.fixture
def short_lease(monkeypatch, quick_beat):
    """A writer is given up soon; for tests in which it is dead."""
    monkeypatch.setattr(qdrant_meta, "LEASE_SECONDS", 0.3)


@pytest.fixture
def local(monkeypatch, quick_beat):
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
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def core(quick_beat):
    """A server around Qdrant's core, in memory where that is possible: it syncs every index."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        server = EdgeServer(Path(folder))
        yield server
        server.close()
