"""/v1/handovers: the conversations that wait for a person, for those who look after them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from agent.server.access import needs
from agent.server.context import Here
from agent.service.handover import described
from agent.service.values import HandoverReason
from agent.store_handovers import Handovers, HandoverStatus, StoredHandover

router = APIRouter(prefix="/v1/handovers", tags=["handovers"], dependencies=[needs("admin")])


class HandoverAnswer(BaseModel):
    """A conversation that a person is to take over."""

    id: str
    session_id: str
    turn_id: str
    reason: HandoverReason
    detail: str = Field(description="Which rule of the owner, where one made it.")
    status: HandoverStatus = Field(description="dead: its announcement was given up.")
    created: datetime
    changed: datetime


class HandoversAnswer(BaseModel):
    """Hand-overs, newest first."""

    handovers: list[HandoverAnswer]


class TranscriptTurn(BaseModel):
    """One turn of a transcript."""

    turn: int
    turn_id: str
    user: str
    bot: str
    items: list[dict[str, Any]]
    tools: list[dict[str, Any]]


class WholeHandover(HandoverAnswer):
    """A hand-over with the conversation up to now."""

    open: bool | None = Field(description="Whether somebody was there when it was made.")
    session: dict[str, Any]
    state: dict[str, Any]
    slate: list[dict[str, Any]]
    transcript: list[TranscriptTurn]


@router.get("")
def look(
    here: Here,
    status: HandoverStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> HandoversAnswer:
    """List hand-overs, newest first."""
    found = Handovers(here.parts.store.database).list(status, limit)
    return HandoversAnswer(handovers=[_answer(one) for one in found])


@router.get("/{handover_id}")
def show(handover_id: str, here: Here) -> WholeHandover:
    """Show a hand-over with the conversation up to now."""
    found = Handovers(here.parts.store.database).get(handover_id)
    told = described(here.parts.store, found)
    return WholeHandover.model_validate({**told, **asdict(found)})


@router.post("/{handover_id}:close")
def close(handover_id: str, here: Here) -> HandoverAnswer:
    """Be done with a hand-over: from the next turn on the bot goes on alone."""
    return _answer(Handovers(here.parts.store.database).close(handover_id))


def _answer(found: StoredHandover) -> HandoverAnswer:
    return HandoverAnswer.model_validate(asdict(found))
