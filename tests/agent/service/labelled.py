"""Utterances with what each part is about, as written in data/*.txt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"
LABELS = {"s": "shop", "t": "tool", "p": "person", "i": "items", "o": "told"}


@dataclass(frozen=True)
class Part:
    """A part of an utterance, by its place."""

    label: str
    start: int
    end: int


@dataclass(frozen=True)
class Labelled:
    """An utterance with its parts."""

    text: str
    parts: tuple[Part, ...]


def labelled(name):
    """Return the utterances of a set."""
    lines = (DATA / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [_row(line) for line in lines if line and not line.startswith("#")]


def _row(line):
    text, parts = "", []
    for piece in line.split("|"):
        label, _, words = piece.partition(":")
        parts.append(Part(label, len(text), len(text) + len(words)))
        text += words
    return Labelled(text, tuple(parts))
