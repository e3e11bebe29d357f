"""A small shop, opened once per run, and what is measured over it."""

from contextlib import ExitStack

import pytest

from finetune.gate.bench import Bench, Opened
from retrieval.encoder import HashingEncoder
from retrieval.retriever import Retriever
from tests.finetune.simulator.shop import make_shop


@pytest.fixture(scope="session")
def retriever(tmp_path_factory):
    folder = make_shop(tmp_path_factory.mktemp("gate"), items=240)
    with Retriever.open(folder, HashingEncoder(64), write=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def catalog(retriever):
    return Opened(retriever)


@pytest.fixture
def bench(catalog):
    with ExitStack() as stack:
        yield Bench((catalog,), small=True, stack=stack)
