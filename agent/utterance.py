"""What people type, made safe to store and link: control characters out, size checked."""

from __future__ import annotations

import re

from agent.errors import UserInputError

MAX_CHARACTERS = 20_000

# Tab and line breaks stay; lone surrogates, which JSON can carry, are no text at all.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def strip_control(text: str) -> str:
    """Return text without control characters, terminal sequences and lone surrogates."""
    return _CONTROL.sub("", _SEQUENCE.sub("", text))


def clean_utterance(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Return an utterance without control characters and outer blanks.

    Raises:
        UserInputError: If nothing is left, or it is longer than the limit.
    """
    if len(text) > limit:
        raise UserInputError(
            f"the text has {len(text):,} characters; at most {limit:,} are taken, send less"
        )
    clean = strip_control(text).strip()
    if not clean:
        raise UserInputError("the text is empty; say what you are looking for")
    return clean
