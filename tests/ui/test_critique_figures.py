from __future__ import annotations

import json

from ui.critique_figures import critiques

FIGURES = {"change_accuracy": 1.0, "keep_accuracy": 0.98, "violation_rate": 0.0, "mrr": 0.9}
EQUAL = {"mean": 0.1, "low": 0.05, "high": 0.15, "n": 1200, "ours": 1.0, "theirs": 0.9}
REPORT = {
    "n": 2000,
    "ours": FIGURES,
    "ours_plan_given": {**FIGURES, "mrr": 0.95},
    "baselines": {"BM25": {**FIGURES, "violation_rate": 0.99}},
    "intervals": {"keep_accuracy": [0.97, 0.99]},
    "keep_at_equal_change": {"BM25": EQUAL, "filter only": None},
}


def test_unmeasured_is_said(tmp_path):
    assert critiques(tmp_path) == "Not measured yet.\n"


def test_systems_and_differences_are_shown(tmp_path):
    (tmp_path / "critiques.json").write_text(json.dumps({"catalogs": {"demo": REPORT}}))
    text = critiques(tmp_path)
    assert "| demo | 2,000 | **ours** | 1.000 | 0.980 (0.970–0.990) | 0.000 | 0.900 |" in text
    assert "|  |  | BM25 | 1.000 | 0.980 | 0.990 | 0.900 |" in text
    assert "| demo | +0.100 (+0.050 to +0.150), 1,200 cases | – |" in text
    assert "kept unseen" not in text


def test_first_runs_stand_apart(tmp_path):
    both = {"catalogs": {"demo": REPORT}, "first_run": {"books": {**REPORT, "n": 500}}}
    (tmp_path / "critiques.json").write_text(json.dumps(both))
    assert "| books | 500 | **ours** |" in critiques(tmp_path).split("kept unseen")[1]
