"""PDF: its text, page by page; lines in larger type are headings."""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from agent.knowledge.errors import BadPage
from agent.knowledge.reading.texts import address, even
from agent.knowledge.values import Block, Page

MOST_PAGES = 2000
_ELEMENT = re.compile(r"(?:[-–*•·▪‣]|\d{1,2}[.)])\s+")
_LARGER = 1.12
"""A heading's type is so much larger than that of most of the text."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it stands on its page; `top` is its height from the bottom."""

    text: str
    size: float
    top: float
    page: int


def read_pdf(source: str, content: bytes) -> Page:
    """Read a PDF with text in it."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    # It warns of every oddity of a file; what matters is raised.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise BadPage(source, "it is encrypted; save it without a password")
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise BadPage(source, f"it has {count:,} pages; at most {MOST_PAGES:,} are read")
        lines: list[_Line] = []
        for number, page in enumerate(reader.pages, start=1):
            lines += _lines(page, number)
        return Page(source, tuple(_blocks(lines)), "page", address(_link(reader)))
    except BadPage:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError,
            RecursionError, NotImplementedError, ArithmeticError) as error:  # fmt: skip
        # A damaged file fails in pypdf in many ways.
        reason = f"it is damaged or unusual ({type(error).__name__}); save or print it as PDF again"
        raise BadPage(source, reason) from error


def _link(reader: Any) -> object:
    found = reader.metadata or {}
    return found.get("/URL")


def _lines(page: Any, number: int) -> list[_Line]:
    """Return the lines of a page, with the size of their type."""
    pieces: list[tuple[str, float, float]] = []

    def visit(text: str, matrix: list[float], place: list[float], font: Any, size: float) -> None:
        if text.strip():
            scale = abs(place[3]) or abs(place[0]) or 1.0
            pieces.append((even(text), size * scale, place[5]))

    text = page.extract_text(visitor_text=visit)
    sizes: dict[str, tuple[float, float]] = {}
    for piece, size, top in pieces:
        sizes.setdefault(piece, (size, top))
    lines = []
    for line in filter(None, map(even, text.split("\n"))):
        size, top = sizes.get(line) or next(
            (found for piece, found in sizes.items() if piece in line or line in piece), (0.0, 0.0)
        )
        lines.append(_Line(line, round(size, 1), top, number))
    return lines


def _blocks(lines: list[_Line]) -> list[Block]:
    """Return paragraphs and headings; lines of every page's head and foot are left out."""
    pages = len({line.page for line in lines})
    often = Counter(_numberless(line.text) for line in lines)
    most = max(3, 0.6 * pages) if pages >= 3 else len(lines) + 1
    lines = [line for line in lines if often[_numberless(line.text)] < most]
    weight: Counter[float] = Counter()
    for line in lines:
        weight[line.size] += len(line.text)
    common = weight.most_common(1)[0][0] if weight else 0.0
    larger = sorted({line.size for line in lines if line.size > common * _LARGER}, reverse=True)
    blocks: list[Block] = []
    held: list[_Line] = []
    for line in lines:
        heading = line.size in larger and len(line.text) < 120
        if heading or (held and _breaks(held[-1], line)):
            _close(held, blocks)
        if heading:
            blocks.append(Block(line.text, min(larger.index(line.size) + 1, 6), line.page))
        else:
            held.append(line)
    _close(held, blocks)
    return blocks


def _numberless(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _breaks(before: _Line, line: _Line) -> bool:
    """Return whether a line begins a paragraph."""
    if _ELEMENT.match(line.text):
        return True
    gap = before.top - line.top
    wide = before.page == line.page and gap > 1.8 * max(before.size, 1.0)
    return wide and before.text[-1] in ".!?:;"


def _close(held: list[_Line], blocks: list[Block]) -> None:
    if not held:
        return
    text = held[0].text
    for line in held[1:]:
        broken = text.endswith("-") and line.text[:1].islower()
        text = text[:-1] + line.text if broken else f"{text} {line.text}"
    element = _ELEMENT.match(text)
    clean = text[element.end() :] if element else text
    blocks.append(Block(clean, 0, held[0].page, bool(element)))
    held.clear()
