"""What Attune answers those who run it, as values."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from agent.client.values import Json, Value


class Stored(Value):
    """How many items are stored, and the rows that are not."""

    stored: int
    rejected: tuple[Rejected, ...]


class Rejected(Value):
    """A row that was not stored, and why."""

    row: int
    id: str | None
    reason: str


class Deleted(Value):
    """How much of a user was deleted."""

    sessions: int
    slates: int
    events: int


class Job(Value):
    """One piece of work in the background.

    Args:
        status: "waiting", "running", "done", or "dead": given up after too many tries.
        attempts: How often it was begun.
        due: Not before this moment, where it waits.
        error: Why the last try failed.
    """

    id: str
    kind: str
    status: str
    attempts: int
    created: str
    due: str
    finished: str | None
    payload: Json
    error: str | None
    result: Json | None


class Handover(Value):
    """A conversation that a person is to take over.

    Args:
        reason: "asked", "failures" or "rule"; `detail` says which rule.
        status: "waiting", "delivered", "closed", or "dead": its announcement was given up.
    """

    id: str
    session_id: str
    turn_id: str
    reason: str
    detail: str
    status: str
    created: str
    changed: str


class TranscriptTurn(Value):
    """One turn of a transcript."""

    turn: int
    turn_id: str
    user: str
    bot: str
    items: tuple[Json, ...]
    tools: tuple[Json, ...]


class WholeHandover(Handover):
    """A hand-over with the conversation up to now.

    Args:
        open: Whether somebody was there when it was made.
    """

    open: bool | None
    session: Json
    state: Json
    slate: tuple[Json, ...]
    transcript: tuple[TranscriptTurn, ...]


class Source(Value):
    """A page, or several, that the shop's answers are quoted from."""

    name: str
    passages: int
    url: str | None


class PagesTaken(Value):
    """Which pages were taken in.

    Args:
        job: Id of the job that indexes them.
        rejected: A line for each file that was not taken.
    """

    job: str
    sources: tuple[str, ...]
    rejected: tuple[str, ...]


class ApiKey(Value):
    """An API key as stored; the key itself is not.

    Args:
        status: "good", "expired" or "revoked".
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    status: str
    created: str
    expires: str | None
    revoked: str | None
    turns_today: int = 0
    tokens_today: int = 0


class MadeKey(ApiKey):
    """A new API key; `key` is given this once."""

    key: str = Field(repr=False)


class Adapters(Value):
    """Which adapters of the model there are, and what answers at this moment.

    Args:
        loaded: Adapters loaded, with the turns they are in.
        adapters: Every adapter's status.
    """

    live: str | None
    canary: str | None
    experiment: str | None
    version: int
    loaded: Mapping[str, int]
    problems: Mapping[str, str]
    adapters: Mapping[str, str]


class Ready(Value):
    """Whether turns can be taken, and if not, why.

    Args:
        status: "ready" or "not ready".
        warnings: What is wrong although turns can be taken.
    """

    status: str
    catalog: str
    version: int | None
    tenants: int = 1
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()
