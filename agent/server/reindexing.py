"""/v1/catalog:reindex: have the catalog's file read again, in the background."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from agent.jobs import NewJob
from agent.server.access import needs
from agent.server.context import Here
from agent.server.jobs import JobAnswer, job_answer

router = APIRouter(prefix="/v1", tags=["items"], dependencies=[needs("catalog")])

KIND = "reindex"


class Reindex(BaseModel):
    """How the file is taken."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})

    allow_delete: float | None = Field(
        None,
        strict=True,
        ge=0,
        le=1,
        description="Share of the items that may be deleted because the file does not name them; "
        "by default half of them, and none when rows cannot be read.",
    )


@router.post("/catalog:reindex", status_code=202)
def reindex(here: Here, body: Annotated[Reindex | None, Body()] = None) -> JobAnswer:
    """Bring the catalog to what its file says now; searches go on meanwhile.

    One that waits already is the answer: it will read the file as it is then.
    """
    work, payload = (
        here.parts.store.work,
        (body or Reindex(allow_delete=None)).model_dump(exclude_none=True),
    )
    waiting = [one for one in work.list("waiting", KIND) if one.payload == payload]
    if waiting:
        return job_answer(waiting[0])
    job = NewJob(KIND, payload)
    work.add(job)
    return job_answer(work.get(job.id))
