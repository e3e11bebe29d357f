"""Polarity: for each mention, whether it is wanted, excluded, nice to have or lifted.

A cue ("not", "without", "any") reaches forward to the end of its clause; lists carry it on ("no
red, blue or green"), a new clause stops it ("not leather, but suede").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from agent.plan import Mention
from agent.rules import cues
from agent.rules.cues import Masked

Polarity = Literal["want", "avoid", "prefer", "drop"]

_REACH = 60
"""Characters a negation reaches at most."""

_PREFER_GAP, _PREFER_REACH = 2, 8
"""Characters that may stand between a cue and what is preferred, and that it reaches past it."""

_WORDS = ("keyword", "unknown")
_OR = re.compile(r"\b(?:or|nor)\b")
_AND = re.compile(r"\band\b|,|&|/")
_OR_MAYBE = re.compile(r"(?:\bor(?: maybe| perhaps| else)?|/)\s*\Z")
_NEW_ITEM = re.compile(r",|\band\b")
_GOES_ON = re.compile(r" <V")
_OWNS = re.compile(r"(?:'?s)? <F")


class PolarityReader:
    """Reads the polarity of the mentions of one utterance.

    Args:
        mentions: One per span, in order of place.
    """

    def __init__(self, masked: Masked, mentions: Sequence[Mention]) -> None:
        self._masked = masked
        self._order = [m for m in mentions if m.id in masked.spans]
        only = list(cues.spans(masked, "polarity", "only"))
        self._avoid = [
            span
            for span in cues.spans(masked, "polarity", "avoid")
            if not any(first <= span[0] and span[1] <= last for first, last in only)
        ]
        self._boundaries = list(cues.spans(masked, "polarity", "boundary"))
        self._drops = list(cues.spans(masked, "polarity", "drop"))
        self._prefers = list(cues.spans(masked, "polarity", "prefer"))

    def read(self) -> dict[str, Polarity]:
        """Return mention id to polarity."""
        found: dict[str, Polarity] = {}
        for i, mention in enumerate(self._order):
            found[mention.id] = self._one(mention, self._before(i), found)
            if found[mention.id] == "want" and self._or_preferred(mention, self._before(i), found):
                found[mention.id] = "prefer"
        self._spare_heads(found)
        return {id: polarity for id, polarity in found.items() if not self._is_told(id, polarity)}

    def _is_told(self, id: str, polarity: Polarity) -> bool:
        """Return whether a value is told of something else: "the walls are white"."""
        start = self._masked.spans[id][0]
        told = polarity == "want" and id[:1] == "V"
        return told and cues.said(self._masked.text[:start], "need", "told_of")

    def _before(self, i: int) -> Mention | None:
        """Return the mention before one, passing over its facet's name: "without style retro"."""
        facet = self._order[i].facet
        named = i and self._order[i - 1].kind == "facet" and self._order[i - 1].facet == facet
        place = i - 2 if named else i - 1
        return self._order[place] if place >= 0 else None

    def _one(
        self, mention: Mention, before: Mention | None, found: dict[str, Polarity]
    ) -> Polarity:
        if mention.kind in ("facet", "value", "number", "order") and self._dropped(mention):
            return "drop"
        if mention.kind == "value" and self._follows(self._masked.spans[mention.id][1], "judged"):
            return "drop"
        if mention.kind == "number":
            return "want"
        start, end = self._masked.spans[mention.id]
        if self._follows(end, "avoid_after") or self._avoided(mention, before, found):
            return "avoid"
        preferred = self._preferred(start, end) or self._follows(end, "prefer_after")
        return "prefer" if preferred else "want"

    def _or_preferred(
        self, mention: Mention, before: Mention | None, found: dict[str, Polarity]
    ) -> bool:
        """Return whether a value is another choice of what is preferred: "ideally grey or navy"."""
        if before is None or mention.kind != "value" or found.get(before.id) != "prefer":
            return False
        gap = self._between(self._masked.spans[before.id][1], self._masked.spans[mention.id][0])
        return before.facet == mention.facet and _OR_MAYBE.search(gap) is not None

    def _preferred(self, start: int, end: int) -> bool:
        return any(
            first <= start <= last + _PREFER_GAP and end <= last + _PREFER_REACH
            for first, last in self._prefers
        )

    def _follows(self, at: int, name: str) -> bool:
        return cues.follows(self._masked, at, "polarity", name)

    def _between(self, first: int, last: int) -> str:
        return self._masked.text[first:last]

    def _dropped(self, mention: Mention) -> bool:
        start, end = self._masked.spans[mention.id]
        is_facet = mention.kind == "facet"
        if is_facet and self._follows(end, "drop_after"):
            return True
        gaps = [self._between(last, start) for _, last in self._drops if last <= start]
        if any(len(gap.split()) <= 2 and not _said(gap, "lift_ends") for gap in gaps):
            return True
        if is_facet and any(_said(gap, "lift_goes_on") for gap in gaps):
            return True
        return mention.kind == "value" and self._follows(end, "not_a_must")

    def _avoided(
        self, mention: Mention, before: Mention | None, found: dict[str, Polarity]
    ) -> bool:
        if mention.kind in ("number", "relative", "order"):
            return False
        start, end = self._masked.spans[mention.id]
        if mention.kind == "reference" and _OWNS.match(self._masked.text, end):
            return False  # not the item, but what it has: "nothing of the first one's brand"
        if mention.kind == "facet":
            return _said(self._masked.text[:start], "other_than")
        cue = max((last for _, last in self._avoid if last <= start), default=None)
        if cue is None or start - cue > _REACH or self._bounded(cue, start):
            return False
        if before is None or self._masked.spans[before.id][1] <= cue:
            return _NEW_ITEM.search(self._between(cue, start)) is None
        return found.get(before.id) == "avoid" and self._continues(before, mention)

    def _bounded(self, first: int, last: int) -> bool:
        return any(first <= start and end <= last for start, end in self._boundaries)

    def _continues(self, before: Mention, mention: Mention) -> bool:
        """Return whether a list goes on from one mention to the next."""
        gap = self._between(self._masked.spans[before.id][1], self._masked.spans[mention.id][0])
        alike = before.kind == mention.kind and before.facet == mention.facet
        alike = alike or (before.kind in _WORDS and mention.kind in _WORDS)
        if mention.kind == "reference" and before.kind != "reference":
            return False
        if _OR.search(gap):
            return True
        if "," in gap:
            closes = self._follows(self._masked.spans[mention.id][1], "closes_list")
            return alike and (closes or "and" in gap)
        if _AND.search(gap):
            return alike
        return len(gap.split()) <= 1

    def _spare_heads(self, found: dict[str, Polarity]) -> None:
        """In "no nike shoes" the brand is excluded, not the shoes."""
        for i, mention in enumerate(self._order[1:], start=1):
            before = self._order[i - 1]
            gap = self._between(self._masked.spans[before.id][1], self._masked.spans[mention.id][0])
            noun_phrase = not gap.strip() and before.kind in ("value", "keyword", "unknown")
            different = before.facet != mention.facet and (
                mention.kind == "value" or (before.kind == "value" and mention.kind in _WORDS)
            )
            if noun_phrase and different and found[mention.id] == found[before.id] == "avoid":
                found[mention.id] = "want" if self._is_head(i) else "avoid"

    def _is_head(self, i: int) -> bool:
        """Return whether the mention ends its noun phrase."""
        end = self._masked.spans[self._order[i].id][1]
        return not _GOES_ON.match(self._masked.text, end)


def _said(text: str, name: str) -> bool:
    return cues.said(text, "polarity", name)
