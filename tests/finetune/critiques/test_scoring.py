from __future__ import annotations

import pytest

from finetune.critiques.scoring import at_equal_change, by_kind, figures, intervals, score
from tests.finetune.critiques.crockery import BY_ID, case

# Red items beside m1, with their keep scores: m2 1.0, m6 .75, m5 .5, p2 .25, p5 0.
PERFECT = ("m2", "m6", "m5", "p2", "p5")


def scored(*answer: str, **given) -> dict[str, float]:
    return dict(score(case(**given), answer, BY_ID).figures)


def test_perfect_answer_scores_one():
    found = scored(*PERFECT)
    assert found["violation_rate"] == 0.0
    rest = {name: value for name, value in found.items() if "raw" not in name}
    assert {v for name, v in rest.items() if name != "violation_rate"} == {1.0}
    assert (found["keep_raw"], found["keep_raw@1"]) == (0.5, 1.0)


def test_half_right_answer_by_hand():
    found = scored("m4", "p2", "m2")
    assert found["change_accuracy"] == pytest.approx(2 / 3)
    assert found["change_accuracy@1"] == 0.0
    # Keep scores .75, .25, 1.0; capped by what is possible there: .75 + .25 + .5 of 2.5.
    assert found["keep_accuracy"] == pytest.approx(1.5 / 2.5)
    assert found["keep_accuracy@1"] == pytest.approx(0.75)
    assert found["keep_raw"] == pytest.approx(2 / 3)
    assert (found["violation_rate"], found["mrr"], found["hit@5"]) == (1.0, 1 / 3, 1.0)


def test_no_answer_scores_nothing():
    assert set(scored().values()) == {0.0}


@pytest.mark.parametrize(
    "answer",
    [("m2", "m1"), ("m2", "m4"), ("m2", "ghost"), ("m2", "m2")],
    ids=["reference", "breaks the edit", "not in the catalog", "twice"],
)
def test_any_wrong_item_is_a_violation(answer):
    found = scored(*answer)
    assert (found["violation_rate"], found["change_accuracy"]) == (1.0, 0.5)


def test_sixth_item_does_not_count():
    assert scored(*PERFECT, "ghost") == scored(*PERFECT)


def test_short_answer_loses_only_keep():
    found = scored("m2")
    assert (found["change_accuracy"], found["violation_rate"]) == (1.0, 0.0)
    assert found["keep_accuracy"] == pytest.approx(1 / 2.5)


def test_breaking_edits_earns_no_extra_keep():
    found = scored("m1", best=(0.5,), gold=("p2",))
    assert found["keep_accuracy@1"] == 1.0


def outcomes(*answers: tuple[str, ...], **given):
    return [score(case(**given), answer, BY_ID) for answer in answers]


def test_means_are_over_cases():
    both = outcomes(("m2",), ("m4",))
    assert figures(both)["change_accuracy"] == 0.5
    low, high = intervals(both, seed=0)["change_accuracy"]
    assert (low, high) == (0.0, 1.0)


def test_kinds_are_told_apart():
    found = by_kind([*outcomes(("m2",)), *outcomes(("m4",), kind="several")], seed=0)
    assert {kind: own["change_accuracy"] for kind, own in found.items()} == {
        "change": 1.0, "several": 0.0,
    }  # fmt: skip


def test_keep_is_compared_at_equal_change():
    ours = outcomes(("m2", "m6"), ("m5",), ("m2",))
    theirs = outcomes(("m1", "m5"), ("m2",), ("m4",))
    found = at_equal_change(ours, theirs, seed=0)
    # First case: one item of each counts, 1.0 against .5; second .5 against 1.0; third left out.
    assert found["n"] == 2
    assert (found["ours"], found["theirs"], found["mean"]) == (0.75, 0.75, 0.0)
    assert (found["low"], found["high"]) == (-0.5, 0.5)


def test_nothing_to_compare_is_none():
    assert at_equal_change(outcomes(("m4",)), outcomes(("m2",)), seed=0) is None
