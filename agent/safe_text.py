"""Text that others wrote, made safe to show: plain, in Markdown, in HTML, and as a link.

Catalog, knowledge, tool results and users are data. `plain` is what every answer carries: text
without characters that act on their surroundings or cannot be seen. `markdown` and `html` are for
the edges that render one of these. Ordinary titles ("C++", "R&B", "<3", "5' x 7'") stay as they
are. This module knows nothing of turns.
"""

from __future__ import annotations

import html as _html
import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

ZWNJ, ZWJ, EMOJI_STYLE = "\u200c", "\u200d", "\ufe0f"

MOST_MARKS = 4
"""Combining marks on one letter; no language stacks more, and a heap of them covers other lines."""

_SUSPECT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control, bidirectional and invisible characters, tags, variation selectors, blank fillers."""

_MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_HEAP = re.compile(f"((?:{_MARK}){{{MOST_MARKS}}})(?:{_MARK})+")

_SCHEMES = ("http", "https")
LONGEST_URL = 2_000
_PICTURE = re.compile(
    r"(?!/)(?:(?!\.\.)[\w.-]+/)*[\w-][\w.-]*\.(?:avif|gif|jpe?g|png|svg|webp)", re.I
)


def plain(text: str) -> str:
    """Return text without characters that are invisible or act on their surroundings.

    Joiners stay where they make one sign of several, in emoji and in scripts that need them.
    """
    if text.isascii() and text.isprintable():
        return text
    if "\r" in text:  # alone it would write over what stands on the line
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = _SUSPECT.sub(_seen, text) if _SUSPECT.search(text) else text
    return _HEAP.sub(r"\1", kept)


def _seen(found: re.Match[str]) -> str:
    char, text, at = found[0], found.string, found.start()
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if char in "\u2028\u2029":
        return "\n"
    if char == EMOJI_STYLE:
        return char if before and (before in "0123456789#*" or _is_sign(before)) else ""
    if char == ZWJ:
        sign = before == EMOJI_STYLE or (before and _is_sign(before))
        return char if (sign and after and _is_sign(after)) or _joins(before, after) else ""
    return char if char == ZWNJ and _joins(before, after) else ""


def _is_sign(char: str) -> bool:
    return unicodedata.category(char) in ("So", "Sk") and ord(char) > 0xA8


def _joins(before: str, after: str) -> bool:
    """Return whether both sides are of scripts in which joiners are part of spelling."""
    return all(side and 0x0600 <= ord(side) <= 0x0DFF for side in (before, after))


def plain_values(value: Any) -> Any:
    """Return JSON-like values with every text in them plain; keys of objects too."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain_values(key): plain_values(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(plain_values(one) for one in value)
    return value


_MARKUP = re.compile(
    r"""
      \\                                # escapes of its own
    | [`*\[\]]
    | ~(?=~)|(?<=~)~
    | <(?![\s\d=]|$)|<(?=\S*@)          # "<3" and "< 5" open nothing
    | &(?=\#?\w+;)
    | (?<![^\W_])_|_(?![^\W_])          # inside a word it is only an underscore
    | /(?=/)                            # links without markup, as many renderers make them
    | (?<=mailto):|(?<=xmpp):
    | (?<=www)\.
    | (?<=[\w.+-])@(?=\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LISTED = r"(?m)^((?:[ \t]*(?:[-+]|\d{1,9}[.)])(?=[ \t]))*[ \t]*)"
_LINE_START = re.compile(_LISTED + r"(\#{1,6}(?=\s|$)|>)")
_RULE = re.compile(_LISTED + r"([-=|:+_][-=|:+_ \t]+|[-=])$")
_WIDE = re.compile(r"[ \t]{2,}|\t")
"""Columns of a table as the terminal shows it, or indented code."""


def markdown(text: str) -> str:
    """Return plain text as Markdown that renders to the same words and to nothing active.

    No link, picture, emphasis, heading, quote, table, code or HTML comes of it, also where a
    renderer makes links of bare addresses. What would not be taken as markup is left alone.
    """
    shown = _MARKUP.sub(r"\\\g<0>", plain(text))
    shown = _LINE_START.sub(r"\1\\\2", shown)
    shown = _RULE.sub(lambda line: re.sub(r"(?<!\\)[-=|:+_]", r"\\\g<0>", line[0]), shown)
    return _WIDE.sub(lambda blank: "\u00a0" * len(blank[0]), shown)


def html(text: str) -> str:
    """Return plain text as HTML that shows it, also inside a quoted attribute."""
    return _html.escape(plain(text), quote=True)


def safe_url(url: str | None) -> str | None:
    """Return an address that may be shown as a link or picture, None for any other.

    Only http and https with a host, without a name or password in front of it, and without blanks
    or characters that hide something.
    """
    if (
        not url
        or len(url) > LONGEST_URL
        or plain(url) != url
        or re.search(r"[\s<>\"'`\\{}|^]", url)
    ):
        return None
    try:
        parts = urlsplit(url)
        known = parts.scheme.lower() in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return url if known and parts.username is None and parts.password is None else None


def safe_picture(address: str | None) -> str | None:
    """Return an address of a picture: http(s), or a picture file beside the catalog."""
    if address and len(address) <= LONGEST_URL and _PICTURE.fullmatch(address):
        return address
    return safe_url(address)
