"""Sessions from elsewhere with what is personal masked, as if it had been when they were held.

What was masked in an utterance is also masked where the plan and the state repeat it, and places in
the utterance are moved. Slates are the catalog's own and stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.logged import LoggedSession, LoggedTurn
from agent.privacy.port import MARK, Masker

_SHORTEST = 3
"""Letters of a part of a name that is masked on its own."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a mark stands for, and where it stood."""

    start: int
    end: int
    text: str
    mark: str


def masked_session(session: LoggedSession, masker: Masker) -> LoggedSession:
    """Return a session with what is personal masked; as it is where nothing is."""
    masked = {turn.id: masker.mask(turn.utterance) for turn in session.turns}
    pieces = {turn.id: tuple(_pieces(turn.utterance, masked[turn.id])) for turn in session.turns}
    repeated = _Repeated([piece for own in pieces.values() for piece in own])
    turns = tuple(
        _masked_turn(turn, masked[turn.id], pieces[turn.id], repeated, masker)
        for turn in session.turns
    )
    events = tuple(event.masked(masker.mask) for event in session.events)
    return session.model_copy(update={"turns": turns, "events": events})


def _pieces(said: str, masked: str) -> Iterator[Piece]:
    """Yield what the marks of a masked text stand for."""
    if said == masked:
        return
    kept, marks = MARK.split(masked), MARK.findall(masked)
    pattern = "(.*?)".join(re.escape(part) for part in kept)
    found = re.fullmatch(pattern, said, re.DOTALL)
    for place, mark in enumerate(marks, start=1):
        if found is not None and found[place] != mark:
            yield Piece(found.start(place), found.end(place), found[place], mark)


class _Repeated:
    """Masks what was masked elsewhere in the same session."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._marks = dict(self._words(pieces))
        words = sorted(self._marks, key=len, reverse=True)
        joined = "|".join(re.escape(word) for word in words)
        self._pattern = re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE) if words else None

    def _words(self, pieces: Sequence[Piece]) -> Iterator[tuple[str, str]]:
        for piece in pieces:
            yield piece.text.casefold(), piece.mark
            parts = re.findall(r"\w+", piece.text) if piece.mark == "[name]" else []
            yield from ((part.casefold(), piece.mark) for part in parts if len(part) >= _SHORTEST)

    def masked(self, value: Any) -> Any:
        """Return JSON with all strings masked."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(lambda found: self._marks[found[0].casefold()], value)
        if isinstance(value, Mapping):
            return {name: self.masked(one) for name, one in value.items()}
        return [self.masked(one) for one in value] if isinstance(value, list | tuple) else value


def _masked_turn(
    turn: LoggedTurn, utterance: str, pieces: Sequence[Piece], repeated: _Repeated, masker: Masker
) -> LoggedTurn:
    data = turn.model_dump(mode="json")
    for name in ("plan", "state", "notes", "relaxations", "service"):
        data[name] = repeated.masked(data[name])
    data |= {"utterance": utterance, "reply": masker.mask(repeated.masked(turn.reply))}
    if turn.plan.utterance == turn.utterance:
        data["plan"]["utterance"] = utterance
    for mention in data["plan"]["mentions"]:
        start, end = mention["start"], mention["end"]
        mention |= {"start": _moved(start, pieces), "end": _moved(end, pieces, end=True)}
        if (mention["start"], mention["end"]) != (start, end):
            mention["text"] = utterance[mention["start"] : mention["end"]]
    return LoggedTurn.model_validate(data)


def _moved(place: int, pieces: Sequence[Piece], *, end: bool = False) -> int:
    """Return where a place of an utterance is once it is masked; inside a mark, its edge."""
    moved = place
    for piece in pieces:
        if piece.end <= place:
            moved += len(piece.mark) - (piece.end - piece.start)
        elif piece.start < place:
            moved += piece.start - place + (len(piece.mark) if end else 0)
    return moved
