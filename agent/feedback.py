"""Feedback events: what people did with what they were shown.

Values and their validation; storing and checking against the slate is `agent.store`.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

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
"""Kinds whose value is text: what was wrong, the reply as a person rewrote it. They may be about
the slate as a whole; every other kind names an item."""

MAX_VALUE = 20_000

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
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if self.item_id is None and self.kind not in TEXTS:
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

    def same_as(self, other: FeedbackEvent) -> bool:
        """Return whether both say the same, whenever they were sent."""
        return self.model_copy(update={"time": other.time}) == other
