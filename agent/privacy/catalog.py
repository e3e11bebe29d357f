"""What a catalog names things by: its brands, authors, titles and ids are no personal data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.plan import Mention
from agent.state import State
from retrieval.catalog import Item

_SURE = 0.99


class Linking(Protocol):
    """Finds mentions (`agent.linking.Linker`)."""

    def link(self, utterance: str, state: State, slate: Sequence[Item]) -> tuple[Mention, ...]:
        """Return the mentions of an utterance."""
        ...


class Stored(Protocol):
    """Has items (`agent.ports.Retriever`)."""

    def get_many(self, ids: Sequence[str]) -> list[Item]:
        """Return the items with these ids."""
        ...


class CatalogNames:
    """Tells whether words are, as a whole, a name in the catalog. Safe to share."""

    def __init__(self, linker: Linking, items: Stored) -> None:
        self._linker, self._items = linker, items

    def __call__(self, words: str) -> bool:
        """Return whether words are a value, a title or an id."""
        if self._items.get_many([words]):
            return True
        if sum(map(str.isalpha, words)) < len(words) / 2:
            return False
        mentions = self._linker.link(words, State(), ())
        return any(
            one.kind in ("value", "item") and one.end - one.start == len(words)
            and one.score >= _SURE and (one.items or _same(one, words))
            for one in mentions
        )  # fmt: skip


def _same(mention: Mention, words: str) -> bool:
    """Return whether a value is what was said, rather than one that holds it ("Anna")."""
    return words.casefold() in {value.casefold() for value in mention.values}
