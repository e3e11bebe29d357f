"""Phrase lines: how people say things, with slots for what a catalog fills in.

    like | (something|anything) like {R} but in {V:colour} and {N}, nothing {-V}

The format is described in finetune/house/README.md. This module reads lines and expands their
alternatives; it does not know what fills a slot (`finetune.house.filling`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import get_args

from agent.plan import ActName
from finetune.errors import LabelError

KINDS = ("C", "V", "N", "n", "D", "O", "F", "R", "Rs", "it", "T", "K", "S")
POLARITIES = {"": "want", "-": "avoid", "~": "prefer", "x": "drop", "!": "nothing"}
SORTS = ("colour", "brand", "material", "audience", "size")

_SLOT = re.compile(r"\{([-~x!]?)(Rs|it|[CVNnDOFRTKS])\d*(?::(\w+))?(?:@(\d))?\}")
_CHOICE = re.compile(r"\(([^()]*)\)")
_LINE = re.compile(r"(?:\[(\w+)\]\s*)?([\w:+]+)\s*\|\s*(.+)")
_CONTEXTS = ("need", "start", "slate", "focus")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a phrase: what kind of thing stands there and what the plan does with it."""

    kind: str
    polarity: str
    sort: str = ""
    act: int | None = None


@dataclass(frozen=True, slots=True)
class PhraseAct:
    """An act of a phrase, with what no slot says."""

    name: ActName
    add: bool = False
    why_not: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """A line: its acts, its text with slots and alternatives, and where it can be said."""

    acts: tuple[PhraseAct, ...]
    text: str
    context: str = ""
    source: str = ""

    def expand(self, random: Random) -> list[str | Slot]:
        """Return one way to say it, as words and slots."""
        text = _CHOICE.sub(lambda match: random.choice(match[1].split("|")), self.text)
        parts: list[str | Slot] = []
        at = 0
        for match in _SLOT.finditer(text):
            parts += [text[at : match.start()], _slot(match)]
            at = match.end()
        return [part for part in (*parts, text[at:]) if part]


def _slot(match: re.Match[str]) -> Slot:
    polarity, kind, sort, act = match.groups()
    return Slot(kind, POLARITIES[polarity], sort or "", int(act) - 1 if act else None)


def parse_phrase(line: str, where: str = "") -> Phrase:
    """Return the phrase of a line.

    Raises:
        LabelError: If the line is none; says where and what is wrong.
    """
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise LabelError(f"{where}: expected 'acts | text', got {line!r}")
    context, acts, text = match.groups()
    if context and context not in _CONTEXTS:
        raise LabelError(f"{where}: context [{context}] is none of {_CONTEXTS}")
    parsed = tuple(_act(one, where) for one in acts.split("+"))
    left = _SLOT.sub("", text)
    if re.search(r"[{}]", left):
        raise LabelError(f"{where}: a slot is misspelt in {text!r}; kinds are {KINDS}")
    if re.search(r"[()]", _CHOICE.sub("", left)):
        raise LabelError(
            f"{where}: brackets do not match in {text!r}; alternatives can't be nested"
        )
    for slot in _SLOT.finditer(text):
        if slot[4] and int(slot[4]) > len(parsed):
            raise LabelError(f"{where}: {slot[0]} names act {slot[4]} of {len(parsed)}")
    return Phrase(parsed, text, context or "", where.partition(":")[0])


def _act(text: str, where: str) -> PhraseAct:
    name, _, flag = text.partition(":")
    if name not in get_args(ActName) or flag not in ("", "add", "why_not"):
        raise LabelError(f"{where}: {text!r} is no act; acts are {', '.join(get_args(ActName))}")
    return PhraseAct(name, flag == "add", flag == "why_not")  # type: ignore[arg-type]


def read_phrases(files: Iterable[Path], strict: bool = True) -> Iterator[Phrase]:
    """Yield the phrases of files; a line that is none raises, or is left out where not strict."""
    for path in files:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            try:
                yield parse_phrase(line, f"{path.stem}:{number}")
            except LabelError:
                if strict:
                    raise
