"""Measured metrics made by hand."""

from finetune.gate.metrics import Mean
from finetune.gate.pairing import paired
from finetune.gate.thresholds import Rule, Thresholds

STATE, ACTS = "understanding.state_exact", "understanding.act_accuracy"
SAFETY, SUCCESS = "safety.failures", "simulator.success"


def measured(metric, ours, theirs):
    """Return a mean metric of single values."""
    both = (
        {f"u{place}": {metric: Mean(float(one))} for place, one in enumerate(side)}
        for side in (ours, theirs)
    )
    return {metric: paired("mean", metric, *both)}


def asking(must_improve=False, required=(), confidence=0.95, **rules):
    """Return thresholds; a rule's name has _ for the dot after its suite."""
    named = {name.replace("_", ".", 1): Rule(**rule) for name, rule in rules.items()}
    return Thresholds(metrics=named, must_improve=must_improve, required=required,
                      resamples=2000, confidence=confidence)  # fmt: skip


def flipped(n, up=0, down=0):
    """Return two sides of n units of which some went up, some down, and half of the rest are 1."""
    theirs = [0] * up + [1] * down + [place % 2 for place in range(n - up - down)]
    return [1] * up + [0] * down + theirs[up + down :], theirs
