"""Openings: what a conversation begins with, by language and business hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from pydantic import BaseModel

from agent.service.config import OpeningTable
from agent.service.hours import Hours


class Opening(BaseModel):
    """What a conversation opens with: a greeting, and what one may say instead of typing."""

    text: str
    suggestions: list[str] = []


@runtime_checkable
class Greets(Protocol):
    """A desk with openings."""

    def opening(self, language: str | None = None) -> Opening | None:
        """Return what a conversation opens with, where there is something."""
        ...


@dataclass(frozen=True, slots=True)
class Openings:
    """The openings of a shop; the first is for those whose language has none."""

    tables: Sequence[OpeningTable]
    hours: Hours | None
    clock: Callable[[], datetime]

    def choose(self, language: str | None = None) -> Opening | None:
        """Return the opening for what a client asks for, e.g. "de-AT,de;q=0.9,en;q=0.8"."""
        if not self.tables:
            return None
        by_language = {table.language: table for table in reversed(self.tables)}
        wanted = (by_language.get(one) for one in languages(language or ""))
        table = next((one for one in wanted if one is not None), self.tables[0])
        is_open = self.hours is None or self.hours.open_at(self.clock())
        text = table.text if is_open or table.closed is None else table.closed
        return Opening(text=text, suggestions=list(table.suggestions))


def languages(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, the most wanted first."""
    rated = []
    for place, part in enumerate(header[:500].split(",")):
        name, _, quality = part.strip().partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        if name and weight > 0:
            rated.append((-weight, place, name.split("-")[0].strip().lower()))
    return [name for _, _, name in sorted(rated)]
