"""/v1/owner: what the owner's pages show, for those with the admin scope.

They know more than the API below them (what was learned, what can be run), so they are made here
and added to the server of a project. A server of several tenants has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, ConfigDict, Field

from agent.server.access import needs, scopes
from agent.server.context import Here
from retrieval.retriever import Retriever
from ui.owner import catalog, learning, looking
from ui.owner.runs import Runs

Json = dict[str, Any]

ROUNDS = "rounds"
ADAPTERS = "adapters"


class NewRun(BaseModel):
    """Which run to start."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "drift"}]})

    name: str = Field(max_length=80)


def add_owner_routes(app: FastAPI, folder: Path, runs: Runs) -> None:
    """Add the owner's routes to the server of a project.

    Args:
        folder: The project directory.
        runs: Of that project.
    """
    app.include_router(_router(folder, runs))
    scopes(app)


def _router(folder: Path, runs: Runs) -> APIRouter:
    router = APIRouter(prefix="/v1/owner", tags=["owner"], dependencies=[needs("admin")])

    @router.get("/sessions")
    def sessions(here: Here, limit: int = 50) -> list[Json]:
        """List the conversations that went on last, newest first."""
        return looking.sessions(here.parts.store, limit)

    @router.get("/sessions/{session_id}/turns/{number}")
    def turn(session_id: str, number: int, here: Here) -> Json:
        """Take one turn apart."""
        return looking.inspected(here.parts.store, here.retriever, session_id, number)

    @router.get("/catalog")
    def health(here: Here) -> Json:
        """Tell how healthy the catalog is."""
        assert isinstance(here.retriever, Retriever)
        return catalog.health(here.retriever, here.parts.store, folder)

    @router.get("/feedback")
    def feedback(here: Here) -> Json:
        """Count what people did, and say what looks wrong with it."""
        return learning.feedback(here.parts.store)

    @router.get("/learning")
    def adapters() -> Json:
        """Tell the adapters with what the gate measured, their history, and the rounds."""
        return {
            **learning.adapters(folder / ADAPTERS), "rounds": learning.rounds(folder / ROUNDS)
        }  # fmt: skip

    _add_runs(router, runs)
    return router


def _add_runs(router: APIRouter, runs: Runs) -> None:
    @router.get("/runs")
    def listed() -> Json:
        """List what can be run, and what was."""
        return {"choices": runs.choices(), "runs": [run.to_json() for run in runs.list()]}

    @router.post("/runs", status_code=202)
    def start(asked: NewRun) -> Json:
        """Start a run."""
        return runs.start(asked.name).to_json()

    @router.get("/runs/{id}")
    def run(id: str) -> Json:
        """Tell how a run stands."""
        return runs.get(id).to_json()

    @router.post("/runs/{id}:stop")
    def stop(id: str) -> Json:
        """Stop a run."""
        return runs.stop(id).to_json()
