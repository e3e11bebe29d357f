"""Adapters swapped on real vLLM and in this process while requests come: none may fail."""

from __future__ import annotations

import pytest

from benchmarks.swap import Timing, measure
from finetune.bases import resolve

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("kind", ["server", "local"])
def test_swaps_under_load_fail_no_request(vllm, kind):
    timing = Timing(steady=2.0, dwell=1.0, cycles=2)
    found = measure([kind], timing, vllm.python, resolve("house"))[kind]
    assert (found["failed"], found["reasons"], found["unknown_voices"]) == (0, {}, 0)
    assert len(found["by_voice"]) == 3
    assert found["swaps"] == 8
    assert found["problems"] == {}
