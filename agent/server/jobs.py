"""/v1/jobs: look at the work in the background, and have what was given up tried again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from agent.jobs import Job, JobStatus
from agent.server.access import needs
from agent.server.context import Here

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], dependencies=[needs("admin")])


class JobAnswer(BaseModel):
    """One piece of work."""

    id: str
    kind: str
    status: JobStatus = Field(description="dead: given up after too many tries.")
    attempts: int = Field(description="How often it was begun.")
    created: datetime
    due: datetime = Field(description="Not before this moment, where it waits.")
    finished: datetime | None
    payload: dict[str, Any]
    error: str | None = Field(description="Why the last try failed.")
    result: dict[str, Any] | None


class JobsAnswer(BaseModel):
    """Jobs, newest first."""

    jobs: list[JobAnswer]


@router.get("")
def look(
    here: Here,
    status: JobStatus | None = None,
    kind: Annotated[str | None, Query(max_length=32)] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> JobsAnswer:
    """List jobs, newest first."""
    found = here.parts.store.work.list(status, kind, limit)
    return JobsAnswer(jobs=[job_answer(job) for job in found])


@router.get("/{job_id}")
def show(job_id: str, here: Here) -> JobAnswer:
    """Show one job."""
    return job_answer(here.parts.store.work.get(job_id))


@router.post("/{job_id}:retry")
def retry(job_id: str, here: Here) -> JobAnswer:
    """Have a job that was given up tried again, or one that waits tried now."""
    return job_answer(here.parts.store.work.retry(job_id))


def job_answer(job: Job) -> JobAnswer:
    """Return a job as it is answered."""
    return JobAnswer(
        id=job.id, kind=job.kind, status=job.status, attempts=job.attempts, created=job.created,
        due=job.due, finished=job.finished, payload=dict(job.payload), error=job.error,
        result=None if job.result is None else dict(job.result),
    )  # fmt: skip
