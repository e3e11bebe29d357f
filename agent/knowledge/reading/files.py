"""From files and folders to pages: which reader a file gets, and what is wrong with a file.

A file that cannot be read says so and stops no other. This module does not know passages.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent.knowledge.errors import BadPage
from agent.knowledge.reading.html import read_html
from agent.knowledge.reading.markdown import read_markdown
from agent.knowledge.reading.pdf import read_pdf
from agent.knowledge.reading.plain import read_plain
from agent.knowledge.reading.table import read_table
from agent.knowledge.values import Page

MOST_BYTES = 20 * 2**20
"""Of one file. A book of a thousand pages is smaller; a log or a dump is no page."""
LONGEST_NAME = 200

_READERS: dict[str, Callable[[str, bytes], Page]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".csv": read_table,
    ".tsv": read_table,
    ".txt": read_plain,
}
SUFFIXES = tuple(_READERS)
"""Names of files that are read end in one of these."""

_SIGNATURES = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP or office file"),
    (b"\x1f\x8b", "a gzip"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to be read: its name as a source, and its bytes."""

    source: str
    content: bytes


def read_bytes(upload: Upload) -> Page:
    """Read one file.

    Raises:
        BadPage: If it is of a kind that is not read, broken, empty or too large.
    """
    source, content = source_name(upload.source), upload.content
    suffix = PurePosixPath(source).suffix.lower()
    if suffix not in _READERS:
        raise BadPage(source, f"files ending in {suffix!r} are not read; expected one of "
                              f"{', '.join(SUFFIXES)}")  # fmt: skip
    if len(content) > MOST_BYTES:
        raise BadPage(source, f"it has {len(content):,} bytes; at most {MOST_BYTES:,} are read, "
                              "so split it, or leave it out")  # fmt: skip
    if not content.strip():
        raise BadPage(source, "it is empty; expected text")
    _check_kind(source, suffix, content)
    page = _READERS[suffix](source, content)
    if not any(block.text and not block.level for block in page.blocks):
        raise BadPage(source, "it has no text that could be quoted; a scanned page has to be put "
                              "through text recognition first")  # fmt: skip
    return page


def _check_kind(source: str, suffix: str, content: bytes) -> None:
    found = next((name for start, name in _SIGNATURES if content.startswith(start)), None)
    if suffix == ".pdf":
        if found != "a PDF":
            raise BadPage(source, f"it is no PDF: it begins with {content[:8]!r}, not b'%PDF-'")
    elif found is not None or (b"\0" in content[:4096] and not content.startswith(_UTF16)):
        raise BadPage(source, f"it is {found or 'a binary file'}, not text; rename it to what it "
                              "is, or export it as text")  # fmt: skip


def source_name(name: str) -> str:
    """Return a source's name in one form: forward slashes, no step out of its folder.

    Raises:
        BadPage: If nothing is left, or it is too long.
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    clean = "".join(c for c in "/".join(parts) if c.isprintable()).strip()
    if not clean or len(clean) > LONGEST_NAME:
        raise BadPage(name[:LONGEST_NAME], f"expected a name of 1 to {LONGEST_NAME} characters")
    return clean


def uploads_of(paths: Iterable[Path]) -> Iterator[Upload | BadPage]:
    """Yield the files of files and folders; of folders those whose names end as we read.

    A file is named by its own name, one of a folder by its path below that folder. What cannot be
    read comes as its error.
    """
    seen: dict[str, Path] = {}
    for source, path in _named(paths):
        if seen.setdefault(source, path) != path:
            yield BadPage(source, f"{str(path)!r} and {str(seen[source])!r} have the same name as "
                                  "a source; add the folder above them")  # fmt: skip
            continue
        try:
            if path.stat().st_size > MOST_BYTES:
                raise OSError(f"it has {path.stat().st_size:,} bytes; at most {MOST_BYTES:,} are "
                              "read, so split it, or leave it out")  # fmt: skip
            yield Upload(source, path.read_bytes())
        except OSError as error:
            yield BadPage(source, error.strerror or str(error))


def _named(paths: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for path in paths:
        if not path.is_dir():
            yield path.name, path
            continue
        for folder, inner, names in os.walk(path):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder, name)
                if not name.startswith(".") and file.suffix.lower() in SUFFIXES:
                    yield file.relative_to(path).as_posix(), file
