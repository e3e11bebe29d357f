"""The benchmark of freshness: every write is looked for. No test asserts a time."""

import random

import pytest

from benchmarks import freshness
from benchmarks.freshness import Seen, checker, figures, flipped, measure, sync_rate, table
from benchmarks.indexing import invented
from retrieval.encoder import HashingEncoder
from retrieval.retriever import Retriever


@pytest.fixture
def shop(tmp_path):
    loaded = invented(60)
    encoder = HashingEncoder(16)
    Retriever.build(loaded, tmp_path / "shop", encoder=encoder)
    with Retriever.open(tmp_path / "shop", encoder) as retriever:
        yield retriever, loaded.items


def test_every_phase_is_measured(monkeypatch):
    monkeypatch.setattr(freshness, "WRITERS", 2)
    monkeypatch.setattr(freshness, "BATCH", 10)
    monkeypatch.setattr(freshness, "SYNCS", 3)
    found = measure(None, 150, 0.4, "hashing-16")
    assert list(found["phases"]) == ["before", "paced", "batches", "single", "checked"]
    for name, phase in found["phases"].items():
        assert phase["searches"] > 0
        assert name == "before" or phase["upserts_per_s"] > 0
    assert found["phases"]["checked"]["misses"] == 0
    lines = table([found]).splitlines()
    assert len(lines) == 6
    assert lines[2].split()[:2] == ["150", "paced"]


def test_checker_counts_what_is_not_seen(shop, monkeypatch):
    retriever, items = shop
    seen, deaf = Seen(), Seen()
    checker(retriever, items, seen, 1)(times(10))
    assert (seen.misses, seen.checked) == (0, 10)
    monkeypatch.setattr(retriever, "upsert", lambda items: None)
    checker(retriever, items, deaf, 2)(times(10))
    assert deaf.misses > 5


def times(count):
    """Tell a worker to go on so many times."""
    left = iter(range(count))
    return lambda: next(left, None) is not None


def test_figures_follow_from_what_was_seen():
    seen = Seen([(1.0, 100), (1.5, 100), (1.6, 100)], [0.01, 0.03], 1, 5)
    assert figures(seen, 2.0) == {
        "searches": 2, "p50_ms": 20.0, "p95_ms": 29.0, "slowest_ms": 30.0, "upserts_per_s": 150,
        "longest_pause_of_writes_ms": 500.0, "checked": 5, "misses": 1,
    }  # fmt: skip
    assert figures(Seen(), 2.0) == {}


def test_flips_leave_the_text_alone(tmp_path):
    item = invented(1).items[0]
    other = flipped(item, random.Random(1))
    assert (other.id, other.title) == (item.id, item.title)
    assert other.fields["in_stock"] is (other.fields["price"] % 2 == 0)
    assert sync_rate(tmp_path) > 0
    assert list(tmp_path.iterdir()) == []
