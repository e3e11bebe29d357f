"""/v1/sessions: start, look at and delete a session."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Header, Response
from pydantic import BaseModel, ConfigDict, Field

from agent.errors import UnknownSession
from agent.feedback import FeedbackEvent
from agent.languages.languages import LANGUAGE
from agent.payload import TurnAnswer, turn_answer
from agent.server.access import needs
from agent.server.context import Here
from agent.service.openings import Greets, Opening
from agent.state import State
from agent.utterance import strip_control

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], dependencies=[needs("chat")])


class NewSession(BaseModel):
    """Who the session is for, where that is known, and the language it is answered in.

    Without `language` it is the first of Accept-Language that there are sentences in, else English.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"user": "ann"}]})

    user: str | None = Field(default=None, max_length=200)
    language: str | None = Field(default=None, pattern=LANGUAGE)


class NewSessionAnswer(BaseModel):
    """The id of a session; it cannot be guessed.

    `opening` is what the shop greets with, in the language that Accept-Language asks for, where it
    said so: show it before the first turn.
    """

    id: str
    language: str
    opening: Opening | None = None


class SessionAnswer(BaseModel):
    """A session with its state and every turn so far."""

    id: str
    user: str | None
    created: datetime
    state: State
    turns: list[TurnAnswer]


class SessionFeedback(BaseModel):
    """What was told of everything that a session was shown, oldest first."""

    events: list[FeedbackEvent]


@router.post("", status_code=201, response_model_exclude_none=True)
def create(
    here: Here,
    body: Annotated[NewSession | None, Body()] = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> NewSessionAnswer:
    """Start a session."""
    user = body.user if body else None
    asked = body.language if body else None
    language = here.parts.languages.asked(asked, accept_language) or "en"
    id = here.parts.store.create_session(strip_control(user) if user else None, language)
    desk = here.parts.desk
    opening = desk.opening(asked or accept_language) if isinstance(desk, Greets) else None
    return NewSessionAnswer(id=id, language=language, opening=opening)


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


@router.get("/{session_id}/feedback")
def feedback(session_id: str, here: Here) -> SessionFeedback:
    """Show the feedback on a session, so that a page can show votes again."""
    return SessionFeedback(events=here.parts.store.feedback(session_id))


@router.delete("/{session_id}", status_code=204, response_class=Response)
def remove(session_id: str, here: Here) -> None:
    """Delete a session with its turns, slates and feedback."""
    if not here.parts.store.delete_session(session_id):
        raise UnknownSession(f"no session {session_id[:64]!r}; it may be deleted already")
