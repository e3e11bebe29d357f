"""Whom rows come from, by keys (`agent.keys`): no id of a session or user is in training data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from agent.keys import key_of
from agent.logged import LoggedSession

__all__ = ["Origin", "key_of", "origin"]


class Origin(TypedDict):
    """Whom a row comes from."""

    session: str
    user: str | None
    events: tuple[str, ...]


def origin(session: LoggedSession, events: Iterable[str] = ()) -> Origin:
    """Return whom a row made of a session comes from."""
    user = None if session.user is None else key_of(session.user)
    return Origin(session=key_of(session.id), user=user, events=tuple(events))
