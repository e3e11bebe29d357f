"""References: what "the second one", "#3", "the black one", "it" or "that nike" point at.

Every reference is resolved against the slate as it was shown, or the items in focus; one that
points at nothing is kept with no items, so that the reply can say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.linking.descriptions import described, superlative
from agent.linking.found import Span
from agent.linking.positions import first_few, numbered, ordinal
from agent.linking.pronouns import pronoun
from agent.linking.screen import Screen
from agent.linking.vocabulary import pointing

_RULES = (first_few, ordinal, superlative, numbered, described, pronoun)
_BESIDE = {"before": -1, "above": -1, "after": 1, "below": 1, "following": 1, "beneath": 1}


def references(screen: Screen) -> list[Span]:
    """Return the references of an utterance, left to right, the first rule's at each place."""
    found: list[Span] = []
    i = 0
    while i < len(screen.tokens):
        span = reference_at(screen, i)
        if span is None:
            i += 1
            continue
        found.append(_coreferent(screen, span, found))
        i = max(span.last, i + 1)
    return found


def reference_at(screen: Screen, i: int) -> Span | None:
    """Return the reference that begins at a token, by the first rule that finds one."""
    return _neighbour(screen, i) or _plain_reference(screen, i)


def _plain_reference(screen: Screen, i: int) -> Span | None:
    return next(filter(None, (rule(screen, i) for rule in _RULES)), None)


def _neighbour(screen: Screen, i: int) -> Span | None:
    """Read "the one before the cheapest one": what stands beside another item of the slate."""
    start = i + (screen.word(i) in pointing().determiners)
    if screen.word(start) not in ("one", "item"):
        return None
    start += 1 + (screen.word(start + 1) in ("right", "just", "directly", "immediately"))
    step = _BESIDE.get(screen.word(start))
    other = _plain_reference(screen, start + 1) if step else None
    other = other or (superlative(screen, start + 1, alone=True) if step else None)
    if step is None or other is None or len(other.items) != 1:
        return None
    if other.items[0] not in screen.ids:
        return None
    place = screen.ids.index(other.items[0]) + step
    if 0 <= place < len(screen.ids):
        return replace(other, first=i, items=(screen.ids[place],), score=0.9)
    return replace(other, first=i, items=(), note=f"position {place + 1} of a slate")


def _coreferent(screen: Screen, span: Span, found: Sequence[Span]) -> Span:
    """Let "it" after "the second one" be the second one."""
    word = screen.word(span.first)
    if span.last - span.first > 2 or not found or word not in (*pointing().singular, "one"):
        return span
    earlier = found[-1]
    pronoun_alone = (
        earlier.last - earlier.first == 1 and screen.word(earlier.first) in pointing().singular
    )
    if len(earlier.items) != 1 or pronoun_alone:
        return span
    return replace(span, items=earlier.items)
