"""The tables of planners: every set and planner, marks, costs, and what is missing."""

import json

from ui.figures import MISSING
from ui.planner_figures import planners

COST = {"calls_per_turn": 0.5, "p50_ms": 12.3, "p95_ms": 99.9,
        "planned_by": {"llm": 0.5, "rules": 0.5}, "fallbacks": {}}  # fmt: skip
LABELS = {"n": 2, "state_exact": 0.5, "reference_accuracy": None, "act_accuracy": 1.0,
          "intervals": {"act_accuracy": [0.9, 1.0]}, "against": {}, **COST}  # fmt: skip
ACTS = {"n": 4, "act_accuracy": 0.25, "interval": [0.1, 0.4], "against": {}, **COST}
COARSE = {"n": 4, "exact": 0.75, "f1": {
    name: {"n": 1, "f1": value} for name, value in
    {"preference": 0.5, "more": None, "question": 1.0, "verdict": 0.25, "other": 0.0}.items()
}}  # fmt: skip


def written(folder, sets: dict, model: str | None = "house") -> str:
    config = {"model": model, "sure": [0.5], "most": 300, "seed": 0}
    (folder / "planners.json").write_text(json.dumps({"sets": sets, "config": config}))
    return planners(folder)


def one(own: dict, **marks: bool) -> dict:
    return {"weak": False, "trained_on": False, "planners": {"both": own}, **marks}


def test_not_measured_is_said(tmp_path):
    assert planners(tmp_path) == MISSING


def test_labels_and_acts_in_one_table(tmp_path):
    text = written(tmp_path, {"dev": one(LABELS, trained_on=True), "simmc1": one(ACTS, weak=True)})
    cost = "0.50 | 12.3 / 99.9 ms | llm 50%, rules 50% |"
    assert f"| `dev` (trained on) | both | 2 | 0.500 | – | 1.000 (0.90–1.00) | {cost}" in text
    assert f"| `simmc1` (weak) | both | 4 | – | – | 0.250 (0.10–0.40) | {cost}" in text
    assert "five classes" not in text
    assert text.endswith(
        "House model `house`, both together with a confidence of at least 0.5, at most 300 turns "
        "of a set, seed 0.\n"
    )


def test_coarse_view_follows(tmp_path):
    text = written(tmp_path, {"iard": one({**ACTS, "coarse": COARSE})})
    assert "| both | 0.750 | 0.500 | – | 1.000 | 0.250 | 0.000 |" in text


def test_absent_model_is_said(tmp_path):
    assert "No house model was there" in written(tmp_path, {"iard": one(ACTS)}, model=None)
