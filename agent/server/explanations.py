"""/v1/explanations: why an item fits what someone wants, from the item's own fields."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from agent.errors import UserInputError
from agent.payload import ExplainedItem, explained_item
from agent.server.context import Here
from agent.server.errors import UnknownItem
from agent.server.rows import ItemId
from agent.server.wishes import grounded, understood
from agent.state import State
from agent.utterance import clean_utterance

router = APIRouter(prefix="/v1/explanations", tags=["explanations"])


class Asked(BaseModel):
    """Which items to explain, for a session's wishes or for those of a text."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"item_ids": ["7"], "text": "a blue shirt under 60"}]},
    )

    item_ids: list[ItemId] = Field(min_length=1, max_length=100)
    session_id: str | None = None
    text: str | None = None


class Explanations(BaseModel):
    """The items in the order asked for, each with its reasons."""

    items: list[ExplainedItem]


@router.post("")
def explain(body: Asked, here: Here) -> Explanations:
    """Explain items: each reason is tied to the fields or wishes it was made from."""
    if body.session_id is None and body.text is None:
        raise UserInputError("explain for whom? give session_id, or text with what is wanted")
    retriever, state = here.retriever, State()
    if body.session_id is not None:
        state = here.parts.store.load(body.session_id).state
    if body.text is not None:
        text = clean_utterance(body.text, here.limits.characters)
        state = understood(here.parts, retriever, text, state)
    found = {item.id: item for item in retriever.get_many(body.item_ids)}
    missing = [id for id in body.item_ids if id not in found]
    if missing:
        raise UnknownItem(f"not in the catalog: {', '.join(repr(id[:200]) for id in missing)}")
    items = [found[id] for id in body.item_ids]
    return Explanations(
        items=[explained_item(item, grounded(item, state, retriever), retriever) for item in items]
    )
