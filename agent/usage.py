"""What a turn used, in tokens, and who it is counted for.

A turn counts what its language models were shown and wrote, as their server reports it, and at
least the text that came in and went out (`agent.tokens`): turns by rules count too, and so do those
of a server that reports nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent import tokens
from agent.telemetry import Meter


@dataclass(frozen=True, slots=True)
class Spent:
    """What one turn used.

    Args:
        payer: Id of the key that it is counted for.
    """

    payer: str
    tokens: int


def turn_tokens(said: str, reply: str, meter: Meter | None) -> int:
    """Return the tokens of a turn.

    Args:
        said: What the user said, as it was sent.
        meter: What language models were asked for in the turn, where that is known.
    """
    used = meter.input_tokens + meter.output_tokens if meter is not None else 0
    return max(used, tokens.count((said, reply)))
