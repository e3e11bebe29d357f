"""Feedback events: what people did with what they were shown.

Values and their validation, alone and against what was shown; storing is `agent.store`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.errors import UserInputError

Kind = Literal[
    "impression", "click", "select", "reject", "critique", "rating", "edit", "dwell", "purchase"
]

NUMBERS: dict[str, tuple[float, float]] = {
    "rating": (1, 5),
    "dwell": (0, 86_400),
    "purchase": (0, 1e9),
}
"""Kinds whose value is a number, with its bounds: stars, seconds, amount paid."""

TEXTS = ("critique", "edit")
"""Kinds whose value is text: what was wrong, the reply as a person rewrote it."""

WHOLE = (*TEXTS, "rating")
"""Kinds that may be about a slate as a whole, and the answer it came with; all others name an
item."""

MAX_VALUE = 20_000

CLOCK_SKEW = timedelta(minutes=5)
"""How far a client's clock may be from ours."""

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def new_id() -> str:
    """Return an id that cannot be guessed."""
    return secrets.token_hex(16)


def valid_id(id: str) -> bool:
    """Return whether a string can be the id of a stored row."""
    return bool(_ID.fullmatch(id))


class FeedbackEvent(BaseModel):
    """One thing someone did with a slate, or with one item of it.

    Args:
        id: Given by the client so that sending twice counts once; made up when absent.
        value: A number for rating (1-5), dwell (seconds), purchase (amount, optional); text for
            critique and edit; nothing for the others.
        consent: Whether the model may learn from it.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"slate_id": "3f77ab", "item_id": "7", "kind": "click"}]},
    )

    id: str = Field(default_factory=new_id)
    slate_id: str
    item_id: str | None = None
    kind: Kind
    value: float | str | None = None
    consent: bool = True
    time: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @field_validator("id", "slate_id")
    @classmethod
    def _is_id(cls, id: str) -> str:
        if not valid_id(id):
            raise ValueError(f"expected 1 to 64 letters, digits or _.:- as an id, got {id[:80]!r}")
        return id

    @field_validator("value", mode="before")
    @classmethod
    def _is_plain(cls, value: Any) -> Any:
        # A boolean would pass as the number 1.
        if isinstance(value, bool):
            raise ValueError("expected a number or text, got a boolean")
        return _UNSTORABLE.sub("", value) if isinstance(value, str) else value

    @field_validator("time")
    @classmethod
    def _has_zone(cls, time: datetime) -> datetime:
        try:
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        except OverflowError as error:
            raise ValueError(f"expected a time from year 1 to 9999 in UTC, got {time}") from error

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if self.item_id is None and self.kind not in WHOLE:
            raise ValueError(f"{self.kind!r} is about an item: give item_id")
        if self.kind in NUMBERS:
            self._check_number(*NUMBERS[self.kind])
        elif self.kind in TEXTS:
            self._check_text()
        elif self.value is not None:
            raise ValueError(f"{self.kind!r} takes no value, got {self.value!r}")
        return self

    def _check_number(self, low: float, high: float) -> None:
        if self.value is None and self.kind == "purchase":
            return
        if isinstance(self.value, str) or self.value is None or not low <= self.value <= high:
            raise ValueError(
                f"{self.kind!r} needs a number from {low:g} to {high:g}, got {self.value!r}"
            )

    def _check_text(self) -> None:
        if not isinstance(self.value, str) or not 0 < len(self.value.strip()) <= MAX_VALUE:
            raise ValueError(f"{self.kind!r} needs a text of 1 to {MAX_VALUE} characters as value")

    def masked(self, mask: Callable[[str], str]) -> FeedbackEvent:
        """Return the event with what is personal in its text masked."""
        if not isinstance(self.value, str):
            return self
        return self.model_copy(update={"value": mask(self.value)})

    def same_as(self, other: FeedbackEvent) -> bool:
        """Return whether both say the same, whenever they were sent."""
        return self.model_copy(update={"time": other.time}) == other


@dataclass(frozen=True, slots=True)
class Showing:
    """What feedback is checked against: a slate's items, by rank, and when they were shown.

    Args:
        time: None where it is not known.
    """

    slate_id: str
    items: tuple[str, ...]
    time: datetime | None


def check_event(event: FeedbackEvent, showing: Showing, now: datetime) -> None:
    """Check that an event can have happened to a slate.

    Raises:
        UserInputError: If the item was not on it, or the event comes before it or from the future.
    """
    if event.item_id is not None and event.item_id not in showing.items:
        raise UserInputError(
            f"item {event.item_id[:80]!r} was not on slate {event.slate_id!r}; it showed "
            f"{list(showing.items)!r}"
        )
    if event.time > now + CLOCK_SKEW:
        raise UserInputError(
            f"the event is from {_second(event.time)}, but it is {_second(now)} here; at most "
            f"{CLOCK_SKEW.seconds // 60} minutes ahead are taken: set the clock, or leave time out"
        )
    if showing.time is not None and event.time < showing.time - CLOCK_SKEW:
        raise UserInputError(
            f"the event is from {_second(event.time)}, but slate {event.slate_id!r} was first "
            f"shown at {_second(showing.time)}; set the clock, or leave time out"
        )


def _second(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
