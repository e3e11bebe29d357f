"""Open a source and stream its rows: files by what is in them, and SQL queries.

A stream yields `Row` (where it stands and its cells) and `Reject` (what could not be read), in
order. Rows of text files are numbered by the line they start on, as editors count; rows of other
sources from 1.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from retrieval.errors import CatalogError
from retrieval.loading import binary, delimited, jsonrows
from retrieval.loading.records import Reject, Row
from retrieval.loading.sql import SEPARATOR, sql_rows

HEAD = 1 << 20
"""Bytes looked at to recognise format, encoding and delimiter."""


def rows(source: str | Path) -> Iterator[Row | Reject]:
    """Return the rows of a file, or of a query written as URL::SELECT …

    Raises:
        CatalogError: If the source is missing, empty, binary or of no known format.
    """
    text = str(source)
    if SEPARATOR in text and "://" in text.split(SEPARATOR, 1)[0]:
        return sql_rows(text)
    if "://" in text:
        raise CatalogError(
            f"{binary.shown(text)!r} is an address without a query; write URL::SELECT … for a "
            "database, or download the file first"
        )
    return _file_rows(Path(source))


def name_of(source: str | Path) -> str:
    """Return a short name for a source: the file's stem, or the database's name."""
    text = str(source)
    if SEPARATOR in text and "://" in text:
        return Path(text.split(SEPARATOR, 1)[0].split("?")[0]).stem or "query"
    name = Path(source).name
    for ending in (".gz", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet"):
        name = name.removesuffix(ending)
    return name or "catalog"


def _file_rows(path: Path) -> Iterator[Row | Reject]:
    name = path.name
    with _opened(path) as stream:
        head = _head(path)
        if not head.strip():
            raise CatalogError(f"{name!r} is empty; expected a catalog of items")
        if head[:4] == b"PAR1":
            yield from binary.parquet_rows(path, isinstance(stream.raw, gzip.GzipFile), name)
            return
        binary.refuse(head, name)
        encoding, warning = binary.encoding_of(head)
        if warning:
            yield Reject(name, 0, "", warning, "", kind="note")
        errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
        text = io.TextIOWrapper(
            cast(IO[bytes], stream), encoding=encoding, errors=errors, newline=""
        )
        first = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
        read = jsonrows.json_rows if first[:1] in ("{", "[") else delimited.delimited_rows
        try:
            yield from read(text, head.decode(encoding, "replace"), name)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            yield Reject(name, 0, "", f"the file breaks off: {error}", "")


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    try:
        file: Any = path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CatalogError(f"cannot read {str(path)!r}: {reason}") from error
    with file:
        magic = file.peek(2)[:2]
        yield io.BufferedReader(gzip.GzipFile(fileobj=file), HEAD) if magic == b"\x1f\x8b" else file


def _head(path: Path) -> bytes:
    """Return the first bytes of a file."""
    head = bytearray()
    with _opened(path) as stream:
        try:
            while len(head) < HEAD and (part := stream.read1(1 << 16)):
                head += part
        except (EOFError, zlib.error, OSError) as error:
            # A file that breaks off later still has rows to give.
            if not head:
                reason = getattr(error, "strerror", None) or str(error)
                raise CatalogError(f"cannot read {path.name!r} as gzip: {reason}") from error
    return bytes(head)
