"""/v1/adapters: which adapters answer, told to and decided by those who have the admin key."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from agent.adapter_desk import Adapters
from agent.server.access import Who, needs
from agent.server.context import Here

router = APIRouter(prefix="/v1", tags=["adapters"], dependencies=[needs("admin")])

MAX_WHY = 500


class Promotion(BaseModel):
    """Which adapter is to answer everybody."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "round-3-9f8e7d6c"}]}
    )

    name: str = Field(max_length=200)
    force: bool = Field(False, description="Whatever the gate says; it is recorded.")
    why: str = Field("", max_length=MAX_WHY)


class CanaryShare(Promotion):
    """Which adapter is to answer a share of the sessions that begin."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "round-3-9f8e7d6c", "share": 0.1}]},
    )

    share: float = Field(0.1, gt=0, lt=1)


class Return(BaseModel):
    """Why to go back to what answered before."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"why": "complaints"}]}
    )

    why: str = Field("", max_length=MAX_WHY)


class AdaptersAnswer(BaseModel):
    """Which adapters there are, and what answers here at this moment.

    What was decided a moment ago answers once it is loaded.
    """

    live: str | None
    canary: str | None
    experiment: str | None
    version: int
    loaded: dict[str, int] = Field(description="Adapters loaded, with the turns they are in.")
    problems: dict[str, str]
    adapters: dict[str, str] = Field(description="Every adapter's status.")


def _admitted(here: Here, who: Who) -> Adapters:
    """Return the adapters to whoever shows a key; where there is none, nothing is decided here."""
    adapters = here.adapters
    if adapters is None or (adapters.key is None and not who.proven):
        raise HTTPException(404, "no adapters are decided here: ATTUNE_ADMIN_KEY is not set")
    if not who.proven:
        raise HTTPException(403, "it takes the admin key, as Authorization: Bearer KEY")
    return adapters


Admitted = Annotated[Adapters, Depends(_admitted)]


@router.get("/adapters")
def look(adapters: Admitted) -> AdaptersAnswer:
    """Show which adapters there are and what answers."""
    return _answer(adapters)


@router.post("/adapters:promote")
def promote(asked: Promotion, adapters: Admitted) -> AdaptersAnswer:
    """Have an adapter that passed the gate answer everybody."""
    adapters.desk.promote(asked.name, force=asked.force, why=asked.why)
    return _answer(adapters)


@router.post("/adapters:canary")
def canary(asked: CanaryShare, adapters: Admitted) -> AdaptersAnswer:
    """Have an adapter that passed the gate answer a share of the sessions that begin."""
    adapters.desk.canary(asked.name, asked.share, force=asked.force, why=asked.why)
    return _answer(adapters)


@router.post("/adapters:rollback")
def rollback(adapters: Admitted, asked: Return | None = None) -> AdaptersAnswer:
    """Go back to what answered before, for everybody."""
    adapters.desk.rollback(why=asked.why if asked else "")
    return _answer(adapters)


def _answer(adapters: Adapters) -> AdaptersAnswer:
    adapters.router.wake()
    at = adapters.router.status()
    return AdaptersAnswer(
        live=at.live, canary=at.canary, experiment=at.experiment, version=at.version,
        loaded=at.held, problems=at.problems, adapters=adapters.desk.statuses(),
    )  # fmt: skip
