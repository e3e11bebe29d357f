from __future__ import annotations

import pytest

from ui.reports import table, understanding_text

REPORT = {
    "ours": {"state_exact": 0.9, "reference_accuracy": None},
    "intervals": {"state_exact": (0.85, 0.95), "reference_accuracy": None},
    "baselines": {"last-turn-only": {"state_exact": 0.2, "reference_accuracy": None}},
    "n": {"dialogues": 2, "turns": 7, "references": 0},
    "by_catalog": {"demo": {"n": 7, "state_exact": 0.9, "reference_accuracy": None}},
    "errors": {"kinds": {"wrong act": 2, "missed value": 1}, "list": []},
    "skipped": {"fashion": 30},
}


def test_figures_stand_beside_baselines():
    lines = understanding_text(REPORT).split("\n")
    assert lines[0] == "7 turns in 2 dialogues"
    assert lines[2].split() == ["ours", "last-turn-only"]
    assert lines[3].split() == ["state_exact", "0.900", "[0.850,", "0.950]", "0.200"]
    assert lines[4].split() == ["reference_accuracy", "–", "–"]


def test_errors_and_skips_are_listed():
    text = understanding_text(REPORT)
    assert "errors: wrong act 2, missed value 1" in text
    assert "skipped: 30 turns on 'fashion', whose catalog is not here" in text


def test_empty_report_has_no_table():
    empty = {**REPORT, "by_catalog": {}, "errors": {"kinds": {}, "list": []}, "skipped": {}}
    assert understanding_text(empty).endswith("errors: none")
    assert "catalog" not in understanding_text(empty)


@pytest.mark.parametrize(
    ("rows", "lines"),
    [([("a", "b"), ("long", "c")], ["a     b", "long  c"]), ([("one",)], ["one"])],
)
def test_table_aligns_columns(rows, lines):
    assert table(rows) == lines
