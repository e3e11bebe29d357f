"""The screen: what references are read against, the utterance and the items they may point at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.linking.text import Token, word_at
from retrieval.catalog import Item

Extreme = tuple[str, bool, int]
"""A superlative phrase: its facet, whether the largest is meant, the token after it."""


@dataclass(frozen=True, slots=True)
class Screen:
    """One utterance over one slate.

    Args:
        ids: The ids of the slate as it was shown, in rank order.
        slate: The items of the slate that are still in the catalog.
        focus: The ids of the items spoken of last.
        describe: Whether the tokens [i, j) describe an item.
        extreme: The superlative that starts at a token, if one does.
    """

    tokens: Sequence[Token]
    ids: tuple[str, ...]
    slate: Sequence[Item]
    focus: tuple[str, ...]
    describe: Callable[[int, int, Item], bool]
    extreme: Callable[[int], Extreme | None]

    def word(self, i: int) -> str:
        """Return the word at an index, or "" outside the utterance."""
        return word_at(self.tokens, i)
