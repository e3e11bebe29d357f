"""What a registry tells: its adapters, and what was done to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from finetune.adapters import Card

Status = Literal["candidate", "canary", "live", "retired", "refused", "forgotten"]
"""candidate: may be tried; canary: answers a share of people; live: answers everybody else;
retired: answered once; refused: by the gate; forgotten: made from data that was deleted since."""
STATUSES: tuple[Status, ...] = get_args(Status)

SERVING: frozenset[Status] = frozenset({"canary", "live"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate said of an adapter beside another, and the file it said it in."""

    passed: bool
    baseline: str
    path: str
    hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An adapter in the registry.

    Args:
        folder: The registry's own copy.
        parent: The adapter it was trained on from, if any.
        judgement: What the gate said last.
        marked: When data it was made from was deleted; it serves no longer than it must.
        share: Of the sessions that begin now, how many it answers.
    """

    name: str
    status: Status
    folder: Path
    card: Card
    added: datetime
    parent: str | None = None
    judgement: Judgement | None = None
    marked: datetime | None = None
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done to an adapter, or to who is answered with which.

    Args:
        before, after: Its status; the same where only something else changed.
        who: Who did it; why: what they gave as the reason.
        facts: What else there is to know: shares, hashes, whether it was forced.
    """

    number: int
    time: datetime
    who: str
    action: str
    adapter: str | None
    before: str | None
    after: str | None
    why: str
    facts: dict[str, Any] = field(default_factory=dict)
