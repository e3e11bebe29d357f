"""Soft wishes over many turns: which stay, which give way to newer ones, which fade.

A pile of words said over a long conversation finds nothing any more. So a newer wish about the same
thing takes the place of the older one, and only so many words are looked for at a time; what faded
is said. Pure; what the rules are for is in docs/conventions.md, 18.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.linking.text import norm
from agent.needs import content_words
from agent.state import Need, Preference

MOST = 5
"""Wishes in free words that are looked for at a time."""


def with_wish(
    wishes: tuple[Preference, ...], wish: Preference, *, joins: bool = False
) -> tuple[Preference, ...]:
    """Return soft wishes with one more, in the order they were said.

    Args:
        joins: Whether it stands beside an earlier one on its facet: "or blue would be nice too".
    """
    if wish.facet is not None:
        kept = wishes if joins else tuple(p for p in wishes if not _gives_way(p, wish))
        return (*kept, wish) if not _said(kept, wish) else kept
    if _said(wishes, wish):
        return tuple(_renewed(p, wish) if _same(p, wish) else p for p in wishes)
    rest = (one for p in wishes for one in _beside(p, wish))
    return _newest((*rest, wish))


def without_facet(wishes: tuple[Preference, ...], facet: str, turn: int) -> tuple[Preference, ...]:
    """Return soft wishes without those of earlier turns on a facet that is now asked for."""
    return tuple(p for p in wishes if p.facet != facet or p.turn == turn)


def without_values(
    wishes: tuple[Preference, ...], facet: str, values: Iterable[str]
) -> tuple[Preference, ...]:
    """Return soft wishes without those for values that are now ruled out."""
    gone = {value.casefold() for value in values}
    return tuple(
        p
        for p in wishes
        if p.facet != facet or not p.values or not gone.issuperset(v.casefold() for v in p.values)
    )


def without_words(wishes: tuple[Preference, ...], text: str) -> tuple[Preference, ...]:
    """Return soft wishes without those that share a word with a text."""
    gone = _words(text)
    return tuple(p for p in wishes if p.facet is not None or not gone & _words(p.text))


def apart(texts: tuple[str, ...], text: str) -> tuple[str, ...]:
    """Return the texts that share no word with another."""
    gone = _words(text)
    return tuple(one for one in texts if not gone & _words(one))


def faded(before: Need, now: Need) -> tuple[Preference, ...]:
    """Return the words that were let go of because newer ones took their place."""
    free = [p for p in now.preferences if p.facet is None]
    if len(free) < MOST:
        return ()
    said = {word for p in free for word in _words(p.text)}
    own = (p for p in before.preferences if p.facet is None and p.known)
    return tuple(p for p in own if not said & _words(p.text))


def _words(text: str) -> set[str]:
    return {norm(word) for word in content_words(text)}


def _said(wishes: Iterable[Preference], wish: Preference) -> bool:
    return any(_same(p, wish) for p in wishes)


def _same(one: Preference, wish: Preference) -> bool:
    return one.text.casefold() == wish.text.casefold()


def _renewed(one: Preference, wish: Preference) -> Preference:
    return one.model_copy(update={"turn": wish.turn, "known": wish.known})


def _gives_way(one: Preference, wish: Preference) -> bool:
    """Return whether an earlier wish on a facet is replaced: "ideally grey", then "rather blue"."""
    return one.facet == wish.facet and one.turn != wish.turn


def _beside(one: Preference, wish: Preference) -> tuple[Preference, ...]:
    """Return what is left of an earlier wish once a new one is said.

    The last word says what a wish is about. All of it said again: nothing. The same thing: what
    else was said of it ("waterproof boots", "leather boots"). Another thing with the same word
    before it: nothing ("space opera", "space travel").
    """
    if one.facet is not None or one.turn == wish.turn:
        return (one,)
    own, new = content_words(one.text), content_words(wish.text)
    said = _words(wish.text)
    rest = [word for word in own if norm(word) not in said]
    if len(rest) == len(own) or not new:
        return (one,)
    if not rest:
        return ()
    if norm(own[-1]) == norm(new[-1]):
        return (one.model_copy(update={"text": " ".join(rest), "words": ""}),)
    return ()


def _newest(wishes: tuple[Preference, ...]) -> tuple[Preference, ...]:
    """Return wishes without the oldest in free words, where they are too many.

    Those said first stay, as they are what it all is about, and those said last.
    """
    free = [p for p in wishes if p.facet is None]
    turns = {p.turn for p in free}
    between = sorted(
        (p for p in free if p.turn not in (min(turns), max(turns))), key=lambda p: p.turn
    )
    gone = between[: max(0, len(free) - MOST)]
    return tuple(p for p in wishes if p not in gone)
