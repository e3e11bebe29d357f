"""Earlier slates: "the first list", "what you showed me before", "the last one from page 1".

A whole slate is a reference to its items, with a note that says so; an item of one is a reference
to that item. What is to be done about it (going back) is the planner's part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from agent.linking.found import Span
from agent.linking.text import Token
from agent.linking.vocabulary import pointing, read

EARLIER = "an earlier list"
"""Note of a reference to a whole slate that was shown."""

_JOINTS = frozenset({"from", "of", "in", "on", "off", "out", "within"})
_VERY_FEW = {"a": 1, "a couple": 2, "a couple of": 2, "a few": 3}


@dataclass(frozen=True, slots=True)
class Pointer:
    """A phrase for a slate: its tokens (end excluded), and the items of that slate."""

    first: int
    last: int
    items: tuple[str, ...]
    tail: bool = False


@cache
def _phrases(name: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    rows = read("references.toml")[name]
    return tuple(
        (row["of"], re.compile(rf"(?<!\S)(?:{says})")) for row in rows for says in row["says"]
    )


def pointers(tokens: Sequence[Token], lists: Sequence[Sequence[str]]) -> list[Pointer]:
    """Return the slates that an utterance speaks of, left to right.

    Args:
        lists: The item ids of the slates shown, oldest first, the present one last.
    """
    if not lists:
        return []
    starts, text = [], ""
    for token in tokens:
        starts.append(len(text))
        text += f"{token.word} "
    found: list[Pointer] = []
    for name in ("lists", "tails"):
        for of, phrase in _phrases(name):
            for match in phrase.finditer(text):
                place = _place(of, match, len(lists))
                if place is not None:
                    first = starts.index(match.start())
                    last = sum(start < match.end() for start in starts)
                    found.append(Pointer(first, last, tuple(lists[place]), name == "tails"))
    return list(_apart(found))


def _apart(found: Sequence[Pointer]) -> Iterator[Pointer]:
    """Yield pointers in order of place, the longest of those that overlap."""
    end = 0
    for one in sorted(found, key=lambda one: (one.first, -one.last)):
        if one.first >= end:
            yield one
            end = one.last


def _place(of: str, match: re.Match[str], count: int) -> int | None:
    """Return the place of the slate meant, None where there is none such."""
    if of in ("first", "now"):
        return 0 if of == "first" else count - 1
    if of == "before":
        return count - 2 if count > 1 else None
    n = _number(match[1])
    if of == "ago":
        return max(0, count - 1 - n) if n and count > 1 else None
    return n - 1 if 0 < n <= count else None


def _number(said: str) -> int:
    digits = re.match(r"\d+", said)
    if digits:
        return int(digits.group())
    known = {**pointing().counts, **pointing().ordinals, **_VERY_FEW}
    return known.get(said, 0)


Reader = Callable[[int, Sequence[str]], Span | None]
"""Reads the reference at a token as one to an item of a slate, given by its ids."""


def on_earlier(
    tokens: Sequence[Token], lists: Sequence[Sequence[str]], span_at: Reader
) -> list[Span]:
    """Return references to earlier slates and to items of them.

    Args:
        span_at: Reads the reference at a token, if there is one, on a slate.
    """
    spans: list[Span] = []
    for pointer in pointers(tokens, lists):
        spans.append(_item_of(tokens, pointer, span_at) or _whole(pointer))
    return [span for span in spans if span.items]


def _whole(pointer: Pointer) -> Span:
    items = () if pointer.tail else pointer.items
    return Span(pointer.first, pointer.last, items, note=EARLIER)


def _item_of(tokens: Sequence[Token], pointer: Pointer, span_at: Reader) -> Span | None:
    """Return the item of a slate that is named right before or behind the slate."""
    first, last = pointer.first, pointer.last
    while first and tokens[first - 1].word in _JOINTS:
        first -= 1
    if first == pointer.first and not pointer.tail:
        return None
    for start in range(max(0, first - _LONGEST), first):
        span = span_at(start, pointer.items)
        if span is not None and span.last == first:
            return Span(start, last, span.items, span.score, span.note)
    while last < len(tokens) and tokens[last].word in (",", "-"):
        last += 1
    behind = span_at(last, pointer.items) if last < len(tokens) else None
    return None if behind is None else Span(first, behind.last, behind.items, note=behind.note)


_LONGEST = 6
"""Tokens of what names an item at most."""
