"""The benchmark of turns: its script, and that every stage is timed. No test asserts a time."""

import json
from random import Random

import numpy as np
import pytest

from benchmarks.random_talk.odd import ODD
from benchmarks.random_talk.shops import open_shop
from benchmarks.turns import STAGES, Remembering, first, growth, hold, sessions, spread, table
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever
from ui.wiring import Project


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = open_shop("no category", tmp_path_factory.mktemp("shop"))
    yield shop
    shop.close()


class Counting(HashingEncoder):
    """Counts the texts it encodes."""

    def __init__(self):
        super().__init__(32)
        self.count = 0

    def encode_items(self, texts, progress=False):
        self.count += len(texts)
        return super().encode_items(texts, progress)


def test_script_is_long_and_filled():
    held = list(sessions(2))
    lines = [line for one in held for line in one]
    assert len(lines) >= 300
    assert not any("{" in line for line in lines)
    assert min(len(one) for one in held) >= 8
    assert held[0] != held[len(held) // 2]


def test_every_stage_of_a_turn_is_timed(shop):
    project = Project(shop.retriever.folder, shop.retriever, shop.parts)
    first_turn, second, third = hold(project, ["blue ones under 200", "why the first?", "more"])
    for one in (first_turn, second, third):
        assert {"load", "link", "plan", "apply", "reply", "store", "whole"} <= set(one)
        assert sum(one[stage] for stage in STAGES[:-1] if stage in one) <= one["whole"]
    assert "retrieve" in first_turn
    assert "retrieve" not in second


def test_remembering_encodes_no_text_twice(tmp_path):
    counting = Counting()
    encoder = Remembering(counting)
    vectors = encoder.encode_items(["red", "blue", "red"])
    assert np.array_equal(vectors, HashingEncoder(32).encode_items(["red", "blue", "red"]))
    encoder.encode_items(["blue", "red"])
    assert counting.count == 2
    assert np.array_equal(
        encoder.encode_queries(["red"]), HashingEncoder(32).encode_queries(["red"])
    )


def test_smaller_project_costs_nothing_more(tmp_path):
    rows = ODD["stop words"](Random(1))
    file = tmp_path / "shop.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    loaded = load([file])
    Retriever.build(loaded, tmp_path / "large", encoder=HashingEncoder(32))
    counting = Counting()
    encoder = Remembering(counting)
    encoder.learn(tmp_path / "large")
    small = first(loaded, 20)
    assert [item.id for item in small.items] == [item.id for item in loaded.items[:20]]
    Retriever.build(small, tmp_path / "small", encoder=encoder)
    assert counting.count == 0
    with Retriever.open(tmp_path / "small", encoder) as retriever:
        assert retriever.index.count() == 20


def test_spread_names_its_points():
    assert spread([1.0, 2.0, 3.0]) == {"p50": 2.0, "p95": 2.9, "max": 3.0}


def test_missed_targets_are_red():
    def outcome(link):
        stages = {stage: {"p50": 1.0, "p95": 2.0, "max": 3.0} for stage in STAGES}
        stages["link"]["p95"] = link
        start = {"median_s": 0.5, "median_cpu_s": 0.4}
        return {"items": 10, "turns": 5, "stages_ms": stages, "second_start": start}

    def styles(shown):
        return [str(row.style) for row in shown.rows]

    assert "red" in styles(table(outcome(6.0)))
    assert "red" not in styles(table(outcome(4.0)))
    assert len(growth([outcome(1.0), outcome(2.0)]).columns) == 3
