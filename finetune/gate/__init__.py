"""The gate: a candidate is compared with a baseline and promoted or refused."""

from finetune.gate.decision import Judged, Verdict, decide
from finetune.gate.evaluate import evaluate_gate
from finetune.gate.thresholds import Rule, Thresholds, read_thresholds

__all__ = [
    "Judged", "Rule", "Thresholds", "Verdict", "decide", "evaluate_gate", "read_thresholds",
]  # fmt: skip
