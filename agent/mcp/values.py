"""What the tools take and give, as the schemas that a calling model reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.payload import ItemAnswer, ItemDetail, ShownItem
from agent.server.rows import ItemId
from agent.utterance import MAX_CHARACTERS

MOST = 50
MOST_COMPARED = 6

Id = Annotated[ItemId, Field(min_length=1, max_length=1_000, description="An item's id.")]
Ids = Annotated[list[Id], Field(min_length=1, max_length=20, description="Item ids.")]
K = Annotated[int, Field(ge=1, le=MOST, description="How many items, at most.")]
SessionId = Annotated[
    str | None,
    Field(max_length=64, description="session_id of an earlier answer, to go on from there."),
]
Words = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_CHARACTERS,
        description="In plain words, as a shopper would say it.",
    ),
]


class Comparison(BaseModel):
    """One hard condition on a facet of the catalog, or on the item's text."""

    model_config = ConfigDict(extra="forbid")

    facet: str = Field(
        description="Name of a facet, from the resource attune://catalog; 'text' for words of an "
        "item's title and description, with contains or not_contains."
    )
    op: Literal[
        "eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte", "contains", "not_contains"
    ]  # fmt: skip
    value: str | float | bool | list[str] = Field(
        description="A value as the catalog spells it; a list for in and not_in."
    )


class Sort(BaseModel):
    """An order instead of relevance."""

    model_config = ConfigDict(extra="forbid")

    facet: str = Field(description="A numeric or date facet, e.g. price.")
    direction: Literal["ascending", "descending"] = "ascending"


class Result(ItemAnswer):
    """An item that was found, best first by rank from 1."""

    rank: int


class Recommended(Result):
    """An item with why it fits: each reason was checked against the catalog."""

    reasons: list[str]

    @classmethod
    def of(cls, one: ShownItem) -> Recommended:
        """Return a shown item without what only a program needs."""
        return cls.model_validate(one.model_dump(include=set(cls.model_fields)))


class SearchAnswer(BaseModel):
    """Items that meet every condition; `matched` counts all of them."""

    items: list[Result]
    matched: int


class RecommendAnswer(BaseModel):
    """One turn of a conversation.

    `reply` is what the shop says. `relaxations` name wishes that nothing in the catalog meets
    together: where there are any, the items are the closest, not exact. `needs_human` says that a
    person of the shop takes over.
    """

    session_id: str
    turn_id: str
    slate_id: str
    reply: str
    items: list[Recommended]
    relaxations: list[str]
    needs_human: bool = False


class SimilarAnswer(BaseModel):
    """Items like another but changed as asked; every one meets all hard conditions.

    Where none does, `items` is empty, `closest` holds the nearest ones and `relaxations` says what
    each of them gives up.
    """

    reference: ItemAnswer
    understood: list[str] = Field(description="The hard conditions, as they were understood.")
    not_understood: list[str] = Field(
        description="Words of the change that nothing in this catalog answers to: without effect."
    )
    slate_id: str
    items: list[Recommended]
    closest: list[Recommended]
    relaxations: list[str]


class ExplainedAnswer(BaseModel):
    """Why items fit, or do not: one entry per item, in the order asked for."""

    items: list[ExplainedOne]


class ExplainedOne(ItemAnswer):
    """An item with checked reasons and the same in words."""

    reasons: list[str]
    explanation: str


class ComparedRow(BaseModel):
    """One facet across the items; empty text where the catalog says nothing."""

    facet: str
    label: str
    values: list[str]
    best: list[bool] = Field(description="Which values are the best, where one side is better.")
    differs: bool


class CompareAnswer(BaseModel):
    """Items side by side, in the order given: rows that differ come first."""

    items: list[ItemAnswer]
    rows: list[ComparedRow]
    summary: str


class FeedbackAnswer(BaseModel):
    """The id of the stored event."""

    id: str


class FacetAnswer(BaseModel):
    """One facet: its kind and meaning, its most frequent values with counts, or its range."""

    name: str
    label: str
    kind: str
    role: str | None
    unit: str | None
    values: list[tuple[str, int]]
    low: float | None
    high: float | None


class CatalogAnswer(BaseModel):
    """The catalog: how many items, in which currency, described by which facets."""

    name: str
    items: int
    currency: str | None
    facets: list[FacetAnswer]


class ItemFull(ItemDetail):
    """One item with its full description and all its fields."""
