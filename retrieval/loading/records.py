"""What reading yields: rows, rejects, and the loaded catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from retrieval.catalog import Facet, Item
from retrieval.loading.mapping import Mapping

EXCERPT = 80


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source: where it stands, and its cells by column."""

    source: str
    number: int
    cells: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """Something of a source that is not in the catalog.

    Args:
        row: Line of a text file (the header is line 1), else the number of the row from 1; 0 for
            the source as a whole.
        kind: "row": the whole row was left out. "field": the item is there without this field.
            "note": nothing was lost, but the owner should know.
    """

    source: str
    row: int
    column: str
    reason: str
    excerpt: str
    kind: Literal["row", "field", "note"] = "row"

    def __str__(self) -> str:
        where = f"{self.source}, row {self.row}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.reason}" + (f" ({self.excerpt!r})" if self.excerpt else "")


@dataclass(frozen=True, slots=True)
class LoadedCatalog:
    """A catalog as read: items, facets, how the columns were understood, and what was not."""

    name: str
    items: tuple[Item, ...]
    facets: tuple[Facet, ...]
    mapping: Mapping
    rejects: tuple[Reject, ...] = ()
    currency: str | None = None
    warnings: tuple[str, ...] = ()


def excerpt(value: Any) -> str:
    """Return the beginning of a cell, printable, for a report."""
    text = value if isinstance(value, str) else repr(value)
    text = text[: EXCERPT + 1].encode("utf-8", "replace").decode()
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "…"
