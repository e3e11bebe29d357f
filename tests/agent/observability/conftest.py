"""Spans kept in memory, and a shop to talk to."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent.dialogue import Parts
from agent.linking import Linker
from agent.observability import tracing
from agent.planner import RulePlanner
from agent.store import Store
from tests.agent.chat_server import ChatServer
from tests.agent.server.conftest import _Catalog


@pytest.fixture
def spans():
    """What was traced so far, once tracing is on."""
    exporter = InMemorySpanExporter()
    provider = tracing.start(exporter)
    yield exporter.get_finished_spans
    tracing.stop(provider)


@pytest.fixture
def model_server():
    server = ChatServer()
    yield server
    server.stop()


@pytest.fixture
def parts(clothes, tmp_path):
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    linker = Linker(_Catalog(clothes))
    yield Parts(store=store, retriever=clothes, linker=linker, planner=RulePlanner())
    store.close()


@pytest.fixture
def told():
    """Everything that spans tell, as one text."""

    def told(spans):
        return "\n".join(span.to_json() for span in spans)

    return told
