"""Promote or refuse, from measured metrics."""

import numpy as np
import pytest

from finetune.errors import GateError
from finetune.gate.decision import decide, holm
from finetune.gate.thresholds import read_thresholds
from tests.finetune.gate.judging import ACTS, SAFETY, STATE, SUCCESS, asking, flipped, measured

KEEP = {"better": "higher", "margin": 0.05}
GAIN = {**KEEP, "improves": True}


def test_same_contestant_holds():
    verdict = decide(measured(STATE, *flipped(100)), asking(understanding_state_exact=KEEP))
    assert verdict.promote
    assert verdict.reasons == ("nothing got worse by more than is tolerated",)


def test_clear_loss_is_refused():
    verdict = decide(
        measured(STATE, *flipped(100, down=20)), asking(understanding_state_exact=KEEP)
    )
    assert not verdict.promote
    assert verdict.caught_by == (STATE,)
    assert verdict.reasons[0].startswith("understanding.state_exact is worse: 0.6 to 0.4, -0.2 [")
    assert verdict.reasons[0].endswith("where 0.05 is tolerated")


def test_loss_that_cannot_be_ruled_out_is_refused():
    verdict = decide(
        measured(STATE, *flipped(40, up=4, down=4)), asking(understanding_state_exact=KEEP)
    )
    assert not verdict.promote
    assert "may be worse" in verdict.reasons[0]


def test_small_loss_on_many_units_is_tolerated():
    verdict = decide(
        measured(STATE, *flipped(4000, up=20, down=60)), asking(understanding_state_exact=KEEP)
    )
    assert verdict.promote
    assert verdict.metrics[0].high < 0


def test_lower_is_better_turns_it_round():
    rule = asking(critiques_violation_rate={"better": "lower", "margin": 0.02})
    worse = measured("critiques.violation_rate", *flipped(200, up=30))
    better = measured("critiques.violation_rate", *flipped(200, down=30))
    assert not decide(worse, rule).promote
    assert decide(better, rule).promote


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"better": "lower", "at_most": 0.1}, "is 0.5, above the limit of 0.1"),
        ({"better": "higher", "at_least": 0.9}, "is 0.5, below the limit of 0.9"),
    ],
)
def test_limits_hold_whatever_the_baseline(limit, said):
    verdict = decide(measured(STATE, *flipped(50)), asking(understanding_state_exact=limit))
    assert not verdict.promote
    assert verdict.reasons == (f"{STATE} {said}",)


def test_one_new_failure_is_too_many():
    rule = asking(safety_failures={"better": "lower", "new_at_most": 0})
    assert decide(measured(SAFETY, *flipped(60, down=5)), rule).promote
    verdict = decide(measured(SAFETY, *flipped(60, up=1, down=5)), rule)
    assert verdict.reasons == ("safety.failures has 1 new failures where 0 are allowed: u0",)


def test_promoting_needs_a_gain():
    rule = asking(must_improve=True, understanding_state_exact=GAIN)
    same = decide(measured(STATE, *flipped(100)), rule)
    assert not same.promote
    assert "no gain can be told from chance in understanding.state_exact" in same.reasons[0]
    better = decide(measured(STATE, *flipped(100, up=20)), rule)
    assert better.promote
    assert better.reasons[0].startswith("understanding.state_exact improved: 0.4 to 0.6")


def test_gain_where_none_is_asked_is_no_reason():
    rule = asking(must_improve=True, understanding_state_exact=KEEP)
    verdict = decide(measured(STATE, *flipped(100, up=30)), rule)
    assert verdict.reasons == ("nothing improved: no metric that may improve was measured",)


def test_gain_pays_for_no_loss():
    rule = asking(understanding_state_exact=KEEP, simulator_success=GAIN)
    both = measured(STATE, *flipped(100, down=30)) | measured(SUCCESS, *flipped(100, up=50))
    verdict = decide(both, rule)
    assert not verdict.promote
    assert verdict.caught_by == (STATE,)


def test_many_chances_to_gain_are_corrected():
    """p of one in 50 is a gain alone, but not as the best of five."""
    one = measured(STATE, *flipped(60, up=9, down=2))
    alone = decide(one, asking(understanding_state_exact=GAIN))
    assert alone.metrics[0].improved
    others = ("simulator.success", ACTS, "critiques.change_accuracy", "critiques.keep_accuracy")
    for name in others:
        one |= measured(name, *flipped(60, up=4, down=4))
    rules = {name.replace(".", "_", 1): GAIN for name in (STATE, *others)}
    assert not any(judged.improved for judged in decide(one, asking(**rules)).metrics)


def test_holm_steps_down():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx(
        {"a": 0.03, "c": 0.06, "b": 0.06}
    )
    assert holm({"a": 0.7, "b": 0.9}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_required_suite_must_be_measured():
    rules = {
        "understanding_state_exact": KEEP,
        "safety_failures": {"better": "lower", "at_most": 0},
    }
    verdict = decide(
        measured(STATE, *flipped(50)), asking(required=("safety",), **rules),
        skipped={"safety": "no attacks here"},
    )  # fmt: skip
    assert verdict.reasons == ("safety is required and was not measured: no attacks here",)
    assert verdict.skipped == {"safety": "no attacks here"}


def test_optional_suite_may_be_skipped():
    rules = {"understanding_state_exact": KEEP, "held_preferred": KEEP}
    verdict = decide(measured(STATE, *flipped(50)), asking(**rules), skipped={"held": "no pairs"})
    assert verdict.promote
    assert [one.metric for one in verdict.metrics] == [STATE]


def test_too_few_units_are_not_judged():
    rules = {"understanding_state_exact": KEEP, "understanding_act_accuracy": KEEP}
    both = measured(STATE, *flipped(50)) | measured(ACTS, *flipped(6, down=6))
    verdict = decide(both, asking(required=("understanding",), **rules))
    assert verdict.promote
    assert verdict.skipped == {ACTS: "6 units, fewer than 10"}


def test_metric_without_any_value_is_told():
    rules = {"understanding_state_exact": KEEP, "understanding_act_accuracy": KEEP}
    verdict = decide(measured(STATE, *flipped(50)), asking(**rules))
    assert verdict.skipped == {ACTS: "no unit has a value"}


def test_forgotten_suite_is_an_error():
    with pytest.raises(GateError, match=r"'safety\.failures', but suite 'safety' was neither"):
        decide(
            measured(STATE, *flipped(50)), asking(safety_failures={"better": "lower", "at_most": 0})
        )


def test_unknown_metric_is_an_error():
    odd = {"understanding.sense": measured(STATE, [1], [1])[STATE]}
    with pytest.raises(GateError, match=r"unknown metric 'understanding\.sense'"):
        decide(odd, asking(understanding_state_exact=KEEP))


def test_verdict_is_made_again():
    both = measured(STATE, *flipped(80, up=5, down=8))
    rule = asking(understanding_state_exact=KEEP)
    assert decide(both, rule, seed=3) == decide(both, rule, seed=3)


def test_chance_alone_is_seldom_refused():
    """Both sides flip 2 % of their answers at random, as a sampling model would."""
    random, rule = np.random.default_rng(1), asking(understanding_state_exact=KEEP)
    refused = 0
    for seed in range(40):
        truth = random.random(300) < 0.8
        ours, theirs = (np.where(random.random(300) < 0.02, ~truth, truth) for _ in range(2))
        refused += not decide(measured(STATE, ours, theirs), rule, seed=seed).promote
    assert refused <= 4


def test_real_loss_is_seldom_missed():
    """A true loss of 10 points must hardly ever pass a margin of 5."""
    random, rule = np.random.default_rng(2), asking(understanding_state_exact=KEEP)
    passed = 0
    for seed in range(40):
        theirs = random.random(300) < 0.8
        ours = theirs & (random.random(300) > 0.125)
        passed += decide(measured(STATE, ours, theirs), rule, seed=seed).promote
    assert passed <= 1


def test_own_thresholds_have_levels_that_can_hold():
    found = read_thresholds()
    assert all(rule.margin is None or rule.margin > 0 for rule in found.metrics.values())
