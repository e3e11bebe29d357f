"""What Attune answers, as values. Fields that a newer server adds are kept and do no harm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Json = Mapping[str, Any]
T = TypeVar("T")

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


class PressedWish(Value):
    """A wish on one facet, or a word.

    Args:
        facet: Name of a facet; "text" for a word; "item" (to be dropped only) for ids of items.
        low, high: Bounds of a numeric or date facet (ISO dates).
        direction: "up" or "down": towards larger or smaller values than the pressed item has.
    """

    facet: str
    values: tuple[str, ...] = ()
    low: float | str | None = None
    high: float | str | None = None
    direction: str | None = None


class Press(Value):
    """What was pressed instead of said: it is done exactly.

    Args:
        act: "refine", "like", "more", "compare", "explain", "why_not", "detail", "select",
            "reject", "undo" or "reset".
        items: Ids of the items it is about.
        want, avoid: Wishes to add.
        drop: Wishes to forget: whole facets, or some values or the bounds of one.
    """

    act: str
    items: tuple[str, ...] = ()
    want: tuple[PressedWish, ...] = ()
    avoid: tuple[PressedWish, ...] = ()
    drop: tuple[PressedWish, ...] = ()


class Chip(Value):
    """One wish of a session.

    Args:
        kind: "want", "avoid", "bound", "prefer", "like", "order" or "hidden".
        facet: The facet it is on, where it is on one.
        press: Takes it back.
    """

    label: str
    kind: str
    facet: str | None = None
    press: Press


class QuickReply(Value):
    """Something to say with one press.

    Args:
        label: Its words on a button; `text`: in the transcript.
        press: What it means; None where the text is to be understood as said.
        count: Items it would leave, where that is known.
    """

    label: str
    text: str
    press: Press | None = None
    count: int | None = None


class Suggestions(Value):
    """The wishes of a session one by one, and what may be said next."""

    wishes: tuple[Chip, ...]
    replies: tuple[QuickReply, ...]


class ValueCount(Value):
    """A value, what people call it in the language asked for, and how many items have it."""

    value: str
    label: str = ""
    count: int


class Facet(Value):
    """A property that items can be searched by.

    Args:
        kind: "categorical", "list", "boolean", "numeric" or "date".
        role: What it means, such as "price", where it is one of those that are known.
        unit: Currency of a price, else a unit, where known.
        coverage: Share of items that have a value.
        values: The most frequent values (categorical, list, boolean).
        low, high: Smallest and largest value (numeric).
    """

    name: str
    label: str
    kind: str
    role: str | None
    unit: str | None
    coverage: float
    values: tuple[ValueCount, ...]
    low: float | None
    high: float | None


class Facets(Value):
    """The catalog's name and number of items, its facets, and openings that it can meet."""

    catalog: str
    items: int
    currency: str | None
    facets: tuple[Facet, ...]
    examples: tuple[QuickReply, ...]


class Picture(Value):
    """A picture that lies beside the catalog.

    Args:
        headers: What the server says about how it is to be shown, by lower-case name.
    """

    content: bytes = Field(repr=False)
    media_type: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class File(Generic[T]):
    """A file as it comes.

    Args:
        pieces: Its content, to be read once, in order.
    """

    media_type: str
    pieces: T


class Opening(Value):
    """What the shop greets with, and what may be said instead of typing."""

    text: str
    suggestions: tuple[str, ...] = ()


class NewSession(Value):
    """A session that begins, in a language."""

    id: str
    language: str = "en"
    opening: Opening | None = None


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


class ExplainedItem(Item):
    """Event of explanations: why an item fits, before any words."""

    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]


class ItemWords(Value):
    """Event of explanations: the next piece of the words on an item."""

    item_id: str
    delta: str


class Explanation(ExplainedItem):
    """Why an item fits, as reasons and in words."""

    explanation: str
    written: Json


class Explained(Value):
    """Last event of explanations: all of them."""

    items: tuple[Explanation, ...]


Explaining = ExplainedItem | ItemWords | Explained


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
