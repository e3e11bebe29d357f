"""What the exact engine keeps in memory of one generation of its store, built as it is needed.

Rows are only ever added within a generation, so everything here serves old and new views alike.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from retrieval import lexical, postings
from retrieval.catalog import Item
from retrieval.column_file import load_columns, save_columns
from retrieval.columns import Columns
from retrieval.lexical import Lexical, Stems
from retrieval.postings import Postings
from retrieval.renumber import Rows, kept_columns, places
from retrieval.store import ItemStore, State
from retrieval.tiers import Tiers

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
        self._tiers: Tiers | None = None
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
        memory = Memory(self._store, state, kept_columns(self.columns, kept))
        with self._lock:
            if self._tiers is not None:
                memory._stems = self._stems
                memory._tiers = self._tiers.kept(places(kept, self._tiers.rows))
        return memory

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
                self._lexical = self._grown(n)
            return self._lexical

    def _grown(self, n: int) -> Lexical:
        self._stems.extend(self.columns.text.vocabulary)
        if self._tiers is None:
            self._tiers = Tiers(self._loaded(n))
        known = self._tiers.rows
        if n > known:
            self._tiers.add(lexical.index(self.columns, self._stems, known, n))
        return Lexical(self._stems, self._tiers.parts())

    def _loaded(self, n: int) -> list[Postings]:
        """Return the saved postings, if they are of this generation and its words."""
        part, note = postings.load(self._folder / "bm25") or (None, {})
        if part is None or note.get("generation") != self._generation or part.end > n:
            return []
        same = note.get("checksum") == self._stems.checksum(note.get("stems", 0))
        return [part] if same else []

    def save(self, n: int) -> None:
        """Write columns and BM25 beside the items, so that the next open is quick."""
        self.lexical(n)
        with self._lock:
            save_columns(self.columns, self._generation, self._folder / "columns.npz")
            self.saved = self.columns.n
            assert self._tiers is not None
            whole = self._tiers.whole()
            if whole is not None:
                stems = int(whole.stems[-1]) + 1 if len(whole.stems) else 0
                note = {"generation": self._generation, "stems": stems,
                        "checksum": self._stems.checksum(stems)}  # fmt: skip
                postings.save(whole, note, self._folder / "bm25")
