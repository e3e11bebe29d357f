"""/v1/models: what answers here, in the shape OpenAI's clients expect."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from agent.dialogue import Parts
from agent.planner import RulePlanner
from agent.server.access import needs
from agent.server.asked import Refused
from agent.server.completions_errors import OpenAIErrorAnswer
from agent.server.context import Context, Here
from agent.voice import RULES

router = APIRouter(
    prefix="/v1/models", tags=["models"], dependencies=[needs("chat")],
    responses={"4XX": {"model": OpenAIErrorAnswer}, "5XX": {"model": OpenAIErrorAnswer}},
)  # fmt: skip

DEFAULT = "attune"
"""The model that is always there: whatever answers here now."""


class ModelAnswer(BaseModel):
    """One model by name.

    Args:
        parent: The model an adapter stands on.
    """

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "attune"
    parent: str | None = None


class ModelsAnswer(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelAnswer]


def answering_models(here: Context) -> list[ModelAnswer]:
    """Return all models by which an answer can be asked for."""
    listed = [ModelAnswer(id=name) for name in dict.fromkeys((DEFAULT, *here.models))]
    if here.adapters is not None:
        names = here.adapters.router.answering()
        listed += [ModelAnswer(id=name, parent=here.models[-1]) for name in names]
    return listed


def parts_of(here: Context, model: str) -> Parts:
    """Return what a turn is made with that asks for a model.

    "rules" is answered without a language model. All other names are answered by whom the server
    routes to: which adapter answers whom is its owner's to decide.
    """
    if model != RULES or (here.parts.voice == RULES and here.parts.router is None):
        return here.parts
    rules = RulePlanner(here.retriever.facets)
    return replace(
        here.parts, planner=rules, explainer=None, chooser=None, voice=RULES, router=None
    )


@router.get("")
def models(here: Here) -> ModelsAnswer:
    """List what can answer: whatever is routed to, the rules, the language model, adapters."""
    return ModelsAnswer(data=answering_models(here))


@router.get("/{id:path}")
def model(id: str, here: Here) -> ModelAnswer:
    """Show one of the models."""
    found = next((one for one in answering_models(here) if one.id == id), None)
    if found is None:
        raise unknown_model(id)
    return found


def unknown_model(name: str) -> Refused:
    """Return that there is no model of a name."""
    return Refused(f"no model {name[:100]!r}; GET /v1/models lists those there are",
                   "model", "model_not_found", 404)  # fmt: skip
