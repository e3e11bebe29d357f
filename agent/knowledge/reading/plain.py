"""Plain text: paragraphs between empty lines; underlined lines or capitals are headings."""

from __future__ import annotations

import re
from itertools import groupby

from agent.knowledge.reading.texts import decode, even
from agent.knowledge.values import Block, Page

_UNDERLINE = re.compile(r"\s*([=\-~*])\1{2,}\s*")
_ELEMENT = re.compile(r"\s*(?:[-*•·]|\d{1,2}[.)])\s+")


def read_plain(source: str, content: bytes) -> Page:
    """Read a plain text file."""
    lines = list(enumerate(decode(source, content).split("\n"), start=1))
    blocks: list[Block] = []
    for filled, group in groupby(lines, key=lambda line: bool(line[1].strip())):
        if filled:
            blocks += _paragraph(list(group))
    return Page(source, tuple(blocks))


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
