"""For every test: no model but a local one may be asked."""

import pytest

from agent import llm


@pytest.fixture(autouse=True)
def only_local_models(monkeypatch):
    monkeypatch.setattr(llm, "allow_model_requests", False)
