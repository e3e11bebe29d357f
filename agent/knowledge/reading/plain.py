"""Plain text: paragraphs between empty lines. Headings are underlined lines, lines in capitals, and
short lines that stand alone before a paragraph and end no sentence (`agent.knowledge.passages` sees
to questions).
"""

from __future__ import annotations

import re
from itertools import groupby

from agent.knowledge.reading.texts import decode, even
from agent.knowledge.values import Block, Page

TITLE_WORDS = 12
_UNDERLINE = re.compile(r"\s*([=\-~*])\1{2,}\s*")
_ELEMENT = re.compile(r"\s*(?:[-*•·]|\d{1,2}[.)])\s+")


def read_plain(source: str, content: bytes) -> Page:
    """Read a plain text file."""
    lines = list(enumerate(decode(source, content).split("\n"), start=1))
    blocks: list[Block] = []
    parts = [list(group) for filled, group in groupby(lines, key=_filled) if filled]
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        number, first = part[0]
        if after is not None and _is_title(part) and not _is_title(after):
            blocks.append(Block(even(first), 2, number))
        else:
            blocks += _paragraph(part)
    return Page(source, tuple(blocks))


def _filled(line: tuple[int, str]) -> bool:
    return bool(line[1].strip())


def _is_title(lines: list[tuple[int, str]]) -> bool:
    """Return whether a part is one short line that ends no sentence."""
    line = lines[0][1].strip()
    short = len(lines) == 1 and len(line.split()) <= TITLE_WORDS and not _ELEMENT.match(line)
    return short and not line.isupper() and line[0].isupper() and line[-1] not in ".!?:;,"


def _paragraph(lines: list[tuple[int, str]]) -> list[Block]:
    number, first = lines[0]
    blocks: list[Block] = []
    if len(lines) > 1 and _UNDERLINE.fullmatch(lines[1][1]):
        blocks.append(Block(even(first), 1 if "=" in lines[1][1] else 2, number))
        lines = lines[2:]
    elif first.isupper() and len(first.split()) <= 10:
        blocks.append(Block(even(first), 1, number))
        lines = lines[1:]
    held: list[str] = []
    start, joins = 0, False
    for number, line in lines:
        element = _ELEMENT.match(line)
        if element and held:
            blocks.append(Block(even(" ".join(held)), 0, start, joins))
            held = []
        if not held:
            start, joins = number, bool(element)
        held.append(line[element.end() :] if element else line)
    if held:
        blocks.append(Block(even(" ".join(held)), 0, start, joins))
    return blocks
