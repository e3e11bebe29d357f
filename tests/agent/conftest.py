"""What tests of the agent share: shops, stores, parts, a model's server, what is traced."""

from __future__ import annotations

import pytest

from agent.dialogue import Parts
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.store import Store
from tests.agent.chat_server import ChatServer
from tests.agent.clothes import MemoryShop, clothes_shop
from tests.agent.shop import Mind, open_shop
from tests.agent.stores import KINDS, open_store


@pytest.fixture
def clothes() -> MemoryShop:
    """A shop of 14 shirts and shoes with known answers."""
    return clothes_shop()


@pytest.fixture
def shop_of():
    """Make a shop of given facets and items."""
    return lambda facets, items: MemoryShop(tuple(facets), {item.id: item for item in items})


@pytest.fixture(scope="session")
def store_shop(tmp_path_factory):
    """The department store of tests/agent/shop.py behind a real retriever; not to be changed."""
    with open_shop(tmp_path_factory.mktemp("store")) as retriever:
        yield retriever


@pytest.fixture(scope="session")
def mind(store_shop) -> Mind:
    """Link, plan and apply over the department store."""
    return Mind(store_shop)


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    """An empty store of each kind."""
    opened = open_store(request.param, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def sessions(tmp_path):
    """An empty session store on disk."""
    opened = Store(f"sqlite:///{tmp_path}/sessions.db")
    yield opened
    opened.close()


@pytest.fixture
def parts(sessions, store_shop, mind):
    """What a turn over the department store is made with."""
    return Parts(store=sessions, retriever=store_shop, linker=mind.linker, planner=RulePlanner())


@pytest.fixture
def own_parts(sessions, tmp_path):
    """Parts over a shop of the test's own, whose items may change."""
    with open_shop(tmp_path / "shop") as shop:
        yield Parts(store=sessions, retriever=shop, linker=Linker(shop), planner=RulePlanner())


@pytest.fixture
def model_server():
    """A server of a language model, as it is told to answer."""
    server = ChatServer()
    yield server
    server.stop()


@pytest.fixture
def spans():
    """What was traced so far, once tracing is on."""
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from agent.observability import tracing

    exporter = InMemorySpanExporter()
    provider = tracing.start(exporter)
    yield exporter.get_finished_spans
    tracing.stop(provider)
