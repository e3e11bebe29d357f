"""A small shop, opened once per run; every test gets its own store."""

import pytest

from agent.store import Store
from finetune.simulator.world import make_world
from retrieval.encoder import HashingEncoder
from retrieval.retriever import Retriever
from tests.finetune.simulator.shop import make_shop


@pytest.fixture(scope="session")
def retriever(tmp_path_factory):
    folder = make_shop(tmp_path_factory.mktemp("simulator"))
    with_items = Retriever.open(folder, HashingEncoder(64), write=False)
    yield with_items
    with_items.close()


@pytest.fixture(scope="session")
def world(retriever):
    return make_world(list(retriever.items()), retriever.facets, retriever.name)


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path / 'sessions.db'}")
    yield opened
    opened.close()
