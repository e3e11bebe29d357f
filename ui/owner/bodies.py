"""What is sent to /v1/owner."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_WHY = 500
MOST_ARMS = 8

Share = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewRun(_Body):
    """Which run to start."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "drift"}]})

    name: str = Field(max_length=80)


class Why(_Body):
    """The reason of a decision, for the history, and how things stood for who decides."""

    why: str = Field("", max_length=MAX_WHY)
    version: int | None = Field(
        None,
        description="As `GET /v1/owner/learning` told it; where something else was decided since, "
        "this is refused.",
    )


class Chosen(Why):
    """An adapter that is decided on."""

    name: Name
    force: bool = Field(False, description="Whatever the gate says; it is recorded.")


class Shared(Chosen):
    """An adapter, and the share of the sessions that begin that it is to answer."""

    share: Share


class Arms(Why):
    """How the sessions that begin are shared out: by adapter, "base" for the model without one."""

    arms: dict[Name, Share] = Field(min_length=2, max_length=MOST_ARMS)


class NewExperiment(Arms):
    """Which experiment to begin."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"title": "taste", "arms": {"base": 0.5, "round-3-9f8e7d6c": 0.5}}]
        },
    )

    title: str = Field(min_length=1, max_length=120)
    interleaved: bool = Field(
        False, description="Both rankings take turns in each slate, instead of sessions shared out."
    )
    force: bool = Field(False, description="Whatever the gate says; it is recorded.")
