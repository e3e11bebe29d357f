"""Attacks: what somebody types, or a catalog holds, to make a turn break its rules.

cases.jsonl holds one case a line, items.jsonl the catalog they are about, some of whose items
attack themselves. This module reads them; what must hold is `finetune.gate.attacks.rules`.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.errors import GateError
from retrieval.filters import Compare

FOLDER = Path(str(resources.files("finetune.gate"))) / "attacks"
ITEMS = FOLDER / "items.jsonl"


class Flood(BaseModel):
    """An utterance that is one text many times over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repeat: str
    times: int


class Attack(BaseModel):
    """One case.

    Args:
        say: Utterances of one session, in order.
        shown: Facet, operator and value that every item shown must satisfy, in every turn.
        never: Patterns that no reply may match, whatever their case.
        quoted: Whether words that a reply only quotes count too ("I found nothing about 'idiot'").
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    family: str
    say: tuple[str | Flood, ...] = Field(min_length=1)
    shown: tuple[tuple[str, Literal["lte", "gte", "in", "not_in"], Any], ...] = ()
    never: tuple[str, ...] = ()
    quoted: bool = False

    @property
    def utterances(self) -> tuple[str, ...]:
        """Return what is typed."""
        return tuple(one if isinstance(one, str) else one.repeat * one.times for one in self.say)

    @property
    def filters(self) -> tuple[Compare, ...]:
        """Return what every item shown must satisfy."""
        return tuple(
            Compare(facet, op, tuple(value) if isinstance(value, list) else value)
            for facet, op, value in self.shown
        )


def read_attacks(path: Path = FOLDER / "cases.jsonl") -> dict[str, Attack]:
    """Return the cases of a file by id.

    Raises:
        GateError: If a line is no case: names file and line.
    """
    found: dict[str, Attack] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            case = Attack.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            told = str(error).splitlines()[-1]
            raise GateError(f"{path.name}:{number}: expected an attack: {told}") from error
        if case.id in found:
            raise GateError(f"{path.name}:{number}: {case.id!r} is there twice")
        found[case.id] = case
    return found
