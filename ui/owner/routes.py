"""/v1/owner: what the owner's pages show and decide, for those with the admin scope.

They know more than the API below them (what was learned, what can be run), so they are made here
and added to the server of a project. A server of several tenants has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import StreamingResponse

from agent.server.access import needs, scopes
from agent.server.context import Here
from retrieval.retriever import Retriever
from ui.owner import catalog, experiments, figures, learning, looking, pairs
from ui.owner.bodies import NewRun
from ui.owner.decisions import add_decisions
from ui.owner.runs import Runs

Json = dict[str, Any]

_TEXT = {"schema": {"type": "string"}}
CSV: dict[int | str, Json] = {200: {"content": {"text/csv": _TEXT}}}
JSONL: dict[int | str, Json] = {200: {"content": {"application/jsonl": _TEXT}}}

Words = Annotated[str, Query(max_length=200)]

ROUNDS = "rounds"
ADAPTERS = "adapters"


def add_owner_routes(app: FastAPI, folder: Path, runs: Runs) -> None:
    """Add the owner's routes to the server of a project.

    Args:
        folder: The project directory.
        runs: Of that project.
    """
    router = APIRouter(prefix="/v1/owner", tags=["owner"], dependencies=[needs("admin")])
    _add_conversations(router)
    _add_catalog(router, folder)
    _add_learning(router, folder)
    _add_experiments(router, folder)
    _add_runs(router, runs)
    add_decisions(router, folder / ADAPTERS)
    app.include_router(router)
    scopes(app)


def _add_conversations(router: APIRouter) -> None:
    @router.get("/sessions")
    def sessions(
        here: Here, limit: int = 50, only: looking.Only = "all", words: Words = ""
    ) -> list[Json]:
        """List the conversations that went on last; or those with such a turn, or such words."""
        return looking.sessions(here.parts.store, limit, only, words)

    @router.get("/sessions/{session_id}")
    def session(session_id: str, here: Here) -> Json:
        """Tell a conversation turn by turn."""
        return looking.conversation(here.parts.store, session_id)

    @router.get("/sessions/{session_id}/turns/{number}")
    def turn(session_id: str, number: int, here: Here) -> Json:
        """Take one turn apart."""
        return looking.inspected(here.parts.store, here.retriever, session_id, number)


def _add_catalog(router: APIRouter, folder: Path) -> None:
    @router.get("/catalog")
    def health(here: Here) -> Json:
        """Tell how healthy the catalog is."""
        assert isinstance(here.retriever, Retriever)
        return catalog.health(here.retriever, here.parts.store, folder)

    @router.get("/catalog/never-shown.csv", response_class=StreamingResponse, responses=CSV)
    def never_shown(here: Here) -> StreamingResponse:
        """Give every item that was never shown, as CSV."""
        assert isinstance(here.retriever, Retriever)
        lines = catalog.never_shown(here.retriever, here.parts.store)
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8")


def _add_learning(router: APIRouter, folder: Path) -> None:
    counted = learning.Figures()

    @router.get("/feedback")
    def feedback(here: Here, days: int = learning.DAYS) -> Json:
        """Count what people did lately, and say what looks wrong with it."""
        return counted.of(here.parts.store, days)

    @router.get("/feedback/events")
    def told(here: Here, kind: str = "", days: int = learning.DAYS, limit: int = 50) -> list[Json]:
        """List what people told last, each with the turn that it is about."""
        return learning.events(here.parts.store, kind, days, limit)

    @router.get("/feedback/events.csv", response_class=StreamingResponse, responses=CSV)
    def told_csv(here: Here, kind: str = "", days: int = learning.DAYS) -> StreamingResponse:
        """Give all that people told, as CSV."""
        lines = learning.events_csv(here.parts.store, kind, days)
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8")

    @router.get("/learning")
    def adapters(here: Here) -> Json:
        """Tell the adapters with what the gate measured, their history, and the rounds."""
        at = here.adapters.router.status() if here.adapters is not None else None
        return {
            **learning.adapters(folder / ADAPTERS), "rounds": learning.rounds(folder / ROUNDS),
            "served": at is not None, "base": here.parts.voice,
            "problems": dict(at.problems) if at is not None else {},
        }  # fmt: skip

    @router.get("/pairs")
    def made_pairs() -> list[Json]:
        """List the preference pairs there are, with what was made of what."""
        return pairs.sets(folder)

    @router.get("/pairs/examples")
    def examples(name: str, kind: str = "") -> list[Json]:
        """Give some of the pairs of a set."""
        return pairs.examples(folder, name, kind)

    @router.get("/pairs/file", response_class=StreamingResponse, responses=JSONL)
    def file(name: str, file: str) -> StreamingResponse:
        """Give a file of a set of pairs."""
        return StreamingResponse(pairs.content(folder, name, file),
                                 media_type="application/jsonl")  # fmt: skip


def _add_experiments(router: APIRouter, folder: Path) -> None:
    @router.get("/experiments")
    def overview(here: Here) -> Json:
        """Tell the experiment under way with what people's choices say, and those before."""
        parts = here.parts
        told = experiments.overview(folder / ADAPTERS, parts.store, parts.voice)
        return {**told, "served": here.adapters is not None}

    @router.get("/experiments/past")
    def past(begun: str, here: Here) -> Json:
        """Tell what people's choices said in an experiment that has ended."""
        parts = here.parts
        return experiments.one_before(folder / ADAPTERS, parts.store, parts.voice, begun)


def _add_runs(router: APIRouter, runs: Runs) -> None:
    @router.get("/runs")
    def listed() -> Json:
        """List what can be run, and what was, with its figures."""
        return {"choices": runs.choices(),
                "runs": [run.to_json(whole=False) for run in runs.list()]}  # fmt: skip

    @router.post("/runs", status_code=202)
    def start(asked: NewRun) -> Json:
        """Start a run."""
        return runs.start(asked.name).to_json()

    @router.get("/runs/compared")
    def compared(first: str, second: str) -> Json:
        """Put two runs side by side, figure by figure."""
        before, after = runs.get(first), runs.get(second)
        both = {"first": before.to_json(whole=False), "second": after.to_json(whole=False)}
        return {**both, **figures.comparison(before.to_json(), after.to_json())}

    @router.get("/runs/{id}")
    def run(id: str) -> Json:
        """Tell how a run stands."""
        return runs.get(id).to_json()

    @router.post("/runs/{id}:stop")
    def stop(id: str) -> Json:
        """Stop a run."""
        return runs.stop(id).to_json()
