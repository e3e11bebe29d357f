"""What a shopping page shows beside a conversation: wishes as chips, quick replies, facets."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from agent.chips import Chip, chips_of
from agent.quick import QuickReply, examples, quick_replies
from agent.server.access import needs
from agent.server.context import Here
from retrieval.catalog import FacetKind, Role

router = APIRouter(prefix="/v1", tags=["suggestions"], dependencies=[needs("chat")])

MOST_VALUES = 100


class Suggestions(BaseModel):
    """The wishes of a session one by one, and what may be said next."""

    wishes: list[Chip]
    replies: list[QuickReply]


class ValueCount(BaseModel):
    """A value and how many items have it."""

    value: str
    count: int


class FacetAnswer(BaseModel):
    """A property that items can be searched by.

    Args:
        unit: Currency of a price, else a unit, where known.
        coverage: Share of items that have a value.
        values: The most frequent values (categorical, list, boolean), at most 100.
        low, high: Smallest and largest value (numeric).
    """

    name: str
    label: str
    kind: FacetKind
    role: Role | None
    unit: str | None
    coverage: float
    values: list[ValueCount]
    low: float | None
    high: float | None


class Facets(BaseModel):
    """The catalog's name and number of items, its facets, and openings that it can meet."""

    catalog: str
    items: int
    currency: str | None
    facets: list[FacetAnswer]
    examples: list[QuickReply]


@router.get("/sessions/{session_id}/suggestions")
def suggestions(session_id: str, here: Here) -> Suggestions:
    """Return the wishes of a session as chips, each with the press that takes it back."""
    state, retriever = here.parts.store.load(session_id).state, here.retriever
    wishes = list(chips_of(state.need, retriever))
    return Suggestions(wishes=wishes, replies=list(quick_replies(state, retriever)))


@router.get("/facets")
def facets(here: Here) -> Facets:
    """Return what items can be searched by, with counts."""
    retriever = here.retriever
    listed = [
        FacetAnswer(
            name=facet.name, label=facet.label, kind=facet.kind, role=facet.role, unit=facet.unit,
            coverage=facet.coverage, low=facet.low, high=facet.high,
            values=[ValueCount(value=v, count=n) for v, n in facet.values[:MOST_VALUES]],
        )
        for facet in retriever.facets
    ]  # fmt: skip
    return Facets(
        catalog=retriever.name, items=retriever.index.count(None),
        currency=retriever.currency, facets=listed,
        examples=list(examples(retriever)),
    )  # fmt: skip
