"""What all readers share: bytes to text, spaces evened out, addresses checked."""

from __future__ import annotations

import codecs
from urllib.parse import urlsplit

from agent.knowledge.errors import BadPage
from agent.utterance import strip_control


def decode(source: str, content: bytes) -> str:
    """Return bytes as text: UTF-8, or UTF-16 with its mark.

    Raises:
        BadPage: If they are neither; names the line.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = content[error.start : error.start + 1]
        raise BadPage(source, f"it is not {encoding.upper()[:6].rstrip('-')} text: byte {found!r}; "
                              "save it as UTF-8", f"line {line}") from error  # fmt: skip


def even(text: str) -> str:
    """Return text with every run of spaces and line breaks as one space, without control signs."""
    return strip_control(" ".join(text.split()))


def address(url: object) -> str | None:
    """Return a web address as it is, None for anything else (a script, a path)."""
    if not isinstance(url, str):
        return None
    url = url.strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    good = parts.scheme in ("http", "https") and parts.netloc and len(url) <= 2000
    return url if good and url.isprintable() and " " not in url else None
