from pathlib import Path

import pytest

from finetune.house.worlds import make_world
from retrieval.demo.make import make_demo
from retrieval.loading import load


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """The demo shop to talk about."""
    folder: Path = tmp_path_factory.mktemp("demo")
    return make_world("demo", load([make_demo(folder)]))
