"""Bytes at the start of a file: encodings, Parquet, and the formats that are no catalog."""

from __future__ import annotations

import codecs
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path

from retrieval.errors import CatalogError
from retrieval.loading.records import Reject, Row

MAGIC = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file; save the sheet as CSV",
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"SQLite format 3": "a SQLite database; write sqlite:///FILE::SELECT … instead",
    b"BZh": "a bzip2 archive; unpack it",
    b"\xfd7zXZ": "an xz archive; unpack it",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it",
    b"\x7fELF": "a program",
}
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
EXPECTED = "expected CSV, TSV, JSON lines, a JSON array or Parquet (each also gzip)"

_PASSWORD = re.compile(r"(?<=://)([^/@\s]*):([^/@\s]*)@")


def shown(url: str) -> str:
    """Return a URL without its password."""
    return _PASSWORD.sub(r"\1:***@", url)


def refuse(head: bytes, name: str) -> None:
    """Raise CatalogError when the first bytes are those of no text."""
    for magic, what in MAGIC.items():
        if head.startswith(magic):
            raise CatalogError(f"{name!r} looks like {what}; {EXPECTED}")
    if any(head.startswith(bom) for bom, _ in BOMS) or _wide(head):
        return
    strange = sum(byte < 9 or 13 < byte < 32 for byte in head[:4096])
    if strange > len(head[:4096]) * 0.02 or head[:4096].count(0) > 1:
        raise CatalogError(f"{name!r} is a binary file of no known kind; {EXPECTED}")


def _wide(head: bytes) -> str | None:
    """Return the UTF-16 byte order of a text without a mark, or None."""
    part = head[:4096]
    if len(part) < 8:
        return None
    half = len(part) // 2
    if part[1::2].count(0) > 0.6 * half and part[::2].count(0) < 0.05 * half:
        return "utf-16-le"
    if part[::2].count(0) > 0.6 * half and part[1::2].count(0) < 0.05 * half:
        return "utf-16-be"
    return None


def encoding_of(head: bytes) -> tuple[str, str]:
    """Return the encoding of a text by its first bytes, and a remark when it is a guess.

    A file is taken for Windows-1252 (a superset of Latin-1) only when several lines are no UTF-8,
    none shows any, and what comes out is letters; single bad lines stay bad lines.
    """
    for bom, encoding in BOMS:
        if head.startswith(bom):
            return encoding, ""
    if wide := _wide(head):
        return wide, ""
    lines = head.splitlines()[:-1] or head.splitlines()
    bad = [line for line in lines if not _is_utf8(line)]
    good = sum(not line.isascii() for line in lines) - len(bad)
    if len(bad) >= 3 and not good and len(bad) >= 0.02 * len(lines) and _letters(bad) > 0.8:
        return "cp1252", "read as Windows-1252, since it is not UTF-8"
    return "utf-8", ""


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _letters(lines: list[bytes]) -> float:
    """Return the share of non-ASCII characters that are plausible in Western text."""
    found = [c for c in b"".join(lines).decode("cp1252", "replace") if ord(c) > 127]
    plausible = sum((c.isalpha() and c not in "ÿþÃÂ") or c in "€£°®™©“”‘’–—½¼²³·…«»" for c in found)
    return plausible / max(len(found), 1)


def parquet_rows(path: Path, packed: bool, name: str) -> Iterator[Row | Reject]:
    """Yield the rows of a Parquet file, batch by batch; a gzipped one is unpacked in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    source: io.BytesIO | str = (
        io.BytesIO(gzip.decompress(path.read_bytes())) if packed else str(path)
    )
    number = 0
    try:
        with pq.ParquetFile(source) as file:
            for batch in file.iter_batches(batch_size=2048):
                for cells in batch.to_pylist(maps_as_pydicts="lossy"):
                    number += 1
                    yield Row(name, number, cells)
    except (pa.ArrowException, OSError, ValueError) as error:
        if number == 0:
            raise CatalogError(f"{name!r} is a broken Parquet file: {error}") from error
        yield Reject(name, number + 1, "", f"the Parquet file breaks off here: {error}", "")
