"""/v1/items: look at, store and delete items of the catalog while it is served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from agent.errors import UserInputError
from agent.payload import ItemDetail, item_answer
from agent.server.access import needs
from agent.server.context import Context, Here
from agent.server.errors import UnknownItem
from agent.server.rows import ItemId, read_row, read_stored
from agent.utterance import strip_control
from retrieval.catalog import Item
from retrieval.errors import CatalogError
from retrieval.loading.mapping import Mapping

router = APIRouter(prefix="/v1", tags=["items"])


class Upsert(BaseModel):
    """Items to add or replace: rows in the catalog's own columns, or in the form GET gives."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"items": [{"id": "15", "title": "Teal shirt", "price": 30}]}]
        },
    )

    items: list[Any] = Field(min_length=1)
    form: Literal["catalog", "stored"] = Field(
        "catalog",
        description="stored: each item exactly as the catalog keeps it, under id, title, "
        "description, fields, currency, image and url; nothing is read out of its texts.",
    )


class Rejected(BaseModel):
    """A row that was not stored: its place in the request, its id where it has one, and why."""

    row: int
    id: str | None
    reason: str


class UpsertAnswer(BaseModel):
    """How many items are stored (durably), and the rows that are not."""

    stored: int
    rejected: list[Rejected]


class Delete(BaseModel):
    """Ids of items to delete."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"ids": ["15", "16"]}]}
    )

    ids: list[ItemId] = Field(min_length=1)


class DeleteAnswer(BaseModel):
    """How many of the ids were there."""

    deleted: int


def _check_batch(sent: Sequence[Any], here: Context) -> None:
    if len(sent) > here.limits.batch:
        raise UserInputError(f"{len(sent)} at once; at most {here.limits.batch} are taken")


def _id_of(row: Any, mapping: Mapping) -> str | None:
    names = [column.name for column in mapping.using("id")]
    cells = [row.get(name) for name in (*names, "id")] if isinstance(row, dict) else []
    id = next((cell for cell in cells if cell is not None), None)
    return None if id is None else strip_control(str(id))[:200]


@router.post("/items:upsert", dependencies=[needs("catalog")])
def upsert(body: Upsert, here: Here) -> UpsertAnswer:
    """Add or replace items; the good rows are stored, the bad ones reported."""
    _check_batch(body.items, here)
    retriever = here.retriever
    mapping, facets = retriever.mapping, retriever.facets
    items: list[Item] = []
    rejected: list[Rejected] = []
    for place, row in enumerate(body.items):
        try:
            stored = body.form == "stored"
            items.append(read_stored(row, facets) if stored else read_row(row, mapping, facets))
        except CatalogError as error:
            rejected.append(Rejected(row=place, id=_id_of(row, mapping), reason=str(error)))
    if items:
        retriever.upsert(items)
    return UpsertAnswer(stored=len({item.id for item in items}), rejected=rejected)


@router.post("/items:delete", dependencies=[needs("catalog")])
def delete(body: Delete, here: Here) -> DeleteAnswer:
    """Delete items; ids that are not there are no error."""
    _check_batch(body.ids, here)
    return DeleteAnswer(deleted=here.retriever.delete(body.ids))


@router.get("/items/{item_id:path}", dependencies=[needs("chat")])
def show(item_id: str, here: Here) -> ItemDetail:
    """Show an item as the catalog has it now."""
    found = here.retriever.get_many([item_id])
    if not found:
        raise UnknownItem(f"no item {item_id[:200]!r} in the catalog")
    return item_answer(found[0], here.retriever)
