"""A project with adapters, and sessions as if people had shopped under an experiment."""

import pytest

from agent.dialogue import Parts, respond
from agent.linking import Linker
from agent.planner import RulePlanner
from agent.store import Store
from benchmarks.browser.learned import add_adapters, shopped
from finetune.bases import HOUSE


@pytest.fixture
def learned(tmp_path):
    """A project folder with three adapters: live, passed, refused; and their names."""
    if not (HOUSE / "config.json").is_file():
        pytest.skip("needs the house model")
    project = tmp_path / "learned"
    return project, add_adapters(project, tmp_path / "work")


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/sessions.db")
    yield store
    store.close()


@pytest.fixture
def shop_as():
    return shopped


@pytest.fixture
def put(store):
    """Put sessions into the store as they are, at their own times."""
    return lambda *sessions: [store.add_session(one) for one in sessions]


@pytest.fixture
def parts(catalog, store):
    return Parts(store, catalog, Linker.build(catalog), RulePlanner(catalog.facets))


def say(parts, *texts):
    """Have somebody say something in a session of their own; return it."""
    session = parts.store.create_session("ann")
    for text in texts:
        *_, _ = respond(parts, session, text)
    return session
