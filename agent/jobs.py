"""Work in the background, as values. It is stored with what caused it and survives a restart.

A job runs at least once, so what runs it must bear a second run. This module runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from agent.feedback import new_id

JobStatus = Literal["waiting", "running", "done", "dead"]
"""dead: given up after too many tries; `attune jobs retry` makes it waiting again."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to be done.

    Args:
        kind: Name of what runs it, e.g. "handover".
        payload: Its arguments as JSON; ids only, no user text.
        due: Not before; None: now.
    """

    kind: str
    payload: Mapping[str, Any]
    due: datetime | None = None
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Job:
    """Work as stored.

    Args:
        attempts: How often it was begun.
        error: Why the last try failed.
        result: What it came to, as JSON.
    """

    id: str
    kind: str
    payload: Mapping[str, Any]
    status: JobStatus
    attempts: int
    created: datetime
    due: datetime
    finished: datetime | None = None
    error: str | None = None
    result: Mapping[str, Any] | None = None
