"""Cutting text into sentences by place, so that each is found again exactly as it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ABBREVIATIONS = frozenset(
    {
        "mr", "mrs", "ms", "dr", "prof", "st", "no", "nos", "nr", "approx", "ca", "e.g", "i.e",
        "eg", "ie", "etc", "incl", "excl", "min", "max", "vs", "dept", "fig", "inc", "ltd", "co",
        "jr", "sr", "a.m", "p.m", "tel", "art", "sec", "p", "pp", "vol", "ext", "est", "hr", "hrs",
        "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
        "mon", "tue", "tues", "wed", "thu", "thurs", "fri",
    }
)  # fmt: skip
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s+|$)")
_LAST_WORD = re.compile(r"([^\s(\"'“‘]+)$")
_LIST_WORDS = 70
"""A list of so few words is one statement with the line that leads to it."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage: text[start:end]."""

    start: int
    end: int
    text: str


def sentences(text: str) -> tuple[Sentence, ...]:
    """Return the sentences of a text; the lines of a list are one each, short lists are one."""
    spans: list[tuple[int, int]] = []
    place = 0
    for paragraph in text.split("\n\n"):
        for start, end in _units(paragraph):
            spans += _cut(text, place + start, place + end)
        place += len(paragraph) + 2
    return tuple(Sentence(start, end, text[start:end]) for start, end in spans)


def _units(paragraph: str) -> list[tuple[int, int]]:
    """Return the spans of a paragraph that are cut on their own."""
    lines = paragraph.split("\n")
    if len(lines) > 1 and lines[0].endswith(":") and len(paragraph.split()) <= _LIST_WORDS:
        return [(0, len(paragraph))]
    spans, place = [], 0
    for line in lines:
        spans.append((place, place + len(line)))
        place += len(line) + 1
    return spans


def _cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    first = start
    if "\n" in text[start:end]:  # a list that is one statement
        return [(start, end)]
    for found in _END.finditer(text, start, end):
        if found.end() < end and not _ends(text, found, first):
            continue
        spans.append((first, found.end()))
        first = found.end() + len(text[found.end() : end]) - len(text[found.end() : end].lstrip())
    if text[first:end].strip():
        spans.append((first, end))
    return [(a, b) for a, b in spans if text[a:b].strip()]


def _ends(text: str, found: re.Match[str], first: int) -> bool:
    """Return whether a sentence ends at a sign that other words follow."""
    after = text[found.end() :].lstrip()[:2]
    if found[0][0] in "!?":
        return not after[:1].islower()
    word = _LAST_WORD.search(text, first, found.start())
    last = word[1].casefold() if word else ""
    if last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha()):
        # "at 5 p.m. We …" ends, "no. 5" and "Mr. Smith" do not.
        return last in ("a.m", "p.m", "etc") and after[:1].isupper()
    return not after[:1].islower()
