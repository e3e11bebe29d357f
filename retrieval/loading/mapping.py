"""What each column of a source becomes: the mapping, a pure value.

The mapping is inferred by `retrieval.loading.infer`, written and read as TOML by
`retrieval.loading.override`, and followed by `retrieval.loading.rows`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retrieval.catalog import FacetKind, Role
from retrieval.loading.values import Decimals

Use = Literal[
    "id", "title", "description", "price", "currency", "image", "url", "facet", "map", "ignore"
]
"""What a column is for. `map` is a free object whose keys are columns of their own; `description`
takes every text that is no facet, so that search sees it."""

Method = Literal["colours", "prefix", "phrase"]
"""How a derived facet reads a text: all its colour words; the value it starts with; or the longest
value in it, with the values that one ends with ("patch cable", "cable")."""

PRICE = "price"
"""The facet name of the price the buyer pays, whatever its column is called."""


@dataclass(frozen=True, slots=True)
class Column:
    """The treatment of one column, or of one key of a free map.

    Args:
        name: As in the source; of a map's key, the key.
        facet: Key in `Item.fields` ("" when the column is none).
        within: Name of the map column the key is in.
        unit: Currency code of a price, else the unit of a number.
        scale: What a number is multiplied with (0.01 for cents).
        decimal: The decimal mark of numbers written as text.
        separator: What stands between the elements of a list written as text.
        format: strptime format of a date (None: ISO 8601).
    """

    name: str
    use: Use
    facet: str = ""
    kind: FacetKind | None = None
    role: Role | None = None
    label: str = ""
    unit: str | None = None
    scale: float = 1.0
    decimal: Decimals = "."
    separator: str | None = None
    format: str | None = None
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A facet that no column holds, read out of texts.

    Args:
        sources: Columns to read; where a row has none of them, title and description.
        values: What may be found; empty for colours, which bring their own list.
    """

    facet: str
    role: Role
    method: Method
    sources: tuple[str, ...]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapping:
    """All columns of a catalog with their treatment, and the facets derived from texts.

    Where several columns have the use title or price, their order counts: titles are joined,
    of prices the first that is present is the price.
    """

    columns: tuple[Column, ...] = ()
    derived: tuple[Derived, ...] = ()
    currency: str | None = None

    def using(self, use: Use) -> tuple[Column, ...]:
        """Return the columns with a use, in order."""
        return tuple(column for column in self.columns if column.use == use)

    def column(self, name: str, within: str | None = None) -> Column | None:
        """Return a column by name, or None."""
        for column in self.columns:
            if column.name == name and column.within == within:
                return column
        return None

    def facet(self, name: str) -> Column | None:
        """Return the column behind a facet, or None."""
        return next((column for column in self.columns if column.facet == name), None)

    def to_toml(self) -> str:
        """Return the mapping as TOML; `from_toml` reads it back."""
        from retrieval.loading.override import dump

        return dump(self)

    @staticmethod
    def from_toml(text: str) -> Mapping:
        """Return the mapping that a TOML text spells.

        Raises:
            CatalogError: If the text is not TOML or uses an unknown key.
        """
        from retrieval.loading.override import parse

        return parse(text)
