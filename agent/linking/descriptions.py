"""Descriptions: "the black one", "that nike", "the cheapest of these"."""

from __future__ import annotations

from agent.linking.found import Span
from agent.linking.screen import Screen
from agent.linking.vocabulary import general, pointing

_LONGEST = 6
"""Tokens of a describing phrase at most."""

_END_NOUNS = frozenset({"one", "ones", "item", "option", "pair"})
_JOINTS = ("and", "with")


def superlative(screen: Screen, i: int, alone: bool = False) -> Span | None:
    """Read "the cheapest one", "the cheapest of these": an extreme of the slate.

    Args:
        alone: Whether "the cheapest" will do: right behind "the one before".
    """
    start = i + (screen.word(i) in pointing().determiners)
    hit = screen.extreme(start) if screen.slate else None
    if hit is None:
        return None
    facet, upward, last = hit
    end = _extreme_end(screen, last) or (last if alone else None)
    known = [(item.number(facet), item.id) for item in screen.slate]
    values = [(value, id) for value, id in known if value is not None]
    if end is None or not values:
        return None
    pick = max(values, key=lambda v: v[0]) if upward else min(values, key=lambda v: v[0])
    return Span(i, end, (pick[1],), 0.9)


def _extreme_end(screen: Screen, i: int) -> int | None:
    """Return where a superlative that speaks of the slate ends: after "one", or "of these"."""
    word, after = screen.word(i), screen.word(i + 1)
    if word in ("one", "option"):
        return None if after == "first" else i + 1
    of_these = word == "of" and after in ("these", "those", "them", "the", "all")
    return i + 2 if of_these else None


def described(screen: Screen, i: int) -> Span | None:
    """Read "the black one", "that nike", "the leather shoes": what fits on the slate."""
    determiner = screen.word(i)
    if determiner not in pointing().determiners or not screen.slate or screen.extreme(i + 1):
        return None
    end, noun = _phrase_end(screen, i + 1)
    if end <= i + 1 or _not_an_item(screen, i, end):
        return None
    body = end - 1 if noun else end
    fits = [item.id for item in screen.slate if screen.describe(i + 1, body, item)]
    if not fits or (len(fits) == len(screen.slate) > 1 and not noun):
        return None
    plural = screen.word(end - 1) in ("ones", "items", "options")
    items = fits if plural or determiner in ("those", "these") else fits[:1]
    return Span(i, end, tuple(items), 0.95 if noun or len(fits) == 1 else 0.6)


def _not_an_item(screen: Screen, i: int, end: int) -> bool:
    """Return whether a phrase is about a kind or a wish: "not the red ones", "make that blue"."""
    before = screen.word(i - 1)
    if screen.word(i) == "that" and before == "make":
        return True
    if screen.word(end - 1) == "ones" and before in ("not", "no", "without", "hate", "except"):
        return True
    return screen.word(end) in pointing().no_items


def _phrase_end(screen: Screen, start: int) -> tuple[int, bool]:
    """Return where a describing phrase ends, and whether it ends in a noun like "one"."""
    stop = general().stop - {"light", "new", *_JOINTS}
    end = start
    while end < min(len(screen.tokens), start + _LONGEST):
        token = screen.tokens[end]
        if token.word == "in" and end > start and _is_true_of_some(screen, end + 1):
            end += 2
            continue
        if token.word in _END_NOUNS and end > start:
            return end + 1, True
        if not token.is_word or token.word in stop:
            break
        end += 1
    while end > start and screen.word(end - 1) in _JOINTS:
        end -= 1
    return end, False


def _is_true_of_some(screen: Screen, i: int) -> bool:
    """Return whether the token is true of some item of the slate, e.g. a colour."""
    return i < len(screen.tokens) and any(screen.describe(i, i + 1, item) for item in screen.slate)
