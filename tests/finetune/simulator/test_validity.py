from random import Random

import numpy as np
import pytest

from finetune.simulator import validity as module
from finetune.simulator.transcripts import Said
from finetune.simulator.validity import (
    Judged,
    agreement,
    auc,
    kendall,
    part_of,
    spearman,
    system_agreement,
    validity,
)


def judged(n, rating, system=lambda i: ""):
    said = (Said("user", "thanks"),)
    return [Judged(f"d{i}", said, rating(i), system(i)) for i in range(n)]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(module, "RESAMPLES", 200)


def test_statistics_of_known_orders():
    up, down = np.arange(6.0), np.arange(6.0)[::-1]
    assert spearman(up, up**3) == pytest.approx(1.0)
    assert kendall(up, down) == pytest.approx(-1.0)
    assert auc(up, (up > 2).astype(float)) == 1.0
    assert auc(np.zeros(6), (up > 2).astype(float)) == 0.5


def test_kendall_counts_pairs():
    assert kendall(np.array([1.0, 2, 3]), np.array([1.0, 3, 2])) == pytest.approx(1 / 3)


def test_constants_have_no_correlation():
    assert np.isnan(spearman(np.ones(4), np.arange(4.0)))
    assert np.isnan(auc(np.arange(4.0), np.ones(4)))


def test_interval_covers_the_truth():
    random = Random(0)
    truth = [random.gauss(0, 1) for _ in range(200)]
    noisy = [one + random.gauss(0, 1) for one in truth]
    found = agreement(noisy, judged(200, truth.__getitem__), spearman)
    assert found.low < found.value < found.high
    assert 0.5 < found.low < 0.69 < found.high


def test_turns_of_a_dialogue_go_together():
    random = Random(1)
    effects = [random.gauss(0, 1) for _ in range(20)]
    ratings = [effects[i // 20] for i in range(400)]
    made = [effect + random.gauss(0, 1) for effect in ratings]
    single = [Judged(f"d{i}", (), rating) for i, rating in enumerate(ratings)]
    whole = [Judged(f"d{i // 20}", (), rating) for i, rating in enumerate(ratings)]
    narrow, wide = (agreement(made, own, spearman) for own in (single, whole))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_systems_are_compared_by_means():
    own = judged(40, lambda i: float(i % 4 > 1), lambda i: f"s{i % 4}")
    made = [float(i % 4 > 1) + 0.01 * (i % 4) for i in range(40)]
    assert system_agreement(made, own, spearman).value == pytest.approx(0.894, abs=0.001)


def test_split_is_stable_and_even():
    assert part_of("redial/1") == part_of("redial/1")
    parts = [part_of(f"redial/{i}") for i in range(1000)]
    assert 440 < parts.count("test") < 560


def test_report_has_the_baselines():
    own = judged(30, lambda i: float(i % 3 == 0), lambda i: f"s{i % 3}")
    found = validity(own, binary=True)
    assert set(found) == {"ours", "constant", "turns", "words"}
    assert found["constant"]["auc"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert found["constant"]["systems_spearman"]["value"] is None
    assert set(validity(judged(30, float))["ours"]) == {"spearman", "kendall"}
