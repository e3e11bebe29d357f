"""/v1/users: what is stored of somebody, told and deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from agent.errors import UserInputError
from agent.jobs import NewJob
from agent.keys import key_of
from agent.logged import LoggedSession
from agent.server.access import needs
from agent.server.context import Context, Here
from agent.store_users import StoredUser
from agent.utterance import strip_control

router = APIRouter(prefix="/v1/users", tags=["users"], dependencies=[needs("admin")])


class ExportedSession(LoggedSession):
    """A session with its turns, slates and feedback, and what lies beside them."""

    state: dict[str, Any] = Field(description="As it stands now.")
    timings: dict[str, dict[str, float]] = Field(description="Milliseconds, by turn and stage.")
    handovers: list[dict[str, Any]] = Field(description="To people: why, and what became of it.")
    threads: list[dict[str, Any]] = Field(description="Hashes that lead clients to a turn.")
    requests: list[dict[str, Any]] = Field(description="Idempotency keys, as hashes.")


class ExportedDeletion(BaseModel):
    """That earlier data was deleted, and of how many sessions."""

    time: datetime
    sessions: int


class UserExport(BaseModel):
    """Everything stored of a user. Personal data was masked before it was stored."""

    user: str = Field(description="As stored: a keyed hash of the name.")
    exported: datetime
    sessions: list[ExportedSession]
    deletions: list[ExportedDeletion]
    adapters: list[str] = Field(description="Adapters of the model that learned from it.")


class DeletedUserAnswer(BaseModel):
    """How much was deleted."""

    sessions: int
    slates: int
    events: int


def _named(user: str) -> str:
    name = strip_control(user)
    if not name:
        raise UserInputError("no user is named; expected /v1/users/NAME")
    return name


@router.get("/{user:path}/export")
def export(user: str, here: Here) -> UserExport:
    """Return everything that is stored of a user; empty lists where nothing is."""
    found = here.parts.store.stored_user(_named(user))
    sessions = [
        ExportedSession.model_validate({**dict(one), **found.beside[one.id]})
        for one in found.sessions
    ]
    gone = [ExportedDeletion(time=one.time, sessions=len(one.sessions)) for one in found.deletions]
    return UserExport(
        user=found.user, exported=datetime.now(UTC), sessions=sessions, deletions=gone,
        adapters=_learned(here, user, found),
    )  # fmt: skip


def _learned(here: Context, user: str, found: StoredUser) -> list[str]:
    """Return which adapters learned from a user, as far as the registry of this server knows."""
    if here.adapters is None:
        return []
    sessions = {key_of(one.id) for one in found.sessions}
    sessions |= {key for one in found.deletions for key in one.sessions}
    return here.adapters.desk.learned_from(sessions, here.parts.store.user_keys(_named(user)))


@router.delete("/{user:path}")
def remove(user: str, here: Here) -> DeletedUserAnswer:
    """Delete every session of a user, with turns, slates, feedback and hand-overs.

    Deleting again finds nothing and is no error. Rows for training that were made of the data are
    removed by a job that runs soon after, and adapters that learned from it are marked.
    """
    store = here.parts.store
    name = _named(user)
    key = store.user_keys(name)[0]
    gone = store.delete_user(name, jobs=[NewJob("forget", {"user": key})])
    return DeletedUserAnswer(
        sessions=len(gone.sessions), slates=len(gone.slates), events=len(gone.events)
    )
