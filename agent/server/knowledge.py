"""/v1/knowledge: the shop's own pages, sent, listed and removed while the shop is served."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from starlette.exceptions import HTTPException

from agent.errors import UserInputError
from agent.knowledge import Library, Upload
from agent.server.access import needs
from agent.server.context import Context, Here

router = APIRouter(prefix="/v1/knowledge", tags=["knowledge"], dependencies=[needs("catalog")])

MOST_FILES = 200


_BASE64 = {"type": "string", "format": "byte", "contentEncoding": "base64"}


def _decoded(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError(f"it is no base64: {error}") from error


class File(BaseModel):
    """A page: Markdown, HTML, PDF, plain text, or CSV of questions and answers."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1,
        max_length=200,
        description="Name of the source; its ending says what it is. A source of the same name is "
        "replaced.",
    )
    text: str | None = Field(None, description="What is in it, where it is text.")
    base64: Annotated[bytes, BeforeValidator(_decoded), WithJsonSchema(_BASE64)] | None = Field(
        None, description="What is in it, for any kind."
    )

    @model_validator(mode="after")
    def _holds_one(self) -> File:
        if (self.text is None) == (self.base64 is None):
            raise ValueError("expected either text or base64")
        return self

    def upload(self) -> Upload:
        """Return the file as it is read."""
        content = self.base64
        if content is None:
            content = (self.text or "").encode("utf-8", "replace")
        return Upload(self.name, content)


class Files(BaseModel):
    """Pages to add or replace."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "files": [
                        {
                            "name": "returns.md",
                            "text": "# Returns\n\nYou can return anything within 30 days.",
                        }
                    ]
                }
            ]
        },
    )

    files: list[File] = Field(min_length=1, max_length=MOST_FILES)


class Taken(BaseModel):
    """What was taken in: safe on disk, and indexed by a job."""

    job: str = Field(description="GET /v1/jobs/{id} says when it is done (scope admin).")
    sources: list[str]
    rejected: list[str] = Field(description="A line for each file that was not taken.")


class SourceAnswer(BaseModel):
    """A source as indexed."""

    name: str
    passages: int
    url: str | None


class Sources(BaseModel):
    """The sources that are indexed."""

    sources: list[SourceAnswer]


class Removed(BaseModel):
    """How many passages a source had."""

    passages: int


def _library(here: Context) -> Library:
    if here.library is None:
        raise HTTPException(404, "no pages can be kept here: no project directory is served")
    return here.library


@router.post("", status_code=202)
def add(body: Files, here: Here) -> Taken:
    """Add pages, in place of those of the same name; answers are quoted from them soon after."""
    received = _library(here).receive([file.upload() for file in body.files])
    if received.job is None:
        raise UserInputError("; ".join(received.errors))
    here.parts.store.work.add(received.job)
    return Taken(
        job=received.job.id, sources=list(received.sources), rejected=list(received.errors)
    )


@router.get("")
def look(here: Here) -> Sources:
    """List the sources that are indexed."""
    found = _library(here).sources()
    return Sources(
        sources=[SourceAnswer(name=s.name, passages=s.passages, url=s.url) for s in found]
    )


@router.delete("/{source:path}")
def remove(source: Annotated[str, Path(max_length=200)], here: Here) -> Removed:
    """Remove a source; nothing is quoted from it any more."""
    return Removed(passages=_library(here).remove(source))
