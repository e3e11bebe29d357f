"""For every test: no model but a local one may be asked."""

import os
import socket

# Tiny models gain nothing from threads and wait for each other where cores are busy. Read when
# torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from agent import llm


@pytest.fixture(autouse=True)
def only_local_models(monkeypatch):
    monkeypatch.setattr(llm, "allow_model_requests", False)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()
