"""Pronouns: "it", "this one", "these", "both of them"."""

from __future__ import annotations

from agent.linking.found import Span
from agent.linking.screen import Screen
from agent.linking.vocabulary import general, pointing

_MOVES = ("lower", "drop", "reduce", "raise", "increase", "up", "bump", "cut", "push")
_BRINGS = ("bring", "get", "take", "bringing", "getting")
_BOUNDS = ("down", "up", "under", "below", "within", "over", "above")


def pronoun(screen: Screen, i: int) -> Span | None:
    """Read "it", "this one", "these", "both of them"."""
    word, after = screen.word(i), screen.word(i + 1)
    if word in pointing().singular:
        return _singular(screen, i)
    if word in ("these", "those", "them", "they", "both"):
        return Span(i, i + 1, _several(screen, i), 0.8)
    if word == "all" and after == "of" and screen.word(i + 2) in pointing().plural:
        return Span(i, i + 3, screen.ids, 0.9)
    return None


def _singular(screen: Screen, i: int) -> Span | None:
    word, after = screen.word(i), screen.word(i + 1)
    if word in ("it", "its", "it's") and _stands_for_nothing(screen, i):
        return None
    end = i + 1 + (after in ("one", "pair", "item"))
    if word in ("this", "that"):
        wished = screen.word(i - 1) == "make" and after
        if wished or (end == i + 1 and _attributive(screen, i)):
            return None
    return Span(i, end, screen.focus[:1] or screen.ids[:1], 0.8)


def _several(screen: Screen, i: int) -> tuple[str, ...]:
    word = screen.word(i)
    counted = screen.word(i - 1) == "of" and i > 1 and screen.tokens[i - 2].is_number
    if len(screen.focus) > 1 or (screen.focus and counted):  # "add 3 of them to my cart"
        return screen.focus
    return screen.ids[:2] if word == "both" else screen.ids


def _attributive(screen: Screen, i: int) -> bool:
    """Return whether "that"/"this" is not a pronoun here ("that is", "shoes that fit")."""
    after = screen.tokens[i + 1] if i + 1 < len(screen.tokens) else None
    if after is None or not after.is_word:
        return False
    if screen.word(i - 1) in pointing().pointing:
        return after.word not in general().stop
    if i == 0:
        return after.word not in pointing().pronoun_verbs
    return after.word not in ("but", "in", "and", "or", "with", "too", "please", "instead")


def _stands_for_nothing(screen: Screen, i: int) -> bool:
    """Return whether "it" is no item ("make it blue", "forget it", "keep it under 50")."""
    word, before, after = screen.word(i), screen.word(i - 1), screen.word(i + 1)
    if word in ("it's", "its") and after not in pointing().said_of_it:
        return True
    if _closes(screen, i) or _is_what_is_wanted(before, after) or _goes_with(screen, i):
        return True
    if _is_the_bound(screen, i):
        return True
    if i == 0 and after in pointing().demands:
        return screen.word(i + 2) not in ("come", "have", "fit")
    return before in ("forget", "if") or (before == "leave" and not after)


def _closes(screen: Screen, i: int) -> bool:
    """Return whether "it" closes a tag or a clause: "isn't it", "that's how it is"."""
    left = len(screen.tokens) - i - 1
    if not left:
        return screen.word(i - 1).endswith(("n't", "isnt", "doesnt"))
    return left == 1 and screen.word(i + 1) == "is"


def _is_what_is_wanted(before: str, after: str) -> bool:
    """Return whether "it" is what is looked for: "need it blue", "cap it at 50", "make it red"."""
    if before in ("want", "need", "prefer"):
        return after not in ("", ".", ",", "!", "?", "in", "but")
    if before in ("cap", "limit", "say", "put"):
        return after in ("at", "to")
    if before in ("make", "keep", "keeping", "making"):
        return after not in ("", "again", ".")
    return before in ("do", "does", "doing") and after == "for"


def _is_the_bound(screen: Screen, i: int) -> bool:
    """Return whether "it" is what may be spent: "bring it down to 60", "raise it to 80"."""
    before, after = screen.word(i - 1), screen.word(i + 1)
    moved = before in _MOVES and after in ("to", "by")
    moved = moved or (before in (*_MOVES, *_BRINGS) and after in _BOUNDS)
    return moved and any(token.is_number for token in screen.tokens[i + 2 : i + 6])


def _goes_with(screen: Screen, i: int) -> bool:
    """Return whether "it" is something else: "a belt to go with it", "with a zip on it"."""
    before = screen.word(i - 1)
    if before == "with":
        return screen.word(i - 2) in ("go", "goes", "going", "match")
    return before in ("in", "on") and any(screen.word(j) == "with" for j in range(max(0, i - 6), i))
