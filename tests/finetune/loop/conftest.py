"""A small demo catalog, indexed once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from retrieval.demo import make_demo
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever
from tests.finetune.registry.conftest import make

__all__ = ["demo", "make"]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retriever]:
    folder = tmp_path_factory.mktemp("loop")
    catalog = make_demo(folder / "catalog", items=300)
    encoder = HashingEncoder()
    Retriever.build(load([catalog]), folder / "project", encoder=encoder)
    with Retriever.open(folder / "project", encoder) as retriever:
        yield retriever
