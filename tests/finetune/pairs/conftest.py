"""The store of `tests.agent.shop` as pairs are made over it, opened once."""

from collections.abc import Callable

import pytest

from agent.linking import Linker
from finetune.pairs.catalog import Catalog
from tests.agent import shop
from tests.finetune.pairs.talks import Talk


@pytest.fixture(scope="session")
def retriever(tmp_path_factory):
    with shop.open_shop(tmp_path_factory.mktemp("pairs") / "shop") as opened:
        yield opened


@pytest.fixture(scope="session")
def catalog(retriever) -> Catalog:
    return Catalog(retriever)


@pytest.fixture(scope="session")
def linker(retriever) -> Linker:
    return Linker.build(retriever)


@pytest.fixture
def talk(linker) -> Callable[..., Talk]:
    """Begin a session."""
    return lambda **given: Talk(linker, **given)
