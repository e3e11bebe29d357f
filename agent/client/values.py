"""What Attune answers, as values. Fields that a newer server adds are kept and do no harm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Json = Mapping[str, Any]

FeedbackKind = Literal[
    "impression", "click", "select", "reject", "critique", "rating", "edit", "dwell", "purchase"
]


class Value(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Evidence(Value):
    """What a reason rests on.

    Args:
        reason: Place of the reason in the item's list, from 0.
    """

    kind: str
    item_id: str
    facet: str | None = None
    value: Any = None
    wish: str | None = None
    other_id: str | None = None
    reason: int | None = None


class Item(Value):
    """An item of the catalog."""

    id: str
    title: str
    price: float | None = None
    currency: str | None = None
    brand: Any = None
    category: Any = None
    availability: Any = None
    image: str | None = None
    url: str | None = None
    attributes: Json = Field(default_factory=dict)
    withheld: tuple[str, ...] = ()


class ItemDetail(Item):
    """An item with its description."""

    description: str = ""


class ShownItem(Item):
    """An item as it was shown: why, at which rank."""

    reasons: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    rank: int
    score: float


class Turn(Value):
    """What was understood, what is shown and what is said.

    Args:
        service: What the service desk did: quotes with their source, tools, a hand-over.
    """

    turn_id: str
    session_id: str
    slate_id: str
    utterance: str
    reply: str
    items: tuple[ShownItem, ...]
    state: Json
    plan: Json
    timings: Mapping[str, float] = Field(default_factory=dict)
    planner: str = ""
    written: tuple[Json, ...] = ()
    relaxations: tuple[Json, ...] = ()
    notes: tuple[str, ...] = ()
    claims: tuple[Json, ...] = ()
    service: Json | None = None
    voice: str | None = None


class Understood(Value):
    """First event of a turn: what was recognised and will be done."""

    plan: Json
    state: Json


class Items(Value):
    """What is shown, before any words."""

    slate_id: str
    items: tuple[ShownItem, ...]


class Words(Value):
    """The next piece of the reply."""

    delta: str


class Done(Value):
    """Last event: the whole turn."""

    turn: Turn


Event = Understood | Items | Words | Done


class Session(Value):
    """A session as it stands, with all its turns."""

    id: str
    user: str | None
    created: str
    state: Json
    turns: tuple[Turn, ...]


class Feed(Value):
    """Items recommended without a turn; feedback on them goes to `slate_id`."""

    slate_id: str
    items: tuple[ShownItem, ...]
    matched: int
    relaxations: tuple[Json, ...] = ()


class Explanation(Item):
    """Why an item fits, as reasons and in words."""

    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    explanation: str
    written: Json


class Stored(Value):
    """How many items are stored, and the rows that are not."""

    stored: int
    rejected: tuple[Rejected, ...]


class Rejected(Value):
    """A row that was not stored, and why."""

    row: int
    id: str | None
    reason: str


class Deleted(Value):
    """How much of a user was deleted."""

    sessions: int
    slates: int
    events: int


class Model(Value):
    """What can answer.

    Args:
        parent: The model that an adapter stands on.
    """

    id: str
    parent: str | None = None


class Feedback(Value):
    """What somebody did with an item that they were shown.

    Args:
        slate_id: Of the turn or feed that showed it.
        value: Stars, seconds, an amount, or text, by kind.
        consent: False keeps it out of training.
        id: Of your own, so that it counts once however often it is sent.
        time: When it happened (ISO 8601); now, if left out.
    """

    slate_id: str
    kind: FeedbackKind
    item_id: str | None = None
    value: float | str | None = None
    consent: bool | None = None
    id: str | None = None
    time: str | None = None
