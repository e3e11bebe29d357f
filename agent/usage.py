"""What a turn used, in tokens, and who it is counted for.

A turn counts what its language model was shown and wrote, as the model's server reports it, and at
least the text that came in and went out, a token for every four bytes of it: turns by rules count
too, and so do those of a server that reports nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.telemetry import Meter

BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Spent:
    """What one turn used.

    Args:
        payer: Id of the key that it is counted for.
    """

    payer: str
    tokens: int


def estimated(text: str) -> int:
    """Return about how many tokens a text has; at least 1 where there is any text."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def turn_tokens(said: str, reply: str, meter: Meter | None) -> int:
    """Return the tokens of a turn.

    Args:
        said: What the user said, as it was sent.
        meter: What language models were asked for in the turn, where that is known.
    """
    used = meter.input_tokens + meter.output_tokens if meter is not None else 0
    return max(used, estimated(said) + estimated(reply))
