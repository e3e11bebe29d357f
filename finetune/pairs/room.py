"""Whether the words of a turn leave room for another meaning than the one that was taken. Pure.

"Red shoes" can't have meant "not red", whatever is said next; "anything but red" can. Asked only
where nobody said outright that a turn was misread. English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from agent.plan import Mention
from finetune.pairs.atoms import Atom, can_say

Sort = Literal["polarity", "strength", "kept", "reading", "lifted"]
"""How a turn was misread. polarity: wanted for unwanted, at least for at most. strength: a must
for nice to have. kept: took the place of an earlier wish that was to stay. reading: another link
of its words, or words left lying. lifted: took for a wish what was none."""

OUTRIGHT = re.compile(
    r"\bi (?:meant|mean|said|asked|told you)\b|\b(?:i|we) (?:did(?: not|n['’]?t)|never)"
    r" (?:say|said|ask(?:ed)?|mean|meant|want(?:ed)?)\b|\bmisunder(?:stood|stand)"
    r"|\bmisread\b|\bthat(?:['’]s| is| was) (?:not (?:what|right)|wrong)\b"
    r"|\b(?:got|read|understood) (?:it|that|me|this) wrong\b|\bnot what i\b"
    r"|\b(?:other|wrong) way (?:a)?round\b"
)
"""Says that the turn before was misread."""

DENIED = re.compile(
    r"\b(?:i|we) (?:did(?: not|n['’]?t)|never) (?:say|said|ask(?:ed)?|mention(?:ed)?)\b"
)
"""Says that a wish was none, which does not make it unwanted."""

CHANGED = re.compile(
    r"\bactually\b|\binstead\b|\bsecond thoughts?\b|\bchanged my mind\b|\bcome to think\b"
    r"|\bafter all\b|\bhow about\b|\bwhat about\b|\bmake it\b|\bswitch\b|\btry\b"
)
"""Says that a wish has changed."""

_NOT = r"\b(?:not?|non|nor|none|never|nothing|without|cannot)\b|n['’]?t\b"
_TURNED: dict[str, re.Pattern[str]] = {
    "avoid": re.compile(
        rf"{_NOT}|\b(?:except|exclud\w*|avoid\w*|but|skip|minus|sans|hate\w*|dislike\w*|allerg\w*"
        r"|instead|rather|other|apart|aside|besides|less|drop|leave|lose|stand|tired|sick)\b"
    ),
    "want": re.compile(
        r"\b(?:nothing|none|anything|nowhere)\b.*\b(?:but|except|other)\b"
        r"|\bnot (?:only|just|without)\b|\bwhy not\b|\bonly\b|\bnever without\b"
    ),
    "low": re.compile(r"\b(?:not?|more|over|above|least|min\w*|from|upwards?|beyond|starting)\b"),
    "high": re.compile(r"\b(?:not?|less|under|below|most|max\w*|up to|until|within|limit)\b"),
}
_TURNED |= {"soft": _TURNED["want"], "reject": _TURNED["avoid"]}
"""What may stand before a mention that is meant the other way, by the way it is then meant."""

_OUT = re.compile(
    r"^\W*(?:free|out|excluded|aside|apart|away|off)\b"
    rf"|^\W*(?:is|are|was|s|makes?|gives?|does|do|will|can)\b.*(?:{_NOT}|\bout\b|\bno\b)"
)
"""What may stand after a mention that is unwanted."""

_HEDGED = re.compile(
    rf"{_NOT}|\b(?:nice|ideal\w*|prefer\w*|maybe|perhaps|possib\w*|would|could|bonus|if|like|love"
    r"|plus|hope\w*|must|need\w*|essential|importan\w*)\b"
)
_LIFTED = re.compile(
    rf"{_NOT}|\b(?:any\w*|whatever|whichever|matter\w*|care|mind|fine|open|flexible|all|regardless"
    r"|forget|drop|remove|ignore|optional|lift|relax\w*|every)\b"
)
_JOINED = re.compile(
    r"\b(?:or|also|too|either|both|as well|and|plus|add|besides|another|else|along)\b"
)

_JOINT = re.compile(r"[\w\s'’]{0,20}")
"""What may stand between a value and words that turn it round: no mark, little else."""


def leaves_room(sort: Sort, atom: Atom, utterance: str, mentions: Sequence[Mention]) -> bool:
    """Return whether an utterance may mean an atom (lifted: may not mean it)."""
    if sort == "reading":
        return True
    said = utterance.casefold()
    if sort == "kept":
        return bool(_JOINED.search(said))
    stretches = [_around(said, mention, mentions) for mention in mentions if can_say(mention, atom)]
    for before, after in stretches:
        if sort == "polarity":
            turned = _TURNED[atom.way].search(before)
            out = atom.way in ("avoid", "reject") and _OUT.search(after)
            if turned or out or strange_beside(atom, utterance, mentions):
                return True
        elif sort == "lifted" and atom.way == "avoid":
            if _TURNED["want"].search(before):
                return True
        elif (_LIFTED if sort == "lifted" else _HEDGED).search(f"{before} | {after}"):
            return True
    return False


def strange_beside(atom: Atom, utterance: str, mentions: Sequence[Mention]) -> list[Mention]:
    """Return the words, mere words to the linker, right beside the mention that says an atom.

    "Steer clear of red": what the catalog can't explain may be what turns the value round.
    """
    found = []
    for own in (m for m in mentions if can_say(m, atom)):
        for other in mentions:
            first, second = sorted((own, other), key=lambda m: m.start)
            gap = utterance[first.end : second.start]
            if other.kind in ("keyword", "unknown") and own is not other and _JOINT.fullmatch(gap):
                found.append(other)
    return found


def _around(said: str, mention: Mention, mentions: Sequence[Mention]) -> tuple[str, str]:
    """Return the words before and after a mention, up to the next mentions that stop them."""
    others = [m for m in mentions if m.kind not in ("keyword", "unknown", "facet")]
    start = max((m.end for m in others if m.end <= mention.start), default=0)
    end = min((m.start for m in others if m.start >= mention.end), default=len(said))
    return said[start : mention.start], said[mention.end : end]
