from __future__ import annotations

import pytest

from ui.reports import explanations_text, table, understanding_text

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


FIGURES = {"statement_precision": 0.997, "claims_per_explanation": 3.9}
EXPLANATIONS = {
    "ours": FIGURES,
    "intervals": {"statement_precision": (0.99, 1.0)},
    "baselines": {"everything as asked": {**FIGURES, "statement_precision": 0.68}},
    "sentences": {"kept": 0, "rewritten": 0, "dropped": 0, "by_model": 0, "fallbacks": 0},
    "checker": {
        "false_claims_caught": 0.995,
        "true_claims_kept": 0.999,
        "true_claims": 1200,
        "by_kind": {"value": {"n": 40, "caught": 0.975}},
    },
    "n": {"explanations": 700, "false_claims": 2800},
    "by_catalog": {"demo": {"n": 700, **FIGURES}},
}


def test_explanations_report_has_figures_and_checker():
    text = explanations_text(EXPLANATIONS)
    assert text.startswith("700 explanations\n")
    assert "statement_precision     0.997 [0.990, 1.000]  0.680" in text
    assert "checker: 0.995 of 2,800 false claims caught, 0.999 of 1,200 true ones kept" in text
    assert text.endswith("value        40  0.975")
    assert "sentences of the model" not in text


def test_explanations_report_tells_what_became_of_sentences():
    shares = {"kept_share": 0.8, "rewritten_share": 0.15, "dropped_share": 0.05}
    told = {**EXPLANATIONS, "sentences": {**EXPLANATIONS["sentences"], **shares, "fallbacks": 3}}
    assert (
        "sentences of the model: kept 0.800, rewritten 0.150, dropped 0.050; 3 all by template"
    ) in explanations_text(told)
