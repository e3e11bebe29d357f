"""/v1/models: what answers here, in the shape OpenAI's clients expect."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from agent.server.access import needs
from agent.server.context import Here

router = APIRouter(prefix="/v1/models", tags=["models"], dependencies=[needs("chat")])


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


@router.get("")
def models(here: Here) -> ModelsAnswer:
    """List what plans the turns: the rules, the language model, the adapters that answer."""
    listed = [ModelAnswer(id=name) for name in here.models]
    if here.adapters is not None:
        names = here.adapters.router.answering()
        listed += [ModelAnswer(id=name, parent=here.models[-1]) for name in names]
    return ModelsAnswer(data=listed)
