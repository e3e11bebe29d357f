"""/v1/models: what answers here, in the shape OpenAI's clients expect."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from agent.server.context import Here

router = APIRouter(prefix="/v1/models", tags=["models"])


class ModelAnswer(BaseModel):
    """One model by name."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "attune"


class ModelsAnswer(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelAnswer]


@router.get("")
def models(here: Here) -> ModelsAnswer:
    """List what plans the turns: the language model where one is set, and the rules."""
    return ModelsAnswer(data=[ModelAnswer(id=name) for name in here.models])
