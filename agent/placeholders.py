"""Placeholders in a model's words: `{F1}` what an item has, `{W1}` the wish, `{G1}` the gap.

`{T}` is the item's title. Small models write them in lower case and with blanks inside, so both
are read. This module does not know what fills them (`agent.facts`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PLACE = re.compile(r"\{\s*(t|[fwg]\s*\d{1,2})\s*\}", re.IGNORECASE)


def parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the words before each placeholder with its name; the name is empty at the end."""
    at = 0
    for match in _PLACE.finditer(text):
        yield text[at : match.start()], re.sub(r"\s", "", match[1]).upper()
        at = match.end()
    yield text[at:], ""


def names(text: str) -> tuple[str, ...]:
    """Return the placeholders of a text in order, e.g. ("T", "F1", "W1")."""
    return tuple(name for _, name in parts(text) if name)
