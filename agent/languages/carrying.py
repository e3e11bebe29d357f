"""Carrying over: an utterance in the English words that the linker knows, with a way back.

At each place a pattern is tried, then the longest phrase that the catalog's words or the table has.
What nothing explains stays as it was typed. Each English word knows which characters it came from,
so that mentions can point into what the user really wrote. No catalog search, no model.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.languages.phrases import CLAUSE_ENDS, Pattern, Phrases
from agent.plan import Mention, Plan

LONGEST = 1_000
"""Characters that are carried over; what follows stays as it was typed."""

_DEPTH = 4
_SLOT = re.compile(r"\{([a-z]+\d*)(?::(th|year))?\}")
_CLOSES = frozenset(",.;:!?)")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some English for the characters from `start` to `end` of an utterance."""

    english: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Carried:
    """An utterance carried over.

    Args:
        typed: As the user wrote it.
        text: In English, as far as it is understood.
        spans: For each piece of `text`: its start and end there, and where it came from.
        known: Whether any word of it was understood.
    """

    typed: str
    text: str
    spans: tuple[tuple[int, int, int, int], ...]
    known: bool = True

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return which characters of what was typed a part of the English came from."""
        own = [(a, b) for first, last, a, b in self.spans if first < end and start < last]
        if not own:
            return 0, 0
        return min(a for a, _ in own), max(b for _, b in own)

    def said(self, english: str) -> str:
        """Return what was typed for a part of the English; itself where it is none."""
        at = self.text.find(english.strip()) if english.strip() else -1
        if at < 0:
            return english
        start, end = self.origin(at, at + len(english.strip()))
        return self.typed[start:end].strip() or english

    def home(self, plan: Plan) -> Plan:
        """Return a plan over the English as one over what was typed."""
        mentions = tuple(self._mention(one) for one in plan.mentions)
        return plan.model_copy(
            update={"utterance": self.typed, "carried": self.text, "mentions": mentions}
        )

    def _mention(self, mention: Mention) -> Mention:
        start, end = self.origin(mention.start, mention.end)
        text = self.typed[start:end]
        own = {"start": start, "end": end, "text": text, "carried": mention.text}
        return mention.model_copy(update=own) if text else mention


def carry(typed: str, table: Phrases, own: Mapping[str, str], longest: int) -> Carried:
    """Return an utterance carried over.

    Args:
        own: The catalog's phrases to their English; they go before those of the table.
        longest: Characters of the longest phrase of both.
    """
    text = normal(typed[:LONGEST], table)
    carrier = _Carrier(typed, table, own, longest)
    pieces = list(carrier.pieces(text, 0, 0))
    if len(typed) > LONGEST:
        pieces.append(Piece(typed[LONGEST:], LONGEST, len(typed)))
    english, spans = _joined(pieces)
    return Carried(typed, english, spans, carrier.known)


def normal(typed: str, table: Phrases) -> str:
    """Return a text with signs as the tables have them, each in its place.

    Wide letters and signs become plain ones; a blank between letters of a script that has none
    separates clauses.
    """
    signs = [unicodedata.normalize("NFKC", sign) for sign in typed]
    plain = "".join(n if len(n) == 1 else sign for n, sign in zip(signs, typed, strict=True))
    plain = plain.translate(table.variants).lower()
    if len(plain) != len(typed):  # one sign's lower case is two signs
        return typed
    if table.spaced or table.letters is None:
        return plain
    letter = table.letters.pattern
    return re.sub(rf"(?<={letter})\s(?={letter})", ",", plain)


class _Carrier:
    """Carries one utterance over."""

    def __init__(self, typed: str, table: Phrases, own: Mapping[str, str], longest: int) -> None:
        self._typed = typed
        self._table = table
        self._own = own
        self._longest = longest
        self.known = False

    def pieces(self, text: str, at: int, depth: int) -> Iterator[Piece]:
        """Yield the pieces of a text whose first character is at a place of the utterance."""
        i, kept = 0, 0
        while i < len(text):
            found = self._pattern(text, i, at, depth) or self._word(text, i, at)
            if found is None:
                i += 1
                continue
            yield from self._as_typed(text, kept, i, at)
            pieces, i = found
            kept = i
            yield from pieces
        yield from self._as_typed(text, kept, len(text), at)

    def _as_typed(self, text: str, start: int, end: int, at: int) -> Iterator[Piece]:
        """Yield what nothing explains, cut where blanks and signs are."""
        for match in re.finditer(r"[^\s,。、!?;]+|[,。、!?;]", text[start:end]):
            first, last = at + start + match.start(), at + start + match.end()
            said = _SIGNS.get(match.group())
            plain = match.group() if match.group() in _ENDS else self._typed[first:last]
            yield Piece(said or plain, first, last)

    def _pattern(
        self, text: str, i: int, at: int, depth: int
    ) -> tuple[Sequence[Piece], int] | None:
        if depth > _DEPTH:
            return None
        for pattern in self._table.patterns:
            match = pattern.find.match(text, i)
            if match is None or match.end() == i or self._cuts_a_word(text, match.start()):
                continue
            pieces = self._said(pattern, match, at, depth)
            if pieces is not None:
                self.known = True
                return pieces, match.end()
        return None

    def _cuts_a_word(self, text: str, i: int) -> bool:
        return self._table.spaced and i > 0 and text[i - 1].isalnum() and text[i].isalnum()

    def _said(
        self, pattern: Pattern, match: re.Match[str], at: int, depth: int
    ) -> list[Piece] | None:
        """Return the English of a match, None where a number in it is none."""
        whole = (at + match.start(), at + match.end())
        made: list[Piece] = []
        end = 0
        for slot in _SLOT.finditer(pattern.say):
            made += _literal(pattern.say[end : slot.start()], whole)
            end, name = slot.end(), slot[1]
            said = match.group(name)
            if not said:
                continue
            first = at + match.start(name)
            own = self._table.names.get(name.rstrip("0123456789"), {}).get(said)
            if own is not None:
                made.append(Piece(own, first, first + len(said)))
                continue
            if name not in pattern.numbers:
                made += self.pieces(said, first, depth + 1)
                continue
            value = self._table.numerals.value(said)
            if value is None:
                return None
            figure = _figure(value, slot[2])
            made.append(Piece(figure, first, first + len(said)))
        return [*made, *_literal(pattern.say[end:], whole)]

    def _word(self, text: str, i: int, at: int) -> tuple[Sequence[Piece], int] | None:
        """Return the longest phrase at a place."""
        if self._cuts_a_word(text, i):
            return None
        for size in range(min(self._longest, len(text) - i), 0, -1):
            phrase = text[i : i + size]
            english = self._own.get(phrase, self._table.words.get(phrase))
            if english is None or self._goes_on(text, i + size):
                continue
            self.known |= bool(english)
            return [Piece(english, at + i, at + i + size)], i + size
        return None

    def _goes_on(self, text: str, i: int) -> bool:
        """Return whether a word goes on: always at a blank in a language that has them."""
        ascii_word = text[i - 1].isascii() and text[i - 1].isalnum()
        spaced = self._table.spaced or ascii_word
        ahead = text[i : i + 1]
        return spaced and ahead.isalnum() and (self._table.spaced or ahead.isascii())


_ENDS = frozenset(CLAUSE_ENDS)
_SIGNS = {"。": ".", "、": ","}

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
             "tenth")  # fmt: skip


def _figure(value: float, kind: str | None) -> str:
    """Return a number in figures; four of them are a year only where a pattern says so."""
    if kind == "th":
        return _ordinal(value)
    return f"{value:.2f}" if kind != "year" and 1000 <= value < 10_000 else f"{value:.10g}"


def _ordinal(value: float) -> str:
    n = int(value)
    return _ORDINALS[n - 1] if 1 <= n <= len(_ORDINALS) else f"{n}th"


def _literal(words: str, span: tuple[int, int]) -> list[Piece]:
    return [Piece(words.strip(), *span)] if words.strip() else []


def _joined(pieces: Sequence[Piece]) -> tuple[str, tuple[tuple[int, int, int, int], ...]]:
    """Return the English in one text, and where each piece of it came from."""
    text, spans = "", []
    for piece in pieces:
        said = piece.english
        if text[-1:] in _ENDS:  # one sign ends a clause
            said = said.lstrip(f"{CLAUSE_ENDS} ")
        if not said:
            continue
        blank = " " if text and said[0] not in _CLOSES else ""
        start = len(text) + len(blank)
        text += f"{blank}{said}"
        spans.append((start, len(text), piece.start, piece.end))
    return text, tuple(spans)
