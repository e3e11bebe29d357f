"""What a shopping page shows beside a conversation: wishes as chips, quick replies, facets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from agent.chips import Chip, chips_of
from agent.languages.languages import LANGUAGE
from agent.quick import QuickReply, examples, quick_replies
from agent.server.access import needs
from agent.server.context import Here
from retrieval.catalog import FacetKind, Role

router = APIRouter(prefix="/v1", tags=["suggestions"], dependencies=[needs("chat")])

MOST_VALUES = 100

Asked = Annotated[str | None, Query(pattern=LANGUAGE, description="E.g. zh or zh-CN.")]


class Suggestions(BaseModel):
    """The wishes of a session one by one, and what may be said next."""

    wishes: list[Chip]
    replies: list[QuickReply]


class ValueCount(BaseModel):
    """A value, what people call it in the language asked for, and how many items have it."""

    value: str
    label: str
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
def suggestions(session_id: str, here: Here, language: Asked = None) -> Suggestions:
    """Return the wishes of a session as chips, each with the press that takes it back.

    They are in the language of the session, unless another one is asked for.
    """
    state, retriever = here.parts.store.load(session_id).state, here.retriever
    tongue = here.parts.languages.tongue(language or state.language)
    wishes = list(chips_of(state.need, retriever, tongue))
    return Suggestions(wishes=wishes, replies=list(quick_replies(state, retriever, tongue)))


@router.get("/facets")
def facets(here: Here, language: Asked = None) -> Facets:
    """Return what items can be searched by, with counts; labels in the language asked for."""
    retriever, tongue = here.retriever, here.parts.languages.tongue(language or "en")
    listed = [
        FacetAnswer(
            name=facet.name, label=tongue.label(facet.name, facet.label), kind=facet.kind,
            role=facet.role, unit=facet.unit, coverage=facet.coverage,
            low=facet.low, high=facet.high,
            values=[
                ValueCount(value=v, label=tongue.value(facet.name, v), count=n)
                for v, n in facet.values[:MOST_VALUES]
            ],
        )
        for facet in retriever.facets
    ]  # fmt: skip
    return Facets(
        catalog=retriever.name, items=retriever.index.count(None),
        currency=retriever.currency, facets=listed,
        examples=list(examples(retriever, tongue)),
    )  # fmt: skip
