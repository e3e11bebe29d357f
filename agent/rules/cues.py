"""Cue phrases: compiled once from `cues.toml`, matched on the masked utterance."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from agent.linking.spelling import mended
from agent.linking.text import plain
from agent.plan import Mention

_SET_PHRASES = frozenset(
    {"off_topic", "recap", "lift_up", "reset", "undo", "handoff", "answer", "chitchat", "elicit",
     "reject_all", "question"}
)  # fmt: skip
"""Cues that are looked for in the raw utterance too: "scratch that" holds a reference."""


@dataclass(frozen=True, slots=True)
class Masked:
    """An utterance in lower case with each mention replaced by `<id>`.

    Args:
        spans: Mention id to its span in `text`.
        raw: The lower-cased utterance itself.
    """

    text: str
    spans: Mapping[str, tuple[int, int]]
    raw: str = ""


def mask(utterance: str, mentions: Sequence[Mention]) -> Masked:
    """Return the utterance with mentions masked; of several on one span, the first stands."""
    pieces: list[str] = []
    spans: dict[str, tuple[int, int]] = {}
    at, length, last = 0, 0, ""
    for mention in sorted(mentions, key=lambda m: (m.start, -m.score)):
        if mention.kind in ("keyword", "unknown") or mention.start < at:
            if mention.start < at and last:
                spans[mention.id] = spans[last]
            continue
        before = _lower(utterance[at : mention.start])
        tag = f"<{mention.id}>"
        pieces += [before, tag]
        length += len(before)
        spans[mention.id] = (length, length + len(tag))
        length += len(tag)
        at, last = mention.end, mention.id
    pieces.append(_lower(utterance[at:]))
    masked = Masked("".join(pieces), spans, _lower(utterance))
    return _with_words(masked, mentions)


_NO_APOSTROPHE = re.compile(
    r"\b(do|does|did|is|are|was|were|wo|would|should|could|has|have|ca|ai)nt\b"
)
_TAG = re.compile(r",? (?:isn't|aren't|doesn't|don't|wasn't|won't|right) (?:it|they|you|i)\W*$")


def _lower(text: str) -> str:
    folded = plain(text).replace("’", "'").replace("\n", " ")
    return mended(_TAG.sub("", _NO_APOSTROPHE.sub(r"\1n't", folded)))


def _with_words(masked: Masked, mentions: Sequence[Mention]) -> Masked:
    """Find the words that were left in place, so that their polarity can be told too."""
    spans = dict(masked.spans)
    start = 0
    for mention in sorted(mentions, key=lambda m: m.start):
        if mention.kind not in ("keyword", "unknown"):
            start = max(start, spans.get(mention.id, (0, 0))[1])
            continue
        found = masked.text.find(_lower(mention.text), start)
        at = found if found >= 0 else masked.text.find(_lower(mention.text))
        if at >= 0:
            spans[mention.id] = (at, at + len(mention.text))
            start = at + len(mention.text)
    return Masked(masked.text, spans, masked.raw)


@cache
def _table() -> dict[str, Any]:
    text = (files("agent.rules") / "cues.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _compiled(section: str, name: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{cue})" for cue in _table()[section][name]))


def has(masked: Masked, section: str, name: str) -> bool:
    """Return whether any cue of a list occurs, for set phrases also inside mentions."""
    cue = _compiled(section, name)
    return cue.search(masked.text) is not None or (
        name in _SET_PHRASES and cue.search(masked.raw) is not None
    )


def said(text: str, section: str, name: str) -> bool:
    """Return whether any cue of a list occurs in a text that need not be masked."""
    return _compiled(section, name).search(text) is not None


def spans(masked: Masked, section: str, name: str) -> Iterator[tuple[int, int]]:
    """Yield where the cues of a list occur."""
    for match in _compiled(section, name).finditer(masked.text):
        yield match.span()


def follows(masked: Masked, at: int, section: str, name: str) -> bool:
    """Return whether a cue (written with ^) stands right at a place."""
    return _compiled(section, name).match(masked.text[at:]) is not None


@cache
def detail_cues() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the questions about a field: role or facet-name word, and its cue."""
    rows = _table()["detail"]["facets"]
    return tuple((name, re.compile(cue)) for name, cue in rows.items())
