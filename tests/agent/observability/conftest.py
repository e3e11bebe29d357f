"""A shop to talk to, and all that spans tell of it."""

from __future__ import annotations

import pytest

from tests.agent.clothes import parts_over


@pytest.fixture
def parts(clothes, sessions):
    return parts_over(clothes, sessions)


@pytest.fixture
def told():
    """Everything that spans tell, as one text."""

    def told(spans):
        return "\n".join(span.to_json() for span in spans)

    return told
