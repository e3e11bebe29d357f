"""/v1/recommendations: a feed, without taking a turn."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agent.dialogue import item_fields
from agent.feedback import new_id
from agent.languages.languages import LANGUAGE
from agent.languages.tongue import Tongue
from agent.payload import ShownItem, items_answer
from agent.recommend import Recommendation, recommend
from agent.server.access import needs
from agent.server.context import Context, Here
from agent.server.rows import whole
from agent.server.taking import paid
from agent.server.wishes import filtered, grounded, read_filter, understood
from agent.state import State
from agent.turn import Relaxation, Slate, SlateItem
from agent.utterance import clean_utterance
from retrieval.filters import matches

router = APIRouter(
    prefix="/v1/recommendations", tags=["recommendations"], dependencies=[needs("chat")]
)


class Wanted(BaseModel):
    """What to recommend: for a session's wishes, a text, a filter, or nothing in particular.

    `language` is that of the reasons; without, the session's, else English.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"filter": {"facet": "price", "op": "lte", "value": 50}, "k": 3}]
        },
    )

    session_id: str | None = None
    text: str | None = None
    filter: Annotated[dict[str, Any] | None, AfterValidator(whole)] = None
    language: str | None = Field(default=None, pattern=LANGUAGE)
    k: int = Field(default=10, ge=1, le=100)


class Feed(BaseModel):
    """Items in rank order; feedback on them goes to `slate_id`, as after a turn."""

    slate_id: str
    items: list[ShownItem]
    matched: int
    relaxations: list[Relaxation]


@router.post("", dependencies=[paid])
def feed(body: Wanted, here: Here) -> Feed:
    """Recommend items: a filter always holds, other wishes may be relaxed by name."""
    retriever = here.retriever
    state = _state(body, here)
    found = recommend(retriever, state, k=body.k, tongue=_tongue(state, here))
    slate = _slate(found, body, state, here)
    here.parts.store.record_slate(slate, body.session_id, policy="feed")
    return Feed(
        slate_id=slate.id,
        items=items_answer(slate, retriever),
        matched=found.matched,
        relaxations=list(found.relaxations),
    )


def _tongue(state: State, here: Context) -> Tongue:
    return here.parts.languages.tongue(state.language)


def _state(body: Wanted, here: Context) -> State:
    state = here.parts.store.load(body.session_id).state if body.session_id else State()
    asked = here.parts.languages.asked(body.language)
    state = state.model_copy(update={"language": asked}) if asked else state
    if body.text is not None and body.text.strip():
        text = clean_utterance(body.text, here.limits.characters)
        state = understood(here.parts, here.retriever, text, state)
    if body.filter is not None:
        state = filtered(state, read_filter(body.filter), here.retriever.facets)
    return state


def _slate(found: Recommendation, body: Wanted, state: State, here: Context) -> Slate:
    """Return the slate to show; an item that only a relaxed filter lets in is not on it."""
    strict = read_filter(body.filter) if body.filter is not None else None
    tongue = _tongue(state, here)
    kept = [one for one in found.candidates if matches(strict, one.item)]
    items = tuple(
        SlateItem(
            item_id=one.item.id,
            rank=rank,
            score=one.score,
            fields=item_fields(one.item),
            reasons=grounded(one.item, state, here.retriever, tongue),
        )
        for rank, one in enumerate(kept, start=1)
    )
    return Slate(id=new_id(), items=items)
