"""Signals of a dialogue read from its words alone: repeats, repairs, failures, thanks. Pure.

A sketch by word lists: it knows no language but English and no meaning. How far its figures go
with people's own judgements is measured in `finetune.simulator.validity`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from finetune.simulator.satisfaction import Signals

SAME = 0.8
"""Replies that share this much of their words (Jaccard) say the same again."""

_WORD = re.compile(r"[a-z0-9']+")
_REPAIR = re.compile(
    r"^(no|nope|not|wrong|what|huh|why)\b(?! problem)|\?\?|\b("
    r"i (said|meant|asked|told)|i didn'?t (ask|say|mean)|i don'?t (like|want|understand|think)|"
    r"that'?s not|that is not|not what|you (already|just|keep|didn'?t|did not)|"
    r"does(n'?t| not) (make|answer|help|work)|makes no sense|again|already|instead|other than|"
    r"something else|anything else|still)\b"
)
_FAILURE = re.compile(
    r"\b(sorry|apologi[sz]e|unfortunately|i('m| am) (not sure|unable)|no results?|"
    r"(can'?t|cannot|could ?n'?t|could not) (find|help|recommend|provide)|"
    r"(don'?t|do not) (know|have|understand)|nothing (fits|matches|about))\b"
)
_HOLE = re.compile(r"(seen|about|like|recommend|watch) ?[?.]|^(is|was) an? |^\W*$")
"""Where a title should stand and does not: "Have you seen ?"."""

_PRAISE = re.compile(
    r"\b(thanks?|thank you|thx|cool|nice|great|perfect|awesome|wonderful|excellent|amazing|fun|"
    r"fantastic|sounds|impressive|excited|lol|haha|glad|enjoy(ed)?|love|loved|interesting|"
    r"helpful|definitely|i'?ll (take|watch|check|try|see|give|look|have)|"
    r"i will (take|watch|check|try|see|give|look|have)|(have|going|need) to (watch|see|check|try)|"
    r"good (suggestion|recommendation|idea|choice|one|day|night)|i (choose|pick))\b"
)


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a dialogue."""

    role: Literal["user", "system"]
    text: str


def read_signals(said: Sequence[Said]) -> Signals:
    """Return the signals of a dialogue, as its words show them.

    Success is the share of the user's turns that accept or praise something; how near the items
    came is not to be seen.
    """
    users = [one.text for one in said if one.role == "user"]
    systems = [one.text for one in said if one.role == "system"]
    return Signals(
        turns=max(1, len(users)),
        success=sum(bool(_PRAISE.search(_plain(text))) for text in users) / max(1, len(users)),
        repairs=sum(bool(_REPAIR.search(_plain(text))) for text in users),
        repeats=_repeated(systems) + _repeated(users),
        failures=sum(map(_failed, systems)),
    )


def _failed(text: str) -> bool:
    plain = _plain(text)
    return bool(_FAILURE.search(plain) or _HOLE.search(plain))


def _plain(text: str) -> str:
    return text.casefold().replace("’", "'").strip()


def _repeated(texts: Sequence[str]) -> int:
    """Return how many texts say nearly what one before them said."""
    bags = [frozenset(_WORD.findall(_plain(text))) for text in texts]
    return sum(
        any(_jaccard(bag, other) >= SAME for other in bags[:place])
        for place, bag in enumerate(bags)
        if len(bag) > 2
    )


def _jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / max(1, len(left | right))
