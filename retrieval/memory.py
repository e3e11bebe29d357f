"""What the exact engine keeps in memory of one generation of its store, built as it is needed.

Rows are only ever added within a generation, so everything here serves old and new views alike.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from retrieval import lexical
from retrieval.catalog import Item
from retrieval.column_file import load_columns, save_columns
from retrieval.columns import Columns
from retrieval.lexical import Base, Lexical, Stems
from retrieval.renumber import Rows, kept_columns
from retrieval.store import ItemStore, State

KEPT_ITEMS = 20_000


class Memory:
    """Columns, BM25 and recently read items of one generation."""

    def __init__(self, store: ItemStore, state: State, columns: Columns | None = None) -> None:
        self._store = store
        self._generation = state.generation
        self._folder: Path = store.folder
        self._lock = threading.Lock()
        self._items: dict[int, Item] = {}
        self._stems = Stems()
        self._base: Base | None = None
        self._lexical: Lexical | None = None
        if columns is None:
            columns = load_columns(self._folder / "columns.npz", state.generation, state.rows)
            self.saved = columns.n
        else:
            self.saved = 0
        self.columns = columns
        """How many rows the saved columns hold."""

    def renumbered(self, kept: Rows, state: State) -> Memory:
        """Return what is known of a generation that kept these rows of this one."""
        return Memory(self._store, state, kept_columns(self.columns, kept))

    def follow(self, state: State) -> None:
        """Read the rows that were added since.

        Raises:
            StaleError: If the generation was compacted away.
        """
        first = self.columns.n
        for items in self._store.items_between(self._generation, first, state.rows):
            self.columns.extend(items)

    def items(self, rows: Sequence[int]) -> list[Item]:
        """Return the items of these rows, in this order.

        Raises:
            StaleError: If the generation was compacted away.
        """
        known = self._items
        found = {row: known[row] for row in rows if row in known}
        missing = [row for row in rows if row not in found]
        if missing:
            found.update(self._store.items_at(self._generation, missing))
            self._keep({row: found[row] for row in missing})
        return [found[row] for row in rows]

    def _keep(self, found: dict[int, Item]) -> None:
        with self._lock:
            if len(self._items) > KEPT_ITEMS:
                # A new dict: other threads are still reading the old one.
                self._items = {}
            self._items.update(found)

    def lexical(self, n: int) -> Lexical:
        """Return BM25 over the first n rows, or a few more."""
        with self._lock:
            if self._lexical is None or self._lexical.n < n:
                self._stems.extend(list(self.columns.text.vocabulary))
                self._base = self._base_for(n)
                self._lexical = Lexical(self.columns, self._stems, self._base, n)
            return self._lexical

    def _base_for(self, n: int) -> Base | None:
        base = self._base
        if base is None:
            base = lexical.load_base(self._folder / "bm25", self._stems, self._generation, n)
        if lexical.wants_base(base, n):
            tokens = lexical.tokens_between(self.columns, self._stems, 0, n)
            base = lexical.build_base(tokens, self._stems)
        return base

    def save(self, n: int) -> None:
        """Write columns and BM25 beside the items, so that the next open is quick."""
        self.lexical(n)
        with self._lock:
            save_columns(self.columns, self._generation, self._folder / "columns.npz")
            self.saved = self.columns.n
            if self._base is not None:
                lexical.save_base(self._base, self._stems, self._generation, self._folder / "bm25")
