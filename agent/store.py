"""The session store: sessions, turns, slates, impressions and feedback, in SQL.

A turn is written in one transaction and is on disk when `record` returns. The store knows no
catalog and no dialogue; it keeps and gives back values of `agent.turn` and `agent.state`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from agent import tables
from agent.database import Database
from agent.desk import Once
from agent.errors import AgentError, Conflict, StoreError, UnknownSession
from agent.feedback import FeedbackEvent, new_id, valid_id
from agent.jobs import NewJob
from agent.logged import LoggedSession
from agent.privacy.secrets import NO_SECRETS, Secrets
from agent.state import State
from agent.store_beside import insert_handover, insert_jobs, insert_once, insert_usage, turn_taken
from agent.store_feedback import Adding, events_of
from agent.store_import import put_session
from agent.store_jobs import Jobs
from agent.store_log import logged_session, session_ids
from agent.store_secrets import adopt
from agent.store_turns import insert_slate, insert_turn, logged_slate, logged_turn, plain, turns_of
from agent.store_users import (
    DeletedUser,
    Deletion,
    StoredUser,
    delete_user,
    deletions,
    stored_user,
)
from agent.threads import Threads
from agent.turn import Done, Slate
from agent.turn_locks import TurnLocks, shared_locks
from agent.usage import Spent

Added = TypeVar("Added")

# Made once: SQLAlchemy takes longer to put a statement together than SQLite to run it.
_SESSION = select(tables.sessions).where(tables.sessions.c.id == bindparam("session_id"))
_ADVANCE = (
    update(tables.sessions)
    .where(
        tables.sessions.c.id == bindparam("session_id"),
        tables.sessions.c.turns == bindparam("before"),
    )
    .values(
        state=bindparam("state", type_=tables.sessions.c.state.type),
        turns=bindparam("turns"),
        version=tables.sessions.c.version + 1,
    )
)

TURN_WAIT_S = 60.0
"""Longer than any turn takes, deadlines of a language model included."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session as stored: who it is for, its state, and how many turns it has had."""

    id: str
    user: str | None
    state: State
    turns: int
    created: datetime


class Store:
    """Sessions by id, in SQLite (`sqlite:///FILE`) or PostgreSQL. Safe to share across threads.

    Raises:
        StoreError: If the database cannot be opened, read or written, is from a newer version, or
            was written with other secrets.
    """

    def __init__(
        self, url: str, secrets: Secrets = NO_SECRETS, *, schema: str | None = None
    ) -> None:
        self._database = Database(url, schema)
        self._secrets = secrets
        try:
            adopt(self._database, secrets)
        except BaseException:
            self._database.close()
            raise
        self.work = Jobs(self._database)
        self.threads = Threads(self._database, secrets.user or b"")
        self._turns = TurnLocks(shared_locks(self._database))

    @property
    def database(self) -> Database:
        """What holds the tables, for those that have rows of their own beside sessions."""
        return self._database

    def create_session(self, user: str | None = None, language: str = "en") -> str:
        """Start an empty session; return its id, which cannot be guessed."""
        id = new_id()
        user = None if user is None else self._secrets.stored(user)
        row = {"id": id, "user": user, "created": datetime.now(UTC), "turns": 0, "version": 0}
        with self._database.write() as connection:
            connection.execute(
                insert(tables.sessions).values(**row, state=plain(State(language=language)))
            )
        return id

    def load(self, session_id: str) -> Session:
        """Return a session; UnknownSession when there is none."""
        with self._database.read() as connection:
            row = _session_row(connection, session_id)
        try:
            state = State.model_validate(row.state)
        except ValidationError as error:
            raise _unreadable(session_id, error) from error
        return Session(row.id, row.user, state, row.turns, row.created)

    @contextmanager
    def turn_lock(self, session_id: str, wait_s: float = TURN_WAIT_S) -> Iterator[None]:
        """Let one turn of a session run at a time; the others wait for their turn.

        That holds between processes and hosts too. The lock may be released by another thread than
        took it, as happens when a server streams a turn.

        Raises:
            Conflict: If the turn before takes longer than `wait_s`, or too many wait.
        """
        with self._turns.hold(session_id, wait_s):
            yield

    def record(
        self,
        done: Done,
        *,
        policy: str = "greedy",
        propensities: Mapping[str, float] | None = None,
        jobs: Sequence[NewJob] = (),
        once: Once | None = None,
        spent: Spent | None = None,
    ) -> None:
        """Store a finished turn with its hand-over and the work it leaves: all of it, or nothing.

        Args:
            policy: How the slate was chosen; "greedy" shows the best every time.
            propensities: Chance with which each item was shown at its rank (absent: 1.0).
            jobs: Work to be done once the turn is stored.
            once: The idempotency key of the request.
            spent: Whom the turn is counted for, and its tokens.

        Raises:
            UnknownSession: If the session is gone.
            Conflict: If the session has had another turn since this one loaded it.
        """
        now = datetime.now(UTC)
        turn = logged_turn(done, now)
        slate = logged_slate(done.slate, done.turn_id, now, policy, propensities)
        state = plain(done.state)
        try:
            with self._database.write() as connection:
                _advance(connection, done, state)
                insert_turn(connection, done.session_id, turn, done.timings, state)
                insert_slate(connection, done.session_id, slate)
                insert_handover(connection, done, now)
                insert_jobs(connection, jobs, now)
                if once is not None:
                    insert_once(connection, once, done, now)
                if spent is not None:
                    insert_usage(connection, spent, now)
        except IntegrityError as error:
            raise Conflict(
                f"turn {done.turn_id!r}, its slate or its idempotency key is stored already"
            ) from error
        if jobs:
            self.work.notify()

    def taken(self, once: Once, session_id: str | None = None) -> Done | None:
        """Return the turn that was taken under an idempotency key; None where none was.

        Args:
            session_id: The session that it must be in; None for any.

        Raises:
            IdempotencyConflict: If another request was taken under the key.
        """
        with self._database.read() as connection:
            return turn_taken(connection, once, session_id)

    def record_slate(
        self, slate: Slate, session_id: str | None = None, *, policy: str = "greedy"
    ) -> None:
        """Store a slate that was shown outside a turn, so that feedback can point at it.

        Raises:
            UnknownSession: If a session is named that is not there.
        """
        with self._database.write() as connection:
            if session_id is not None:
                _session_row(connection, session_id)
            now = datetime.now(UTC)
            insert_slate(connection, session_id, logged_slate(slate, None, now, policy, {}))

    def turns(self, session_id: str) -> list[Done]:
        """Return the turns of a session, oldest first."""
        with self._database.read() as connection:
            _session_row(connection, session_id)
            try:
                return turns_of(connection, session_id)
            except ValidationError as error:
                raise _unreadable(session_id, error) from error

    def delete_session(self, session_id: str) -> bool:
        """Delete a session with its turns, slates and feedback; return whether it was there."""
        if not valid_id(session_id):
            return False
        with self._database.write() as connection:
            query = delete(tables.sessions).where(tables.sessions.c.id == session_id)
            return connection.execute(query).rowcount > 0

    def delete_user(self, user: str, jobs: Sequence[NewJob] = ()) -> DeletedUser:
        """Delete the sessions of a user with all that hangs on them; return what went.

        Keys of the user and the sessions (`agent.keys.key_of`) are kept, so that what was made of
        the data elsewhere is found (`deletions`), and an older export does not bring it back.

        Args:
            jobs: Work to be done once they are gone.
        """
        with self._database.write() as connection:
            gone = delete_user(connection, self._secrets.names(user))
            insert_jobs(connection, jobs, datetime.now(UTC))
        self._database.erase()
        if jobs:
            self.work.notify()
        return gone

    def stored_user(self, user: str) -> StoredUser:
        """Return everything that is stored of a user; no sessions where nothing is.

        Raises:
            StoreError: If it holds what this version cannot read.
        """
        with self._database.read() as connection:
            try:
                return stored_user(connection, self._secrets.names(user))
            except ValidationError as error:
                raise _unreadable("of the user", error) from error

    def user_keys(self, user: str) -> tuple[str, ...]:
        """Return the keys that what was made of a user's data is found by."""
        return self._secrets.keys(user)

    def deletions(self) -> list[Deletion]:
        """Return whose data was deleted, by key, oldest first."""
        with self._database.read() as connection:
            return deletions(connection)

    def add_feedback(self, event: FeedbackEvent) -> str:
        """Append a feedback event and return its id; the same event sent twice counts once.

        Raises:
            UnknownSlate: If no such slate was ever shown.
            UserInputError: If the item was not on that slate, or the time is before the slate was
                shown or in the future (by more than clocks differ, `feedback.CLOCK_SKEW`).
            Conflict: If the id was used for another event.
        """
        self._adding(lambda adding: adding.add(event))
        return event.id

    def add_feedback_batch(self, events: Sequence[FeedbackEvent]) -> list[str]:
        """Append several feedback events, in whatever order they came; return their ids.

        Raises:
            AgentError: As `add_feedback`, naming the first bad event by its place from 0; nothing
                is stored then.
        """
        self._adding(lambda adding: adding.add_all(events))
        return [event.id for event in events]

    def add_feedback_once(self, events: Sequence[FeedbackEvent], once: Once) -> list[str]:
        """Append events as `add_feedback_batch` does; the same request again adds nothing.

        Raises:
            IdempotencyConflict: If another request was sent under the idempotency key.
        """
        return self._adding(lambda adding: adding.add_once(events, once))

    def add_feedback_each(self, events: Sequence[FeedbackEvent]) -> list[bool | AgentError]:
        """Append those events that can be; return for each whether it is new, or why not."""
        return self._adding(lambda adding: adding.add_each(events))

    def _adding(self, add: Callable[[Adding], Added]) -> Added:
        """Add events in one transaction; once more where another request sent the same ones."""
        for again in (True, False):
            try:
                with self._database.write() as connection:
                    return add(Adding(connection))
            except IntegrityError as error:
                if not again:
                    raise Conflict("feedback was sent twice at once; send it again") from error
        raise AssertionError("the second try returns or raises")

    def feedback(self, session_id: str) -> list[FeedbackEvent]:
        """Return the feedback on everything a session was shown, oldest first."""
        with self._database.read() as connection:
            _session_row(connection, session_id)
            return list(events_of(connection, session_id))

    def logged(self, since: datetime | None = None) -> Iterator[LoggedSession]:
        """Yield sessions whole, oldest first: turns, slates with chances, and feedback.

        Each is read in a transaction of its own, so that a long export holds nobody up.

        Args:
            since: Only sessions with a turn, a slate or feedback from then on.

        Raises:
            StoreError: If one holds what this version cannot read.
        """
        with self._database.read() as connection:
            ids = session_ids(connection, since)
        for id in ids:
            try:
                with self._database.read() as connection:
                    found = logged_session(connection, id)
            except ValidationError as error:
                raise _unreadable(id, error) from error
            if found is not None:
                yield found

    def add_session(self, session: LoggedSession) -> bool:
        """Add a session from elsewhere, or what is new of it; return whether anything was.

        Raises:
            UserInputError: If it cannot have happened as told, or its user's data was deleted.
            Conflict: If something else is stored under one of its ids.
        """
        own, keys = session, tuple[str, ...]()
        if session.user is not None:
            keys = self._secrets.keys(session.user)
            own = session.model_copy(update={"user": self._secrets.imported(session.user)})
        try:
            with self._database.write() as connection:
                return put_session(connection, own, keys, datetime.now(UTC))
        except IntegrityError as error:
            raise Conflict(
                f"session {session.id!r} has a turn, slate or event whose id or number is stored "
                "already"
            ) from error

    def check(self) -> None:
        """Try a write that changes nothing; StoreError says why the store cannot be written."""
        self._database.check()

    def close(self) -> None:
        """Close the database; safe to call twice."""
        self._turns.close()
        self._database.close()


def _unreadable(session_id: str, error: ValidationError) -> StoreError:
    first = error.errors()[0]
    return StoreError(
        f"session {session_id!r} holds {'.'.join(map(str, first['loc']))!r}, which this version "
        f"cannot read ({first['msg']}); update Attune, or start a new session"
    )


def _session_row(connection: Connection, session_id: str) -> Row[Any]:
    known = valid_id(session_id)
    row = connection.execute(_SESSION, {"session_id": session_id}).first() if known else None
    if row is None:
        raise UnknownSession(f"no session {session_id[:64]!r}; create one first")
    return row


def _advance(connection: Connection, done: Done, state: Any) -> None:
    """Move the session to the state after the turn, if no other turn came in between.

    Args:
        state: That of the turn, as JSON holds it.
    """
    number = done.state.turn
    values = {"session_id": done.session_id, "before": number - 1, "state": state, "turns": number}
    if connection.execute(_ADVANCE, values).rowcount == 0:
        stored = _session_row(connection, done.session_id)
        raise Conflict(
            f"session {done.session_id!r} has had {stored.turns} turns, so turn {number} cannot be "
            "its next; another turn came first, send the text again"
        )
