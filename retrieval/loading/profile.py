"""What the cells of a column look like: counts and shares, from a sample of rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from retrieval.loading import values

_URL = re.compile(r"^(?:https?:)?//\S+$|^www\.\S+$", re.I)
_IMAGE = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|avif)(?:\?\S*)?$", re.I)
LOOK = 2_000


@dataclass(frozen=True)
class Profile:
    """One column of a sample.

    Args:
        rows: Rows in the sample.
        counts: Cell text and how often it stands there; missing cells left out. A list counts
            once, as its elements joined by commas.
        types: Python types of the cells, by name.
        elements: Elements of native or JSON lists, with counts.
        within: Name of the map column this is a key of.
    """

    name: str
    rows: int
    counts: Counter[str] = field(repr=False)
    types: Counter[str]
    elements: Counter[str] = field(repr=False)
    within: str | None = None

    @cached_property
    def filled(self) -> int:
        """Number of cells that have a value."""
        return self.counts.total()

    @property
    def distinct(self) -> int:
        """Number of different values."""
        return len(self.counts)

    @property
    def coverage(self) -> float:
        """Share of rows with a value."""
        return self.filled / self.rows if self.rows else 0.0

    @property
    def uniqueness(self) -> float:
        """Distinct values per value."""
        return self.distinct / self.filled if self.filled else 0.0

    @cached_property
    def texts(self) -> list[str]:
        """Up to `LOOK` different values, most frequent first where they repeat."""
        return [text for text, _ in self.counts.most_common(LOOK)]

    @cached_property
    def length(self) -> float:
        """Mean length of the values in characters."""
        return sum(map(len, self.texts)) / len(self.texts) if self.texts else 0.0

    @cached_property
    def words(self) -> float:
        """Mean number of words of the values."""
        return sum(len(t.split()) for t in self.texts) / len(self.texts) if self.texts else 0.0

    @cached_property
    def decimal(self) -> values.Decimals:
        """The decimal mark of the column's numbers."""
        return values.decimal_mark(self.texts)

    def share(self, test: Callable[[str], object]) -> float:
        """Return the share of cells whose text passes a test (an exception fails it)."""
        good = total = 0
        for text in self.texts:
            count = self.counts[text]
            total += count
            try:
                good += count if test(text) not in (None, False) else 0
            except ValueError:
                continue
        return good / total if total else 0.0

    @cached_property
    def numbers(self) -> float:
        """Share of cells that are plain numbers."""
        return self.share(lambda text: (values.number(text, self.decimal), True))

    @cached_property
    def prices(self) -> float:
        """Share of cells that are amounts, with or without a currency."""
        return self.share(lambda text: values.money(text, self.decimal))

    @cached_property
    def currencies(self) -> Counter[str]:
        """Currencies named in the cells."""
        found: Counter[str] = Counter()
        for text in self.texts:
            try:
                unit = values.money(text, self.decimal)[1]
            except ValueError:
                continue
            if unit:
                found[unit] += self.counts[text]
        return found

    @cached_property
    def urls(self) -> float:
        """Share of cells that are web addresses."""
        return self.share(lambda text: bool(_URL.match(text)))

    @cached_property
    def images(self) -> float:
        """Share of cells that name a picture file."""
        return self.share(lambda text: bool(_IMAGE.search(text)))

    @cached_property
    def truths(self) -> float:
        """Share of cells that say yes or no."""
        return self.share(lambda text: (values.truth(text), True))

    @cached_property
    def dates(self) -> tuple[str | None, float]:
        """The date format most cells follow, and their share."""
        return values.date_format(self.texts[:300])

    @property
    def lists(self) -> bool:
        """Whether most cells are lists as such."""
        return self.types["list"] * 2 > self.filled

    @property
    def maps(self) -> bool:
        """Whether most cells are objects."""
        return self.types["dict"] * 2 > max(self.types.total(), 1)

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest number; (0, 0) without numbers."""
        found = []
        for text in self.texts:
            try:
                found.append(values.number(text, self.decimal))
            except ValueError:
                continue
        return (min(found), max(found)) if found else (0.0, 0.0)


def profile(name: str, rows: int, cells: Iterable[Any], within: str | None = None) -> Profile:
    """Return the profile of a column's cells."""
    types: Counter[str] = Counter()
    elements: Counter[str] = Counter()
    raw: Counter[Any] = Counter()
    for cell in cells:
        if type(cell) is str:
            raw[cell] += 1
        elif values.missing(cell):
            types["dict"] += isinstance(cell, dict)
        elif isinstance(cell, dict):
            types["dict"] += 1
        elif isinstance(cell, list | tuple | set):
            types["list"] += 1
            parts = values.text_list(cell)
            elements.update(parts)
            raw[", ".join(parts)] += 1
        else:
            types["bool" if isinstance(cell, bool) else "value"] += 1
            raw[values.as_text(cell)] += 1
    counts: Counter[str] = Counter()
    for text, count in raw.items():
        if values.missing(text):
            continue
        if text[0] == "[" and (found := values.json_list(text)) is not None:
            types["list"] += count
            parts = values.text_list(found)
            elements.update({part: count for part in parts})
            text = ", ".join(parts)
        counts[values.clean(text)] += count
    return Profile(name, rows, counts, types, elements, within)


def profiles(rows: Sequence[dict[str, Any]]) -> list[Profile]:
    """Return the profile of every column, and of every key of the columns that are maps."""
    names = dict.fromkeys(name for row in rows for name in row)
    found = []
    for name in names:
        own = profile(name, len(rows), (row.get(name) for row in rows))
        found.append(own)
        if own.maps:
            found += _keys(name, rows)
    return found


def _keys(name: str, rows: Sequence[dict[str, Any]]) -> list[Profile]:
    cells: dict[str, list[Any]] = {}
    for row in rows:
        inner = row.get(name)
        if isinstance(inner, dict):
            for key, value in inner.items():
                cells.setdefault(str(key), []).append(value)
    enough = useful(len(rows))
    return [
        profile(key, len(rows), found, within=name)
        for key, found in cells.items()
        if len(found) >= enough
    ]


def useful(rows: int) -> int:
    """Return how many items must have a key of a free map for it to become a facet."""
    return max(20, round(0.003 * rows)) if rows >= 200 else max(1, -(-rows // 10))
