"""Shopping texts as phrase lines: WebShop tasks, search-box queries, FashionIQ captions.

None of them is annotated word by word. A sentence is cut into frame ("i am looking for a", "that
is") and runs of content; a run's place says what it is: the thing wanted, a descriptive word, a
purpose, something that must not be. What does not fit this scheme is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from finetune.house.human_text import (
    SLOT,
    Labelled,
    colour_pattern,
    content_runs,
    harmless,
    joined,
    pattern,
    plain,
    regex,
    sub,
    tidy,
    word_set,
)

Row = Mapping[str, Any]

_LONGEST = 3
_NUMBER = rf"\d+(?:[./]\d+)?(?: ?(?:x|by|-) ?\d+(?:\.\d+)?)*[ -]?(?:{pattern('general', 'units')})"
_SIZE = rf"(?:{pattern('general', 'sizes')})(?:[- ]sized?)?|(?<=size )\d\d?(?:\.5)?"
_CAPPED = re.compile(
    rf"\b({pattern('shop', 'cap')}) (?:the )?{pattern('shop', 'amount')}(?![\w%]|\.\d)", re.I
)
_PURPOSE = re.compile(r"\b(?:for|on) (?:(?:my|the|a|an|our|his|her|your) )?$", re.IGNORECASE)
_OWNER = re.compile(r"(?:my|the|a|an|our|his|her|your) $", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:not|no|never|without|except|cannot|\w+n['’]t|(?:do|does|did|is|are|ca|wo|has|have)nt)\b",
    re.IGNORECASE,
)
_COLOURED = re.compile(r"\{V:colour\}(?:,? (?:and|or|&) |[,/|] ?| ){1,2}\{V:colour\}")


def _values(text: str) -> str:
    """Return the text with amounts, sizes, colours, materials and people as slots."""
    text = sub(pattern("shop", "whole"), "{K}", _CAPPED.sub(r"\1 {n}", text))
    text = re.sub(r"\{n\} (?:dollars?|usd|bucks)", "{n}", text)
    text = sub(_NUMBER, "{V}", text)
    text = sub(_SIZE, "{V:size}", text)
    text = sub(colour_pattern(), "{V:colour}", text)
    text = sub(pattern("general", "materials"), "{V:material}", text)
    return sub(pattern("general", "audiences"), "{V:audience}", text)


def _denied(text: str) -> str:
    """Return the text with the values that follow a denial as what must not be."""
    parts = re.split(r"(\{V(?::\w+)?\})", text)
    for i in range(1, len(parts), 2):
        if regex("shop", "denial").search(parts[i - 1]):
            parts[i] = "{-" + parts[i][1:]
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of content or a slot, and where it stands."""

    start: int
    end: int
    is_slot: bool


def _phrases(text: str) -> list[list[_Piece]]:
    """Return the pieces of the text, those side by side in one list: a noun phrase, roughly."""
    pieces = [_Piece(match.start(), match.end(), True) for match in SLOT.finditer(text)]
    pieces += [_Piece(start, end, False) for start, end in content_runs(text)]
    phrases: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda p: p.start):
        if phrases and text[phrases[-1][-1].end : piece.start] in (" ", "  "):
            phrases[-1].append(piece)
        else:
            phrases.append([piece])
    return phrases


def _thing(text: str, phrase: list[_Piece]) -> str | None:
    """Return the noun phrase that names the thing wanted, its last run being the thing."""
    head = max(i for i, piece in enumerate(phrase) if not piece.is_slot)
    done: list[str] = []
    for i, piece in enumerate(phrase):
        run = text[piece.start : piece.end]
        if piece.is_slot:
            done.append(run)
        elif i == head:
            described = any(not earlier.is_slot for earlier in phrase[:i])
            done.append("{K} {C}" if len(run.split()) > 2 and not described else "{C}")
        else:
            done.append("{K}")
    return " ".join(done) if done.count("{K}") < 2 else None


def _rest(so_far: str, text: str, phrase: list[_Piece]) -> tuple[str, str] | None:
    """Return what stands before a later noun phrase, and the phrase, with slots."""
    runs = [piece for piece in phrase if not piece.is_slot]
    if not runs:
        return so_far, text[phrase[0].start : phrase[-1].end]
    if len(runs) > 1 or len(text[runs[0].start : runs[0].end].split()) > _LONGEST:
        return None
    if text.startswith("{-", phrase[0].start):
        return so_far, "{-K}"
    alone = len(phrase) == 1
    if alone and _PURPOSE.search(so_far):
        return _OWNER.sub("", so_far), "{S}"
    denied = regex("shop", "denial").search(so_far) and phrase[0] is runs[0]
    slot = "{-K}" if denied else "{K}"
    if alone and re.search(r"\bby $|(?<!made )\bfrom $", so_far):
        slot = "{V:brand}"
    return so_far, " ".join(slot if p is runs[0] else text[p.start : p.end] for p in phrase)


def _cut(text: str, named: bool) -> str | None:
    """Return the text with its content as slots; the first noun phrase is the thing, if named."""
    done, at, waiting = "", 0, named
    for phrase in _phrases(text):
        before = done + text[at : phrase[0].start]
        if waiting and any(not piece.is_slot for piece in phrase):
            thing = _thing(text, phrase) if regex("shop", "opener").search(before) else None
            if thing is None:
                return None
            done, waiting = before + thing, False
        else:
            rest = _rest(before, text, phrase)
            if rest is None:
                return None
            done = rest[0] + rest[1]
        at = phrase[-1].end
    return None if waiting else done + text[at:]


def _need(text: str) -> Labelled | None:
    cut = _cut(_denied(_values(tidy(text))), named=True)
    if cut is None:
        return None
    cut = tidy(re.sub(r"(\{V:colour\})(?: \{V:colour\})+", r"\1", cut))
    if regex("shop", "unclear").search(cut) or not plain(cut, ("pair", "set", "pack")):
        return None
    if cut.count("K}") > 3 or cut.count("{") > 6 or cut.count("{C}") != 1:
        return None
    if "{-" not in cut and _NEGATION.search(cut):
        return None
    return "recommend" + ":add" * joined(cut), cut, ""


def webshop(rows: Iterable[Row]) -> Iterator[Labelled]:
    """Yield crowd-written shopping tasks: first requests with wishes and price caps."""
    for row in rows:
        if found := _need(row["text"]):
            yield found


def queries(rows: Iterable[Row]) -> Iterator[Labelled]:
    """Yield search-box queries; the words people put around what they search are what counts."""
    for row in rows:
        text = row["query"]
        starts = regex("shop", "query_start").match(text)
        found = _need(text) if " " in text and not starts else None
        if found and set(SLOT.sub(" ", found[1]).split()) <= word_set("shop", "query_frame"):
            yield found


_FRAMES = (
    "something like {it} that %s",
    "like {it} but it %s",
    "i like {it} but i want one that %s",
    "i want something similar to {R} that %s",
    "{R} is close but i'd like one that %s",
    "similar to {R} but it %s",
    "do you have something like {R} that %s",
    "more like {R} but it %s",
    "something like {R} but which %s",
    "same as {it} but which %s",
)
"""Captions say only the difference; these say from what."""
_SUBJECT = re.compile(
    rf"^(?:(?:the|this) (?:{pattern('shop', 'captioned')})|it|item|desired (?:item|product|one))? ?"
    r"(?=is|has)",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    rf"\b(is|and|much|bit) (?:{pattern('shop', 'directions')})"
    r"(?: (?:in|colou?r|colou?red|shade|length|overall))*(?=$|,| and| with)",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    rf"\b(?:{pattern('shop', 'captioned')}|less|same|as|other|different|another|similar|than)\b",
    re.IGNORECASE,
)


def _caption(text: str) -> str | None:
    """Return the caption with slots, or None where it names a kind of thing or compares oddly."""
    text = _SUBJECT.sub("", tidy(text).strip("."))
    if not re.match(r"(?:is|has) ", text, re.IGNORECASE) or _OTHERWISE.search(text):
        return None
    text = _COMPARED.sub(r"\1 {D}", text[0].lower() + text[1:])
    text = _COLOURED.sub("{V:colour} and {V:colour}", sub(colour_pattern(), "{V:colour}", text))
    cut = _cut(_denied(sub(pattern("general", "materials"), "{V:material}", text)), named=False)
    if cut is None or not harmless(cut) or regex("shop", "vague").search(cut):
        return None
    cut = tidy(cut)
    words = set(re.findall(r"[\w']+", SLOT.sub(" ", cut).lower()))
    known = words <= word_set("shop", "caption_frame")
    return cut if known and 0 < cut.count("{") <= 3 else None


def fashioniq(pairs: Iterable[Row], random: Random) -> Iterator[Labelled]:
    """Yield how people say what should differ from an item they see, within ways of asking."""
    seen: set[str] = set()
    for pair in pairs:
        for text in pair["captions"]:
            cut = _caption(text)
            if cut is None or cut in seen:
                continue
            seen.add(cut)
            acts = "like" + ":add" * joined(cut)
            yield acts, random.choice(_FRAMES) % cut, "slate"
            if random.random() < 0.15:
                yield acts, cut, "focus"
