"""How satisfied somebody is with a dialogue, from what happened in it. Pure.

The same formula serves simulated sessions, whose signals are known, and transcripts of people,
whose signals are read from the words (`finetune.simulator.transcripts`).
"""

from __future__ import annotations

from dataclasses import dataclass

REPAIR = 0.25
"""Weight of a turn that corrects: people who engage with a system correct it too."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What a dialogue was like for the user.

    Args:
        turns: Turns of the user.
        success: Whether they found something; of a transcript, the share of praising turns.
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

    s = 2 + 2 success + relevance - (REPAIR repairs + repeats + failures) / turns - violations,
    kept within 1 to 5. The weights were chosen on half of the dialogues that people judged
    (docs/simulator.md); length as such did not trouble them, so it is not in it.
    """
    trouble = REPAIR * signals.repairs + signals.repeats + signals.failures
    raw = (
        2.0 + 2.0 * signals.success + signals.relevance
        - trouble / max(1, signals.turns) - signals.violations
    )  # fmt: skip
    return min(5.0, max(1.0, raw))
