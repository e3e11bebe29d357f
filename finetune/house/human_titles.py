"""Titles, genres and names in talk about films, as slots."""

from __future__ import annotations

import html
import re

from finetune.house.human_text import frame_words, pattern, sub

_JOINING = frozenset(
    "of the and a an in to for on from with at vs vs. & – -".split()  # noqa: SIM905
)
_YEAR = re.compile(r"\s*\((?:19|20)\d\d\)(?:\s*<[^>]*>)?")
_ABBREVIATED = re.compile(r"[A-Z]{1,2}r?s?\.")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+ [A-Z][a-z]+\b")


def title_slots(text: str, titles: list[str]) -> str:
    """Return the text with titles as slots: those given, and capitalised words before a year."""
    text = html.unescape(text)
    for title in sorted(set(titles), key=len, reverse=True):
        bare = _YEAR.sub("", title)
        text = re.sub(rf"{re.escape(bare)}\s*\((?:19|20)\d\d\)", "{T}", text)
        if len(bare) > 4:
            text = re.sub(rf"(?i)(?<![\w{{]){re.escape(bare)}(?!\w)", "{T}", text)
    at = 0
    while (year := _YEAR.search(text, at)) is not None:
        start = _title_start(text, year.start())
        at = year.end() if start is None else start
        if start is not None:
            text = text[:start] + "{T}" + text[year.end() :]
    return text


def _title_start(text: str, end: int) -> int | None:
    """Return where the title that ends here starts: its capitalised words, joining ones within."""
    start, first = None, ""
    for word in reversed(list(re.finditer(r"\S+", text[:end]))):
        ends = word[0][-1] in ".!?," and not _ABBREVIATED.fullmatch(word[0])
        if ends and start is not None:
            break
        bare = word[0].strip("\"'")
        if bare[:1].isupper() or bare[:1].isdigit():
            start, first = word.start(), bare
        elif bare.lower() not in _JOINING:
            break
    rest = text[start + len(first) : end] if start is not None else ""
    opens = first.lower().strip(",") in frame_words() - {"the", "a", "an"}
    if start is not None and opens and rest.strip():
        start += len(first) + len(rest) - len(rest.lstrip())
    return start


def slotted(text: str) -> str:
    """Return the text with genres, descriptive words, names and kinds of films as slots.

    A kind of film is `{C:one}` or `{C:many}`: what becomes of it depends on the sentence.
    """
    text = re.sub(r"\s+", " ", text.replace("’", "'"))
    genres = pattern("film", "genres")
    text = sub(rf"(?:{genres})(?:[/-](?:{genres}))?", "{V}", text)
    text = _NAME.sub("{V}", sub(pattern("film", "looks"), "{K}", text))
    text = re.sub(r"(\{V\})(?:[ -]\{V\})+", r"\1", text)
    text = sub(r"movies|films|flicks|shows|series", "{C:many}", text)
    return sub(r"movie|film|flick|show", "{C:one}", text)
