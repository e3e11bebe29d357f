"""/v1/sessions: start, look at and delete a session."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from agent.errors import UnknownSession
from agent.payload import TurnAnswer, turn_answer
from agent.server.access import needs
from agent.server.context import Here
from agent.state import State
from agent.utterance import strip_control

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], dependencies=[needs("chat")])


class NewSession(BaseModel):
    """Who the session is for, where that is known."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"user": "ann"}]})

    user: str | None = Field(default=None, max_length=200)


class SessionId(BaseModel):
    """The id of a session; it cannot be guessed."""

    id: str


class SessionAnswer(BaseModel):
    """A session with its state and every turn so far."""

    id: str
    user: str | None
    created: datetime
    state: State
    turns: list[TurnAnswer]


@router.post("", status_code=201)
def create(here: Here, body: Annotated[NewSession | None, Body()] = None) -> SessionId:
    """Start a session."""
    user = body.user if body else None
    return SessionId(id=here.parts.store.create_session(strip_control(user) if user else None))


@router.get("/{session_id}")
def show(session_id: str, here: Here) -> SessionAnswer:
    """Show a session: its state, and its turns as they were answered."""
    store, retriever = here.parts.store, here.retriever
    session = store.load(session_id)
    return SessionAnswer(
        id=session.id,
        user=session.user,
        created=session.created,
        state=session.state,
        turns=[turn_answer(done, retriever) for done in store.turns(session_id)],
    )


@router.delete("/{session_id}", status_code=204, response_class=Response)
def remove(session_id: str, here: Here) -> None:
    """Delete a session with its turns, slates and feedback."""
    if not here.parts.store.delete_session(session_id):
        raise UnknownSession(f"no session {session_id[:64]!r}; it may be deleted already")
