"""For every test: no model but a local one may be asked, and what passes once passes again."""

import gc
import os
import random
import socket
import sys

# Tiny models gain nothing from threads and wait for each other where cores are busy. Read when
# torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from agent import llm
from tests import once

# The same examples each time, however slow the machine is just now; what a fixture gives is shared
# by all examples of a test. `--hypothesis-profile=explore` tries others.
settings.register_profile(
    "same",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("explore", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")


@pytest.fixture(autouse=True, scope="session")
def made_once():
    """Take what is the same for many tests as it was made for the first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.database._migrate", once.migrate)
        patch.setattr("fastapi.FastAPI.include_router", once.include_router)
        yield


@pytest.fixture(autouse=True)
def only_local_models(monkeypatch):
    monkeypatch.setattr(llm, "allow_model_requests", False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """Let go of what a module left, once, and look at what stays no more.

    All libraries and modules of a run are a million objects: to look through them again and again
    would take a quarter of its time, and what one module left would fail a test of another.
    """
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path != item.path:
            told, sys.unraisablehook = sys.unraisablehook, lambda left: None
            gc.collect()
            sys.unraisablehook = told
            gc.freeze()


def pytest_sessionfinish():
    """Give everything back to the collector: extensions tell of what is left when Python ends."""
    gc.unfreeze()


def free_port() -> int:
    """Return a port that nobody listens on.

    Connections are given theirs from above these: one of them could take it before a server does.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_000), 1_000):
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("every port is taken")


@pytest.fixture
def port() -> int:
    return free_port()
