"""Figures become tables; what was not measured is left out."""

from __future__ import annotations

import json

import pytest

from benchmarks.understanding import without_turns
from ui import figures, headlines

SPREAD = {"p50": 14.72, "p95": 26.05, "max": 80.0}
TURNS = {
    "catalog": "shop.csv", "machine": "x86_64, 2 cores",
    "sizes": [{"items": items, "turns": 336, "load_before": 2.7,
               "stages_ms": {"link": {**SPREAD, "p50": 0.4, "p95": 0.9}, "whole": SPREAD},
               "second_start": {"median_s": 0.29}} for items in (1000, 44000)],
}  # fmt: skip
INDEXING = {
    "catalog": "shop.csv", "machine": "x86_64, 2 cores",
    "sizes": [{"items": 44000, "build_s": 233.2, "texts_per_s": 141.1, "load_average": 5.2,
               "bare_encoder_per_s": [133.9, 176.4], "share_of_bare": 0.91,
               "share_of_bare_in_cpu_time": 0.98, "rebuild_unchanged_s": 0.79, "open_s": 0.09,
               "peak_mb": 1602, "disk_mb": 90.3,
               "search": {"hybrid": {"p50_ms": 19.21, "p95_ms": 33.63}}}],
}  # fmt: skip
CONVERSATIONS = {
    "conversations": 100_000, "turns": 612_345, "seed": 1, "machine": "x86_64",
    "violations": {"item outside the catalog": 0, "exception": 2}, "items_shown": 10,
    "claims_verified": 20, "turns_with_relaxation": 3, "catalog_changes": 4,
    "refused_utterances": 5,
    "shops": {"demo": {"conversations": 50_000, "turns": 300_000, "violations": 2}},
}  # fmt: skip
SCORES = {"state_exact": 0.9125, "reference_accuracy": None, "act_accuracy": 1.0, "soft_recall": 0}
SET = {
    "ours": SCORES, "n": {"turns": 304},
    "intervals": {**dict.fromkeys(SCORES), "state_exact": [0.871, 0.944]},
    "baselines": {"last-turn-only": {**SCORES, "state_exact": 0.2}},
    "by_catalog": {"books": {"n": 44, **SCORES}},
    "errors": {"kinds": {"missed value": 9}, "list": [{"text": "a turn nobody may read"}]},
}  # fmt: skip
UNDERSTANDING = {**SET, "sets": {"understanding_dev": SET, "understanding_heldout": SET}}
ALL = {
    "turns": TURNS, "indexing": INDEXING, "conversations": CONVERSATIONS,
    "understanding": UNDERSTANDING,
}  # fmt: skip
MAKERS = {name: getattr(figures, name) for name in ALL}


@pytest.fixture
def results(tmp_path):
    for name, report in ALL.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(report))
    return tmp_path


@pytest.mark.parametrize("row", [
    "| whole turn over 44,000 items, p50 / p95 | 14.7 / 26.1 ms | p95 < 60 ms | [turns](",
    "| of this, linking | 0.4 / 0.9 ms |",
    "| second start over 44,000 items to the first prompt | 0.3 s | < 3 s |",
    "| indexing 44,000 items, beside the bare encoder | 91% of its speed (98% by CPU) |",
    "| peak memory while indexing 44,000 items | 1,602 MB |",
    "| random conversations | 100,000 |",
    "| 2 in 612,345 turns | 0 | [conversations](benchmarks/results/conversations.json) |",
    "| state exact, 304 held-out turns | 0.912 (0.87–0.94) | ≥ .90 |",
    "| references, 304 held-out turns | – | ≥ .92 |",
    "- indexing: `python benchmarks/indexing.py`; ",
])  # fmt: skip
def test_headlines_show_each_measurement(results, row):
    assert row in headlines.headlines(results)


@pytest.mark.parametrize("name", ALL)
def test_what_is_not_measured_is_left_out(results, name):
    (results / f"{name}.json").unlink()
    assert f"{name}.json" not in headlines.headlines(results)
    assert MAKERS[name](results) == figures.MISSING


def test_nothing_measured_is_said(tmp_path):
    assert headlines.headlines(tmp_path) == figures.MISSING


@pytest.mark.parametrize(("name", "row"), [
    ("turns", "| whole | 14.7 / 26.1 | 14.7 / 26.1 |"),
    ("turns", "| ms, p50 / p95 | 1,000 items | 44,000 items |"),
    ("indexing", "| 44,000 | 233 | 141 | 134 and 176 | 0.91 | 0.98 |"),
    ("conversations", "| violation: exception | 2 |"),
    ("conversations", "| demo | 50,000 | 300,000 | 2 |"),
    ("understanding", "| `understanding_heldout` | **held out** | 304 | 0.912 (0.87–0.94) | – | "),
    ("understanding", "| last-turn-only | 0.200 |"),
    ("understanding", "| books | 44 | 0.912 |"),
    ("understanding", "| missed value | 9 |"),
])  # fmt: skip
def test_tables_of_the_pages(results, name, row):
    assert row in MAKERS[name](results)


def test_without_held_out_set_no_headline(results):
    report = {**UNDERSTANDING, "sets": {"understanding_dev": SET}}
    (results / "understanding.json").write_text(json.dumps(report))
    assert "held-out turns" not in headlines.headlines(results)
    assert "Held out" not in figures.understanding(results)


def test_kept_figures_list_no_turns():
    kept = without_turns(UNDERSTANDING)
    assert "nobody may read" not in json.dumps(kept)
    assert kept["sets"]["understanding_dev"]["errors"] == {"kinds": {"missed value": 9}}
    assert kept["ours"] == SCORES
