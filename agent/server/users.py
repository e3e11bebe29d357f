"""/v1/users: deleting what is stored of somebody."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from agent.errors import UserInputError
from agent.server.access import needs
from agent.server.context import Here
from agent.utterance import strip_control

router = APIRouter(prefix="/v1/users", tags=["users"], dependencies=[needs("admin")])


class DeletedUserAnswer(BaseModel):
    """How much was deleted."""

    sessions: int
    slates: int
    events: int


@router.delete("/{user:path}")
def remove(user: str, here: Here) -> DeletedUserAnswer:
    """Delete every session of a user, with turns, slates and feedback.

    Deleting again finds nothing and is no error. What was learned from the data is another
    matter: see `attune feedback forget`.
    """
    name = strip_control(user)
    if not name:
        raise UserInputError("no user is named; expected DELETE /v1/users/NAME")
    gone = here.parts.store.delete_user(name)
    return DeletedUserAnswer(
        sessions=len(gone.sessions), slates=len(gone.slates), events=len(gone.events)
    )
