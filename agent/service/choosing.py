"""The turn after "is it one of these?": which of the pages that were offered is meant.

Only the very next turn chooses. This module does not answer; what it cannot read as a choice goes
its usual way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from agent.service.topics import says
from agent.service.values import Offer

Unclear = Literal["which", "none"]
"""which: one of them, but not which. none: none of them."""

_PLACES = {
    "first": 0, "1st": 0, "one": 0, "1": 0, "top": 0, "former": 0,
    "second": 1, "2nd": 1, "two": 1, "2": 1, "middle": 1, "latter": 1,
    "third": 2, "3rd": 2, "three": 2, "3": 2,
    "last": -1, "bottom": -1,
}  # fmt: skip
_PLACE = re.compile(
    r"^\W*(?:(?:yes|yeah|ok(?:ay)?|it(?:'s| is)|that(?:'s| is)|i mean|please|show me|take|the|"
    r"number|no\.?|nr\.?|option|page)\b[\s,.:#]*)*"
    rf"(?P<place>{'|'.join(_PLACES)})(?: (?:one|page|question|option))?"
    r"(?:[\s,.!]+(?:please|pls|thanks?|thank you))*\W*$"
)
_NONE = re.compile(
    r"^\W*(?:no[\s,.!]+)?(?:none|neither|not? (?:any|one|really)|nothing)"
    r"(?: of (?:them|these|those|that))?(?:[\s,.!]+(?:please|sorry|thanks?|thank you))*\W*$"
)
_WORD = re.compile(r"[^\W_]+")
_LITTLE = frozenset(
    {
        "a", "an", "the", "i", "you", "we", "it", "is", "are", "do", "does", "can", "could", "what",
        "how", "when", "where", "which", "my", "your", "of", "to", "for", "in", "on", "and", "or",
        "about", "please", "yes", "mean", "one",
    }
)  # fmt: skip


def choose(offers: Sequence[Offer], text: str) -> Offer | Unclear | None:
    """Return the page that a clause chooses; None where it is no choice.

    Args:
        text: In lower case.
    """
    if not offers:
        return None
    found = _PLACE.match(text)
    if found is not None:
        place = _PLACES[found["place"]]
        if found["place"] == "latter":
            place = -1
        return offers[place] if place < len(offers) else "which"
    if says("yes", text):
        return offers[0] if len(offers) == 1 else "which"
    if _NONE.match(text) or (says("no", text) and len(text.split()) <= 2):
        return "none"
    return _by_words(offers, text)


def _by_words(offers: Sequence[Offer], text: str) -> Offer | None:
    """Return the only page whose title has all the words that are said, or of which all are."""
    said = _words(text)
    if not said:
        return None
    named = [one for one in offers if said <= _words(one.title)]
    if not named:
        named = [one for one in offers if _words(one.title) and _words(one.title) <= said]
    return named[0] if len(named) == 1 else None


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold())) - _LITTLE


def listed(offers: Sequence[Offer]) -> str:
    """Return the titles of pages with their numbers, as one line."""
    told = [f"{place}. {one.title}" for place, one in enumerate(offers, 1)]
    parts = [text if text[-1] in "?!.…" else f"{text};" for text in told[:-1]]
    return " ".join((*parts, *told[-1:]))
