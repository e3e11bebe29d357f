"""Words of people's sentences turned into slots: the parts that all human sources share.

Works on text alone: it knows word lists (human_words.toml, the linker's colours and stop words),
but no catalog and no source. What stays as plain words must mean nothing to any catalog, which
`plain` checks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from agent.linking.vocabulary import colours, general

Labelled = tuple[str, str, str]
"""Acts, text with slots, context."""

SLOT = re.compile(r"\{[-~x!]?(?:Rs|it|[CVNnDOFRTKS])(?::\w+)?(?:@\d)?\}")
WORD = re.compile(r"[a-z0-9][\w'’%/-]*", re.IGNORECASE)
_SYNTAX = re.compile(r"[()|{}#\[\]<>=_@]")


@dataclass(frozen=True, slots=True)
class HumanRow:
    """One human sentence as a phrase line: values replaced by slots, labelled with its acts."""

    source: str
    license: str
    text: str
    acts: str
    context: str = ""

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots of the text, in order."""
        return tuple(SLOT.findall(self.text))

    @property
    def line(self) -> str:
        """The row as a phrase line: `[context] acts | text`."""
        return f"[{self.context}] " * bool(self.context) + f"{self.acts} | {self.text}"


@cache
def _words() -> Mapping[str, Mapping[str, Any]]:
    text = (files("finetune.house") / "human_words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def table(section: str, name: str) -> Mapping[str, Any]:
    """Return a table of the word file, as written."""
    found: Mapping[str, Any] = _words()[section][name]
    return found


@cache
def pattern(section: str, name: str) -> str:
    """Return an entry of the word file as the text of a regular expression."""
    entry = _words()[section][name]
    return entry if isinstance(entry, str) else "|".join(entry)


@cache
def regex(section: str, name: str) -> re.Pattern[str]:
    """Return an entry of the word file as a regular expression that ignores case."""
    return re.compile(pattern(section, name), re.IGNORECASE)


@cache
def word_set(section: str, name: str) -> frozenset[str]:
    """Return the words of an entry of the word file."""
    return frozenset(" ".join(_words()[section][name]).split())


@cache
def frame_words() -> frozenset[str]:
    """Return the words that carry no wish, in lower case."""
    return general().stop | word_set("general", "frame")


@cache
def colour_pattern() -> str:
    """Return a pattern for colour words, with modifiers and endings ("light blue", "reddish")."""
    names = set(colours().bases) - {"rust", "sand", "snow"}
    plain_names = "|".join(sorted((re.escape(name) for name in names), key=len, reverse=True))
    shade = f"(?:{'|'.join(sorted(colours().modifiers))}|royal|sky|forest|mustard|rose)"
    ending = r"(?:[- ](?:color|colour)(?:ed)?|[- ]?tone[ds]?)?"
    return rf"(?:{shade}[ -])?(?:{plain_names})(?:ish)?{ending}"


def sub(words: str, slot: str, text: str, count: int = 0) -> str:
    """Replace whole words that match, outside of slots, `count` times (0: always)."""
    whole = re.compile(rf"(\{{[^{{}}]*\}})|(?<![\w'-])(?:{words})(?![\w'-])", re.IGNORECASE)
    left = count or len(text)

    def put(match: re.Match[str]) -> str:
        nonlocal left
        if match[1] or not left:
            return match[0]
        left -= 1
        return slot

    return whole.sub(put, text)


def replace_value(text: str, value: str, slot: str) -> str | None:
    """Return the text with the value's one occurrence as a slot, or None where it is not clear."""
    spelled = r"\s+".join(re.escape(word) for word in value.split())
    whole = re.compile(rf"(?<![\w{{'-]){spelled}(?:'s)?(?![\w}}-])", re.IGNORECASE)
    found = list(whole.finditer(_blanked(text)))
    if len(found) != 1:
        return None
    start, end = found[0].span()
    return text[:start] + slot + text[end:]


def _blanked(text: str) -> str:
    """Return the text with its slots out of the way, every offset as before."""
    return SLOT.sub(lambda match: "\0" * len(match[0]), text)


def harmless(text: str) -> bool:
    """Return whether the text has no character that means something in a phrase line."""
    return not _SYNTAX.search(SLOT.sub("", text))


def plain(text: str, extra: Iterable[str] = ()) -> bool:
    """Return whether everything but the slots is frame: no word that a catalog could contain."""
    if not harmless(text):
        return False
    known = frame_words() | frozenset(extra)
    words = (w.lower().replace("’", "'").strip("'-/") for w in WORD.findall(SLOT.sub(" ", text)))
    return all(word in known for word in words if word)


def tidy(text: str) -> str:
    """Return the text with single blanks and no blank before punctuation; words stay as typed."""
    text = re.sub(r"\s+", " ", text).strip(" -")
    text = re.sub(r"\s+([,.!?;])", r"\1", text)
    return re.sub(r"^[,.;:!? ]+", "", text)


def joined(text: str) -> bool:
    """Return whether two values of one sort stand side by side: alternatives of one facet."""
    return bool(re.search(r"(\{V(?::\w+)?(?:@\d)?\})(?:,| or| and|, or|, and|/) ?\1", text))


def content_runs(text: str) -> list[tuple[int, int]]:
    """Return the spans of maximal runs of words that are neither frame nor slots."""
    runs: list[tuple[int, int]] = []
    blank = _blanked(text)
    for match in WORD.finditer(blank):
        if match[0].lower().strip("'") in frame_words():
            continue
        gap = blank[runs[-1][1] : match.start()] if runs else "."
        if gap and not gap.strip():
            runs[-1] = (runs[-1][0], match.end())
        else:
            runs.append(match.span())
    return runs
