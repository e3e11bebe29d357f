"""Engine "qdrant-edge": the contract, with graphs from the first item on, and what is its own."""

import pytest

pytest.importorskip("qdrant_edge", reason="needs attune[edge]")

from retrieval.engines.edge import EdgeIndex
from tests.retrieval.index_contract import *  # noqa: F403


@pytest.fixture
def make_index():
    def make(folder, encoder_name="hashing-16", dimension=16, write=True):
        return EdgeIndex(folder, encoder_name, dimension, write=write)

    return make


@pytest.fixture
def eager(monkeypatch):
    monkeypatch.setattr("retrieval.engines.edge.EXACT_ROWS", 20)
    monkeypatch.setattr("retrieval.engines.edge.PART_ROWS", 10)
    monkeypatch.setattr("retrieval.engines.edge_shards.TAIL_ROWS", 100)


@pytest.fixture
def eager_ann(eager):
    def settle(index):
        index.save()
        assert index._shards.at(index._now().state.generation).covered == index._now().state.rows

    return settle
