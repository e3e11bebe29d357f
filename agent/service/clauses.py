"""Clauses: an utterance cut where a new sentence or a new question begins, with exact places.

Cutting loses nothing: a clause reaches from where the one before ends, its opening "and" or comma
included. This module does not know what a clause is about (`agent.service.topics`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

_AUX = "do|does|did|is|are|was|were|can|could|will|would|should|may|have|has|am"
_WHO = "i|you|u|ya|it|they|this|that|these|those|we|there|he|she|someone|anyone"
_STARTER = (
    rf"(?:{_AUX})(?:n['’]?t)?\s+(?:{_WHO}|the|my|your|any|all|returns?|shipping|delivery)\b"
    r"|(?:what|where|when|how|why|who|which)(?:['’]s|['’]re|s)?\b"
    r"|(?:i|we)(?:['’](?:m|d|ve|ll|re))?\s+(?:am|want|wanna|need|would|have|had|bought|ordered|like|can|can['’]t|"
    r"cannot|could|don['’]t|do|did|didn['’]t|still|also|just|got|paid|received|returned|looking|"
    r"was|were|love|prefer|think|should|must|will|never|really)\b"
    r"|(?:i|we)['’](?:m|d|ve|ll|re)\b|im\s+looking\b"
    r"|(?:please|pls)\b|also\b|then\b(?=\s+(?:show|find|tell|can|i|what))"
    r"|(?:show|find|give|get|tell|recommend|suggest|compare|cancel|track|return|check|let|connect|"
    r"transfer|call|send|change|look|search|put|add|order|buy|book|speak|talk|forward)\b"
    r"(?=\s+(?:me|us|it|them|that|this|those|these|the|my|a|an|some|your|to|with|for|up|where|when|"
    r"if|whether|something|anything|number|order|\d))"
    r"|(?:hi|hello|hey|thanks|thank you|thx|cheers|yes|yeah|yep|no|nope|ok|okay|sure|never ?mind)\b"
    r"|my\s+(?:order|parcel|package|delivery|refund|number|e-?mail|mail|name|address|account|"
    r"customer|phone|zip|postcode|postal|invoice|payment)\b"
    r"|(?:it|that|this|they)(?:['’]s|\s+(?:is|was|has|came|arrived|are|were|does|doesn|did))\b"
)
_LINK = r"(?:(?:and|but|also|plus|so|then|or|oh|anyway|because|since)\b[\s,]*){0,3}"
_BREAK = re.compile(
    r"(?P<hard>[!?]+[\s)\"'”]*(?=\S)|(?<![\s(][A-Za-z])(?<!\bno)(?<!\bNo)\.(?:\.+)?\s+(?=\S)|;\s*(?=\S)"
    rf"|\s*\n\s*(?=\S))(?P<linked>{_LINK})"
    rf"|(?P<soft>\s*,\s*|\s+[-–—]+\s+|\s*:\s+)(?P<joined>{_LINK})(?={_STARTER})"
    rf"|\s+(?P<word>(?:and|but|also|plus|then|so|or|because)\s+{_LINK})(?={_STARTER})",
    re.IGNORECASE,
)
_OPENING = re.compile(rf"[\s,;:.–—-]*(?P<word>{_LINK})", re.IGNORECASE)

MAX_CLAUSES = 40


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of an utterance.

    Args:
        start: Where it begins, with what opens it ("and", a comma).
        begin, end: Where its own words are.
        opening: The words that link it to the clause before, in lower case.
    """

    start: int
    begin: int
    end: int
    text: str
    opening: str = ""

    @property
    def asks(self) -> bool:
        """Whether it ends in a question mark."""
        return self.text.rstrip(" \"'”)").endswith("?")


def split(utterance: str) -> tuple[Clause, ...]:
    """Return the clauses of an utterance in order; together they cover all of its words."""
    starts = [0]
    for match in _BREAK.finditer(utterance):
        # What ends a sentence stays with it; what links two clauses opens the second.
        at = match.end("hard") if match["hard"] else match.start()
        if utterance[starts[-1] : at].strip(" ,;:.!?") and len(starts) < MAX_CLAUSES:
            starts.append(at)
    ends = [*starts[1:], len(utterance)]
    return tuple(_clauses(utterance, starts, ends))


def _clauses(utterance: str, starts: Sequence[int], ends: Sequence[int]) -> Iterator[Clause]:
    for start, stop in zip(starts, ends, strict=True):
        body = utterance[start:stop]
        opened = _OPENING.match(body) if start else None
        # Without the link nothing may be left: "so?"
        skip = opened.end() if opened and body[opened.end() :].strip(" .,!?") else 0
        begin = start + skip + len(body[skip:]) - len(body[skip:].lstrip())
        end = start + len(body.rstrip())
        if begin < end:
            opening = " ".join(opened["word"].lower().split()) if opened and skip else ""
            yield Clause(start, begin, end, utterance[begin:end], opening.strip(", "))


def without(utterance: str, taken: Collection[Clause]) -> str:
    """Return the utterance with some clauses blanked out, so that places in it stay.

    A link ("and", a comma) goes with the clause it stood before, and also where the clause that it
    linked to is gone.
    """
    rest = list(utterance)
    before_gone = True
    for clause in split(utterance):
        gone = any(one.start == clause.start for one in taken)
        kept_from = clause.begin if before_gone else clause.start
        stop = clause.end if gone else kept_from
        rest[clause.start : stop] = " " * (stop - clause.start)
        before_gone = gone
    left = "".join(rest)
    return left if any(char.isalnum() for char in left) else ""
