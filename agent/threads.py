"""Where a conversation goes on that a client sends whole: its hash leads to a session and a turn.

OpenAI's clients keep the conversation and send all of it each time. After each answer the hash of
everything said so far is stored; the next request is found by it. Hashes are chained, so the
longest part that is known is found in one query. This module knows no HTTP and takes no turns.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from agent import tables
from agent.database import Database
from agent.feedback import new_id
from agent.logged import LoggedSession, LoggedTurn
from agent.store_log import logged_session
from agent.store_turns import turns_of
from agent.turn import Done

LOOKED_UP = 200
"""Hashes that are looked up, the latest; what is known of a longer conversation is among them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A turn of a session that a conversation has come to.

    Args:
        shared: Whether another conversation came to the same words; then nobody may go on in that
            session, for it is somebody else's as well.
        length: How many of the hashes asked for led here: it is the place of the last of them.
    """

    session_id: str
    turn: int
    shared: bool = False
    length: int = 0


def chain(before: str, *said: object) -> str:
    """Return the hash of a conversation that goes on with something."""
    text = json.dumps([before, *said], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _twin(hash: str) -> str:
    """Return the hash that is stored where a second conversation came to the same words."""
    return chain(hash, "again")


class Threads:
    """The hashes of one store.

    Args:
        secret: Makes hashes useless to whoever finds them without it.
    """

    def __init__(self, database: Database, secret: bytes = b"") -> None:
        self._database = database
        self._secret = secret

    def opening(self, owner: str, user: str | None) -> str:
        """Return the hash that conversations of a key and user begin with, and no others."""
        text = json.dumps([owner, user]).encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def put(self, session_id: str, turn: int, *hashes: str) -> None:
        """Store that conversations of these hashes have come to a turn."""
        place = {"session_id": session_id, "turn": turn, "time": datetime.now(UTC)}
        try:
            with self._database.write() as connection:
                for hash in hashes:
                    _put(connection, hash, place)
        except IntegrityError:  # another request was first, or the session is gone: replayed then
            return

    def find(self, hashes: Sequence[str]) -> Place | None:
        """Return the place that the last known of some hashes leads to; None where none is."""
        asked = hashes[-LOOKED_UP:]
        own, every = tables.threads, [*asked, *map(_twin, asked)]
        with self._database.read() as connection:
            rows = connection.execute(select(own).where(own.c.hash.in_(every))).all()
        known = {row.hash: row for row in rows}
        for behind, hash in enumerate(reversed(asked)):
            twin = known.get(_twin(hash))
            row = twin or known.get(hash)
            if row is not None:
                length = len(hashes) - behind
                return Place(row.session_id, row.turn, shared=twin is not None, length=length)
        return None

    def turn(self, place: Place) -> Done | None:
        """Return the turn of a place as it was answered; None where it is gone."""
        with self._database.read() as connection:
            turns = turns_of(connection, place.session_id)
        return next((done for done in turns if done.state.turn == place.turn), None)

    def before(self, place: Place) -> LoggedSession | None:
        """Return a session up to a place, as a new one; None where it is gone."""
        with self._database.read() as connection:
            session = logged_session(connection, place.session_id)
        if session is None or len(session.turns) < place.turn:
            return None
        return begun(session.user, session.turns[: place.turn])


def begun(user: str | None, turns: Sequence[LoggedTurn]) -> LoggedSession:
    """Return a new session in which something was said already, elsewhere.

    It has no slates: what was shown was shown once, and feedback on it goes to where that was.
    """
    own = tuple(turn.model_copy(update={"id": new_id(), "slate_id": new_id()}) for turn in turns)
    return LoggedSession(
        id=new_id(), user=user, created=datetime.now(UTC), turns=own, slates=(), events=()
    )


def _put(connection: Connection, hash: str, place: dict[str, object]) -> None:
    own = tables.threads
    row = connection.execute(select(own).where(own.c.hash == hash)).first()
    if row is None:
        connection.execute(insert(own).values(hash=hash, **place))
    elif (row.session_id, row.turn) != (place["session_id"], place["turn"]):
        twin = _twin(hash)
        changed = connection.execute(update(own).where(own.c.hash == twin).values(**place))
        if changed.rowcount == 0:
            connection.execute(insert(own).values(hash=twin, **place))
