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


def references(screen: Screen) -> list[Span]:
    """Return the references of an utterance, left to right, the first rule's at each place."""
    found: list[Span] = []
    i = 0
    while i < len(screen.tokens):
        span = next(filter(None, (rule(screen, i) for rule in _RULES)), None)
        if span is None:
            i += 1
            continue
        found.append(_coreferent(screen, span, found))
        i = max(span.last, i + 1)
    return found


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
