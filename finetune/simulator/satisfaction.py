"""How satisfied somebody is with a dialogue, from what happened in it. Pure.

The same formula serves simulated sessions, whose signals are known, and transcripts of people,
whose signals are read from the words (`finetune.simulator.transcripts`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signals:
    """What a dialogue was like for the user.

    Args:
        turns: Turns of the user.
        success: Whether they found something, 0 to 1.
        repairs: Turns in which they had to correct the system.
        repeats: Replies that said or showed the same again.
        failures: Replies that nothing fits.
        violations: Items shown against what was stated.
        relevance: How near the best that was shown came, 0 to 1.
    """

    turns: int
    success: float
    repairs: float = 0.0
    repeats: float = 0.0
    failures: float = 0.0
    violations: float = 0.0
    relevance: float = 0.0


def satisfaction(signals: Signals) -> float:
    """Return 1 (frustrated) to 5 (delighted).

    s = 2 + 2 success + relevance - 0.1 (turns - 1) - (repairs + repeats + failures / 2) per turn
        - violations, kept within 1 to 5
    """
    trouble = signals.repairs + signals.repeats + signals.failures / 2
    raw = (
        2.0 + 2.0 * signals.success + signals.relevance - 0.1 * (signals.turns - 1)
        - trouble / max(1, signals.turns) - signals.violations
    )  # fmt: skip
    return min(5.0, max(1.0, raw))
