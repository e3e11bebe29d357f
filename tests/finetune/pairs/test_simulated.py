"""Pairs of simulated sessions, in which what each user meant is known."""

import json

import pytest

from benchmarks import pairs_speed, plan_corrections
from finetune.simulator import read_population


@pytest.mark.slow
def test_corrections_are_nearly_always_right():
    found = plan_corrections.measure(read_population("dialect"), 120, 3, "none")
    assert found["pairs"] >= 10
    assert found["precision"] >= 0.95, found["notes"]
    assert found["recall"] >= 0.6, found["notes"]


@pytest.mark.slow
def test_speed_is_told_of_all_turns():
    found = json.loads(json.dumps(pairs_speed.measure(200)))
    assert found["turns"] == 200
    assert found["pairs"] > 0
