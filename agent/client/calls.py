"""Each request as a value: where it goes, what it carries, and how its answer is read.

Both clients, the one that waits and the one that does not, send these. Nothing is sent here.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from agent.client.errors import NotUnderstood
from agent.client.values import (
    Deleted,
    Explanation,
    Feed,
    Feedback,
    ItemDetail,
    Json,
    Model,
    Session,
    Stored,
    Turn,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request.

    Args:
        read: Makes the answer's JSON a value.
        key: The idempotency key; None where doing it twice does no harm.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    body: Json | None = None
    key: str | None = None


def _reader(kind: type[T], *inside: str) -> Callable[[Any], T]:
    adapter = TypeAdapter(kind)

    def read(answer: Any) -> T:
        try:
            for name in inside:
                answer = answer[name]
            return adapter.validate_python(answer)
        except (ValidationError, KeyError, TypeError) as error:
            raise NotUnderstood(f"expected {kind}, got something else: {error}") from error

    return read


def _nothing(answer: Any) -> None:
    return None


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def create_session(user: str | None) -> Call[str]:
    """Start a session."""
    return Call("POST", "/v1/sessions", _reader(str, "id"), _given(user=user))


def session(id: str) -> Call[Session]:
    """Look at a session."""
    return Call("GET", f"/v1/sessions/{_part(id)}", _reader(Session))


def delete_session(id: str) -> Call[None]:
    """Delete a session."""
    return Call("DELETE", f"/v1/sessions/{_part(id)}", _nothing)


def turn(
    session_id: str, text: str, context: Mapping[str, str] | None, key: str | None, *, stream: bool
) -> Call[Turn]:
    """Take a turn."""
    body = _given(text=text, context=dict(context) if context else None)
    body |= {"stream": True} if stream else {}
    path = f"/v1/sessions/{_part(session_id)}/turns"
    return Call("POST", path, _reader(Turn), body, key or new_key())


def feedback(events: Sequence[Feedback]) -> Call[list[str]]:
    """Tell what people did."""
    body = {"events": [event.model_dump(exclude_none=True) for event in events]}
    return Call("POST", "/v1/feedback", _reader(list[str], "ids"), body, new_key())


def recommend(
    filter: Json | None, text: str | None, session_id: str | None, k: int | None
) -> Call[Feed]:
    """Recommend items without a turn."""
    body = _given(filter=filter, text=text, session_id=session_id, k=k)
    return Call("POST", "/v1/recommendations", _reader(Feed), body)


def explain(
    item_ids: Sequence[str],
    text: str | None,
    wishes: Sequence[Json] | str | None,
    session_id: str | None,
    language: str | None,
) -> Call[tuple[Explanation, ...]]:
    """Say why items fit."""
    body = _given(
        item_ids=list(item_ids), text=text, session_id=session_id, language=language,
        wishes=wishes if isinstance(wishes, str) or wishes is None else list(wishes),
    )  # fmt: skip
    return Call("POST", "/v1/explanations", _reader(tuple[Explanation, ...], "items"), body)


def item(id: str) -> Call[ItemDetail]:
    """Look at an item."""
    return Call("GET", f"/v1/items/{_part(id)}", _reader(ItemDetail))


def upsert_items(rows: Sequence[Json]) -> Call[Stored]:
    """Add or replace items."""
    return Call("POST", "/v1/items:upsert", _reader(Stored), {"items": list(rows)})


def delete_items(ids: Sequence[str]) -> Call[int]:
    """Delete items."""
    return Call("POST", "/v1/items:delete", _reader(int, "deleted"), {"ids": list(ids)})


def delete_user(user: str) -> Call[Deleted]:
    """Delete what is stored of a user."""
    return Call("DELETE", f"/v1/users/{_part(user)}", _reader(Deleted))


def export_user(user: str) -> Call[dict[str, Any]]:
    """Return what is stored of a user."""
    return Call("GET", f"/v1/users/{_part(user)}/export", _reader(dict[str, Any]))


def models() -> Call[tuple[Model, ...]]:
    """List what can answer."""
    return Call("GET", "/v1/models", _reader(tuple[Model, ...], "data"))


def new_key() -> str:
    """Return a new idempotency key."""
    return uuid.uuid4().hex


def _part(id: str) -> str:
    """Return an id as a part of a path, whatever is in it."""
    if id in ("", ".", ".."):
        raise ValueError(f"an id is needed, got {id!r}")
    return quote(id, safe="")
