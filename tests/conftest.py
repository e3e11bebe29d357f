"""For every test: no model but a local one may be asked."""

import os

# Tiny models gain nothing from threads and wait for each other where cores are busy. Read when
# torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from agent import llm


@pytest.fixture(autouse=True)
def only_local_models(monkeypatch):
    monkeypatch.setattr(llm, "allow_model_requests", False)
