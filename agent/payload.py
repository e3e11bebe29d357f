"""A turn as JSON: the one shape that the HTTP API, its event stream and `attune ask` give out.

Items are rendered from what was stored when they were shown, so that an item that has since
changed or gone still reads as the user saw it; the catalog only fills what was not stored. Texts
that others wrote leave here plain, and addresses only where they are http(s) (`agent.safe_text`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from agent.plan import Plan
from agent.ports import Retriever
from agent.safe_text import plain, plain_values, safe_picture, safe_url
from agent.service.values import Service
from agent.state import State
from agent.turn import Done, Evidence, Reason, Relaxation, Slate, SlateItem, Written
from retrieval.catalog import Facet, Item, Role, primary

_OWN = ("id", "title", "description", "currency", "image", "url", "price")


class ItemAnswer(BaseModel):
    """An item of the catalog.

    `id` is the catalog's own; `price` is in units of `currency`; `brand`, `category` and
    `availability` are the facets that mean these, and `attributes` holds every other field.
    `withheld` names addresses that are not given out, since they are not http(s).
    """

    id: str
    title: str
    price: float | None = None
    currency: str | None = None
    brand: Any = None
    category: Any = None
    availability: Any = None
    image: str | None = None
    url: str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)
    withheld: list[str] = Field(default_factory=list, exclude_if=lambda names: not names)


class ItemDetail(ItemAnswer):
    """An item with its full description."""

    description: str = ""


class EvidenceAnswer(Evidence):
    """What a reason rests on; `reason` is its place in the item's list of reasons."""

    reason: int


class ExplainedItem(ItemAnswer):
    """An item with why it fits, and what each reason rests on."""

    reasons: list[str]
    evidence: list[EvidenceAnswer]


class ShownItem(ExplainedItem):
    """An item of a slate, with its place there."""

    rank: int
    score: float


class TurnAnswer(BaseModel):
    """A whole turn: what was understood, what is shown and what is said."""

    turn_id: str
    session_id: str
    slate_id: str
    utterance: str
    reply: str
    items: list[ShownItem]
    state: State
    plan: Plan
    timings: dict[str, float]
    planner: str
    written: list[Written]
    relaxations: list[Relaxation]
    notes: list[str]
    claims: list[Reason]
    service: Service | None = None
    voice: str | None = None


def _one(fields: dict[str, Any], facets: tuple[Facet, ...], role: Role) -> Any:
    """Take the field with a role out of the fields; its facet's name or the role's own."""
    facet = primary(facets, role)
    own = fields.pop(facet.name, None) if facet else None
    return fields.pop(role, None) if own is None else own


def _card(id: str, fields: Mapping[str, Any], facets: tuple[Facet, ...]) -> dict[str, Any]:
    left = dict(fields)
    own = {name: left.pop(name, None) for name in _OWN}
    card = {**own, "title": own["title"] or id, "description": own["description"] or ""}
    card |= {role: _one(left, facets, role) for role in ("brand", "category", "availability")}
    safe = {"image": safe_picture(own["image"]), "url": safe_url(own["url"])}
    withheld = [name for name, address in safe.items() if own[name] and address is None]
    shown: dict[str, Any] = plain_values({**card, "attributes": left})
    return {**shown, **safe, "id": id, "withheld": withheld}


def _fields(item: Item, retriever: Retriever) -> dict[str, Any]:
    own = {"title": item.title, "description": item.description, "image": item.image,
           "url": item.url, "currency": item.currency or retriever.currency}  # fmt: skip
    return {**item.fields, **own}


def item_answer(item: Item, retriever: Retriever) -> ItemDetail:
    """Return an item of the catalog as JSON carries it."""
    return ItemDetail(**_card(item.id, _fields(item, retriever), retriever.facets))


def explained_item(item: Item, reasons: Sequence[Reason], retriever: Retriever) -> ExplainedItem:
    """Return an item of the catalog with reasons."""
    card = _card(item.id, _fields(item, retriever), retriever.facets)
    return ExplainedItem(**card, **_explained(reasons))


def items_answer(slate: Slate, retriever: Retriever) -> list[ShownItem]:
    """Return the items of a slate as they were shown."""
    known = {item.id: item for item in retriever.get_many([one.item_id for one in slate.items])}
    return [_shown(one, known.get(one.item_id), retriever) for one in slate.items]


def _shown(one: SlateItem, item: Item | None, retriever: Retriever) -> ShownItem:
    now = _fields(item, retriever) if item else {"currency": retriever.currency}
    card = _card(one.item_id, {**now, **one.fields}, retriever.facets)
    return ShownItem(**card, **_explained(one.reasons), rank=one.rank, score=one.score)


def _explained(reasons: Sequence[Reason]) -> dict[str, Any]:
    evidence = [
        {**rest.model_dump(), "reason": place}
        for place, reason in enumerate(reasons)
        for rest in reason.evidence
    ]
    return {"reasons": [plain(reason.text) for reason in reasons], "evidence": evidence}


def turn_answer(done: Done, retriever: Retriever) -> TurnAnswer:
    """Return a finished turn as JSON carries it."""
    return TurnAnswer(
        turn_id=done.turn_id,
        session_id=done.session_id,
        slate_id=done.slate.id,
        utterance=done.utterance,
        reply=done.reply,
        items=items_answer(done.slate, retriever),
        state=done.state,
        plan=done.plan,
        timings=done.timings,
        planner=done.planner,
        written=list(done.written),
        relaxations=list(done.relaxations),
        notes=list(done.notes),
        claims=list(done.claims),
        service=done.service,
        voice=done.voice,
    )


def turn_json(done: Done, retriever: Retriever) -> dict[str, Any]:
    """Return a finished turn as plain JSON values."""
    return turn_answer(done, retriever).model_dump(mode="json")
