"""Hidden items that are wanted again: "bring it back", "unhide the second", "the one I removed"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from agent.linking.found import Span
from agent.linking.text import Token
from agent.linking.vocabulary import read
from agent.state import State


@cache
def _cue(name: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{cue})" for cue in read("references.toml")["hidden"][name]))


def brings_back(text: str, state: State) -> bool:
    """Return whether an utterance in lower case wants hidden items again.

    "Show it again" does so only right after the hiding; "bring it back" at any time.
    """
    hidden = state.need.rejected
    if not hidden or _cue("denies").search(text):
        return False
    if _cue("brings").search(text):
        return True
    just_now = not state.focus and bool(state.earlier) and state.earlier[-1].rejected != hidden
    return just_now and _cue("again").search(text) is not None


def on_hidden(
    tokens: Sequence[Token], state: State, read_on: Callable[[Sequence[str]], Sequence[Span]]
) -> list[Span]:
    """Return references to hidden items.

    Args:
        read_on: Reads the references of the utterance as ones to these items, or those that were
            shown with them; the items hidden last are in focus.
    """
    hidden = set(state.need.rejected)
    slate = next((s.items for s in reversed(state.lists) if hidden & set(s.items)), ())
    called = _called(tokens, state)
    taken = {i for span in called for i in range(span.first, span.last)}
    pointed = [
        replace(span, items=own, note="")
        for span in read_on(slate)
        if (own := tuple(id for id in span.items if id in hidden))
        and taken.isdisjoint(range(span.first, span.last))
    ]
    return [*called, *pointed]


def hidden_last(state: State) -> tuple[str, ...]:
    """Return the items that were hidden last, together."""
    now = state.need.rejected
    before = (need.rejected for need in reversed(state.earlier) if set(need.rejected) < set(now))
    own = next(before, ())
    return tuple(id for id in now if id not in own)


def _called(tokens: Sequence[Token], state: State) -> list[Span]:
    """Return references that call items by their having been hidden: "the one i hid"."""
    text = " ".join(token.word for token in tokens)
    for name, items in (("all", state.need.rejected), ("one", hidden_last(state))):
        match = _cue(name).search(text)
        if match is not None:
            first = text[: match.start()].count(" ")
            return [Span(first, first + len(match.group().split()), items)]
    return []
