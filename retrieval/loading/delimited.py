"""Rows of CSV and its relatives, whatever the delimiter, with the damage that real files have."""

from __future__ import annotations

import csv
import itertools
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from retrieval.errors import CatalogError
from retrieval.loading.records import Reject, Row, excerpt

DELIMITERS = (",", "\t", ";", "|")
RUNAWAY = 16_000_000
"""Characters after which a quote that never closes is given up."""


class _Runaway(Exception):
    """A quoted cell goes on for longer than any cell would."""


@dataclass
class _Lines:
    """Lines of a file that can be taken back; knows which lines the present record used."""

    stream: Iterator[str]
    taken: list[str] = field(default_factory=list)
    returned: deque[str] = field(default_factory=deque)
    size: int = 0
    line: int = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.size > RUNAWAY:
            raise _Runaway
        text = self.returned.popleft() if self.returned else next(self.stream)
        self.taken.append(text)
        self.size += len(text)
        return text

    def begin(self) -> int:
        """Start a record; return the line it begins on."""
        self.line += len(self.taken)
        self.taken, self.size = [], 0
        return self.line + 1

    def take_back(self) -> None:
        """Give all but the first line of the present record back."""
        self.returned.extendleft(reversed(self.taken[1:]))
        self.taken = self.taken[:1]
        self.size = 0


def delimited_rows(text: IO[str], head: str, name: str) -> Iterator[Row | Reject]:
    """Yield the rows of a text with a header line.

    A record with too few or too many cells is a reject. Where it swallowed several lines that are
    whole rows by themselves, a quote was left open: only its first line is lost.
    """
    csv.field_size_limit(RUNAWAY * 4)
    delimiter = delimiter_of(head)
    lines = _Lines(iter(text))
    header = _header(lines, delimiter, name)
    while True:
        start = lines.begin()
        try:
            cells = next(csv.reader(lines, delimiter=delimiter))
        except StopIteration:
            return
        except _Runaway:
            cells = []
        except csv.Error as error:
            yield Reject(name, start, "", f"not readable as CSV: {error}", _shown(lines))
            continue
        if not any(cells) and len(lines.taken) == 1:
            continue
        yield _row(name, start, header, cells, lines, delimiter)


def _row(
    name: str, start: int, header: list[str], cells: list[str], lines: _Lines, delimiter: str
) -> Row | Reject:
    if len(cells) > len(header) and not any(cells[len(header) :]):
        cells = cells[: len(header)]
    if len(cells) != len(header) or _malformed(lines, delimiter):
        found = len(cells)
        if len(lines.taken) > 1 and (found == 0 or _whole(lines, len(header), delimiter)):
            shown = _shown(lines)
            lines.take_back()
            return Reject(name, start, "", "a quote is opened and never closed", shown)
        if found != len(header):
            reason = f"{found} columns, expected {len(header)}"
            return Reject(name, start, "", reason, _shown(lines))
    if (column := _undecodable(header, cells, lines)) is not None:
        reason = "wrong encoding: not UTF-8"
        return Reject(name, start, header[column], reason, excerpt(cells[column]))
    return Row(name, start, dict(zip(header, cells, strict=True)))


def _malformed(lines: _Lines, delimiter: str) -> bool:
    """Return whether a record of several lines is held together by a quote out of place."""
    if len(lines.taken) < 2:
        return False
    try:
        next(csv.reader(lines.taken, delimiter=delimiter, strict=True))
    except csv.Error:
        return True
    return False


def _whole(lines: _Lines, width: int, delimiter: str) -> bool:
    """Return whether one of the lines that a record swallowed is a row of its own."""
    some = itertools.islice(lines.taken, 1, 200)
    return any(len(row) == width for row in csv.reader(some, delimiter=delimiter))


def _undecodable(header: list[str], cells: list[str], lines: _Lines) -> int | None:
    """Return the number of the first cell with bytes that are no UTF-8, or None."""
    if all(map(str.isascii, lines.taken)):
        return None
    for number, cell in enumerate(cells):
        try:
            cell.encode()
        except UnicodeEncodeError:
            return number
    return None


def _shown(lines: _Lines) -> str:
    return excerpt(lines.taken[0].rstrip("\r\n")) if lines.taken else ""


def _header(lines: _Lines, delimiter: str, name: str) -> list[str]:
    for cells in csv.reader(lines, delimiter=delimiter):
        if any(cell.strip() for cell in cells):
            break
    else:
        raise CatalogError(f"{name!r} has no header line; expected column names in the first line")
    while cells and not cells[-1].strip():
        cells.pop()
    names = [cell.strip().lstrip("\ufeff") or f"column_{n}" for n, cell in enumerate(cells, 1)]
    repeated = [column for column, count in Counter(names).items() if count > 1]
    if repeated:
        raise CatalogError(f"{name!r} has more than one column called {repeated[0]!r}; rename one")
    if all(cell.replace(".", "").isdigit() for cell in names):
        raise CatalogError(
            f"the first line of {name!r} holds numbers, {names[:4]!r}; expected column names"
        )
    return names


def delimiter_of(head: str) -> str:
    """Return the delimiter that splits the first lines most evenly."""
    lines = [line for line in head.splitlines()[:60] if line.strip()]
    if len(lines) > 2 and len(head) > 10_000:
        lines = lines[:-1]
    best, score = ",", 0.0
    for delimiter in DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
        first = len(next(csv.reader(lines[:1], delimiter=delimiter), []))
        fit = widths[first] / max(widths.total(), 1)
        if first > 1 and fit * (1 + first / 100) > score:
            best, score = delimiter, fit * (1 + first / 100)
    return best
