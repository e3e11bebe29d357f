"""Positions: "the second one", "#3", "the last two", "1 vs 3"."""

from __future__ import annotations

from collections.abc import Sequence

from agent.linking.found import Span
from agent.linking.screen import Screen
from agent.linking.text import phrase_at
from agent.linking.vocabulary import pointing

_MOST = 20
"""Largest number that "number 12" may mean as a position."""

_SHORT = 6
"""Tokens of an utterance in which a number that stands alone is a position: "ok. 1. done"."""


def first_few(screen: Screen, i: int) -> Span | None:
    """Read "first two", "the last three", "top 2"."""
    start = i + (screen.word(i) in pointing().determiners)
    word, count = screen.word(start), screen.word(start + 1)
    n = pointing().counts.get(count) or (int(count) if _is_small(count) else 0)
    if word not in ("first", "last", "top") or n < 2 or (word == "top" and not screen.ids):
        return None
    if screen.word(start + 2) in pointing().not_positions - {"of"}:
        return None  # "the last 5 years"
    n = min(n, len(screen.ids)) if screen.ids else n
    positions = range(-n, 0) if word == "last" else range(1, n + 1)
    end = start + 2 + (screen.word(start + 2) in pointing().nouns)
    return _pick(screen, i, end, positions)


def ordinal(screen: Screen, i: int) -> Span | None:
    """Read "the second one", "2nd", "third", "the last"."""
    start = i + (screen.word(i) in pointing().determiners)
    hit = _ordinal_at(screen, start)
    if hit is None or _not_a_position(screen, i, start, hit[1]):
        return None
    position, taken = hit
    end = start + taken
    if screen.word(end).removesuffix("'s") in pointing().nouns:
        end += 1
    elif start == i and position == -1 and screen.word(i - 1) not in ("and", "or"):
        return None
    return _pick(screen, i, end, [position])


def numbered(screen: Screen, i: int) -> Span | None:
    """Read "#2", "number three", "option 4", and "1 and 3" where positions are compared."""
    word, after = screen.word(i), screen.word(i + 1)
    numbering = pointing().numbering
    if word in ("the", "item", "option") and after in numbering:
        inner = numbered(screen, i + 1)
        return Span(i, inner.last, inner.items, note=inner.note) if inner else None
    if word in numbering:
        n = _count(word, after)
        return _pick(screen, i, i + 2, [n]) if 0 < n <= _MOST else None
    if _bare_position(screen, i):
        return _pick(screen, i, i + 1, [int(word)])
    return None


def _pick(screen: Screen, first: int, last: int, positions: Sequence[int]) -> Span:
    """Return the items at positions from 1, or from the end below 0; says what is missing."""
    size, known = len(screen.ids), {item.id for item in screen.slate}
    missing = [p for p in positions if p > size or p == 0 or -p > size]
    items = tuple(screen.ids[p - 1 if p > 0 else p] for p in positions if p not in missing)
    note = f"position {missing[0]} of a slate of {size}" if missing else ""
    if any(id not in known for id in items):
        items = tuple(id for id in items if id in known)
        note = note or "no longer in the catalog"
    return Span(first, last, items, note=note)


def _is_small(word: str) -> bool:
    """Return whether a word is a number short enough to be a position."""
    return word.isascii() and word.isdecimal() and len(word) < 4


def _count(before: str, word: str) -> int:
    """Return the number after "number", "#", "no"…, or 0; "no two" is not a position."""
    if _is_small(word):
        return int(word)
    counted = before != "no" and word not in ("couple", "few")
    return pointing().counts.get(word, 0) if counted else 0


def _ordinal_at(screen: Screen, i: int) -> tuple[int, int] | None:
    """Return position and tokens taken for an ordinal at i ("2nd" is two tokens); last is -1."""
    word, after = screen.word(i), screen.word(i + 1)
    if word in ("second", "next") and phrase_at(screen.tokens, i + 1, ("to", "last")):
        return -2, 3
    if word in pointing().ordinals:
        return pointing().ordinals[word], 1
    if _is_small(word) and after in ("st", "nd", "rd", "th"):
        return int(word), 2
    if word in ("last", "final", "bottom"):
        return -1, 1
    if word == "top" and after in ("one", "pick", "option", "item"):
        return 1, 1
    return None


def _not_a_position(screen: Screen, i: int, start: int, taken: int) -> bool:
    """Return whether an ordinal word is an adverb or a time ("first of all", "last week")."""
    word, before, after = screen.word(start), screen.word(i - 1), screen.word(start + taken)
    if after in pointing().not_positions:
        beyond = screen.word(start + taken + 1)
        return not (after == "of" and beyond in ("these", "those", "them", "the"))
    if _is_small(after) and screen.word(start + taken + 1) in pointing().not_positions:
        return True  # "the last 5 years"
    if before in ("at", "before") and word == "last":
        return not (start > i and after in pointing().nouns)
    if start > i or word not in ("first", "last", "second"):
        return False
    alone = not after and before in ("", "and", "or", "take", "not", "than", "no", ",")
    return not (alone or after in pointing().nouns or _in_a_list(screen, i, start + taken))


def _in_a_list(screen: Screen, i: int, end: int) -> bool:
    if _sorts(screen, i - 1) or screen.word(i - 1) in ("best", "rated", "ones"):
        return False
    return not pointing().listing.isdisjoint((screen.word(i - 1), screen.word(end)))


def _sorts(screen: Screen, i: int) -> bool:
    """Return whether a superlative ends at i: "cheapest first"."""
    hits = (screen.extreme(j) for j in range(max(0, i - 3), i + 1))
    return any(hit is not None and hit[2] == i + 1 for hit in hits)


def _bare_position(screen: Screen, i: int) -> bool:
    """Return whether a bare small number is a position: "1 vs 3", "compare 2 and 4", "2?"."""
    if len(screen.word(i)) > 2 or not _on_slate(screen, i):
        return False
    words = pointing()
    before, after = screen.word(i - 1), screen.word(i + 1)
    ends = not after or after in words.joining or after in (".", "?", "!", "but")
    if (before in words.choosing and ends) or (not i and after == "but"):
        return True
    joined = before in words.joining or after in words.joining
    if joined and any(token.word in words.comparing for token in screen.tokens):
        return True
    if len(screen.tokens) <= _SHORT and _stands_alone(screen, i):
        return True
    if after in words.joining and _on_slate(screen, i + 2, least=0):
        return after in ("vs", "versus") or before in ("", "between", ",", *words.choosing)
    if before in words.joining and _on_slate(screen, i - 2, least=0):
        return _bare_position(screen, i - 2)
    return len(screen.tokens) == 1


def _on_slate(screen: Screen, i: int, least: int = 1) -> bool:
    word = screen.word(i)
    return _is_small(word) and least <= int(word) <= len(screen.ids)


def _stands_alone(screen: Screen, i: int) -> bool:
    """Return whether a number has no unit, bound or noun: "purchase 1", "ok. 1. done"."""
    after = screen.tokens[i + 1] if i + 1 < len(screen.tokens) else None
    free = after is None or not (after.is_word or after.is_number or after.word in "-+%")
    return free and i > 0 and screen.word(i - 1) not in pointing().bounding
