"""Sessions out of a store and into one, as files; and who may be learned from.

A session in which learning from anything was refused teaches nothing: what somebody said in it and
what they did with it are one story. It is withheld from exports that are not for the operator's own
figures.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from agent.errors import Conflict, UnknownSlate, UserInputError
from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession
from agent.privacy.imported import masked_session
from agent.privacy.port import MASKS_NOTHING, Masker
from agent.store import Store
from finetune.errors import DataError
from finetune.events.files import BATCH, read_each, read_sessions, write_sessions
from finetune.training_data import Reject

T = TypeVar("T")

REFUSED = (UserInputError, UnknownSlate, Conflict)
"""What is wrong with a session or an event, rather than with the store."""


def may_teach(session: LoggedSession) -> bool:
    """Return whether nobody refused that the session is learned from."""
    return all(event.consent for event in session.events)


def sessions_of(
    source: Store | Path, *, since: datetime | None = None, everything: bool = False
) -> Iterator[LoggedSession]:
    """Yield the sessions of a store or a file that may be learned from, oldest first in a store.

    Args:
        since: Of a store, only sessions in which something happened from then on.
        everything: Also those in which learning was refused; their events say so.

    Raises:
        DataError: If a file cannot be read, or not wholly.
    """
    for session in source.logged(since) if isinstance(source, Store) else _whole(source):
        if everything or may_teach(session):
            yield session


def _whole(path: Path) -> Iterable[LoggedSession]:
    found = read_sessions(path)
    if found.rejects:
        raise DataError(
            f"{len(found.rejects):,} lines of {str(path)!r} hold no session: {found.rejects[0]}; "
            "`attune feedback import` takes the good ones"
        )
    return found.sessions


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Args:
        withheld: Sessions left out because learning from them was refused.
    """

    sessions: int
    withheld: int


def export_sessions(
    store: Store, out: Path, *, since: datetime | None = None, everything: bool = False
) -> Exported:
    """Write the sessions of a store to a file, one at a time.

    Raises:
        DataError: If the file can't be written.
        StoreError: If the store can't be read.
    """
    withheld = 0

    def kept() -> Iterator[LoggedSession]:
        nonlocal withheld
        for session in _watched(store.logged(since), "sessions"):
            if everything or may_teach(session):
                yield session
            else:
                withheld += 1

    return Exported(write_sessions(out, kept()), withheld)


@dataclass(slots=True)
class Imported:
    """What became of a file.

    Args:
        sessions, events: Those that brought something new; `known`: those that did not.
        rejects: Lines that were not taken.
        aside: Where those are kept; None where all were taken.
    """

    sessions: int = 0
    events: int = 0
    known: int = 0
    rejects: list[Reject] = field(default_factory=list)
    aside: Path | None = None


def import_file(store: Store, path: Path, masker: Masker = MASKS_NOTHING) -> Imported:
    """Put the sessions and single feedback events of a file into a store, masked.

    Importing again changes nothing. Lines that cannot be taken are kept in FILE.rejects.jsonl with
    their number and the reason; the others are stored.

    Raises:
        DataError: If the file can't be read at all.
        StoreError: If the store can't be written; what came before is stored.
    """
    done = Imported()
    events: list[tuple[int, FeedbackEvent]] = []
    for number, one in _watched(read_each(path), "lines"):
        match one:
            case Reject():
                done.rejects.append(one)
            case FeedbackEvent():
                events.append((number, one.masked(masker.mask)))
            case LoggedSession():
                _add_session(store, path, number, masked_session(one, masker), done)
        if len(events) == BATCH:
            _add_events(store, path, events, done)
            events = []
    _add_events(store, path, events, done)
    done.aside = _keep(path, done.rejects)
    return done


def _add_session(
    store: Store, path: Path, number: int, session: LoggedSession, done: Imported
) -> None:
    try:
        new = store.add_session(session)
    except REFUSED as error:
        done.rejects.append(Reject(str(path), number, str(error), session.model_dump_json()))
    else:
        done.sessions += new
        done.known += not new


def _add_events(
    store: Store, path: Path, events: list[tuple[int, FeedbackEvent]], done: Imported
) -> None:
    if not events:
        return
    outcomes = store.add_feedback_each([event for _, event in events])
    for (number, event), outcome in zip(events, outcomes, strict=True):
        if isinstance(outcome, bool):
            done.events += outcome
            done.known += not outcome
        else:
            done.rejects.append(Reject(str(path), number, str(outcome), event.model_dump_json()))


def _keep(path: Path, rejects: list[Reject]) -> Path | None:
    """Write rejects beside their file; take away those of an earlier import."""
    aside = path.with_name(f"{path.name}.rejects.jsonl")
    if not rejects:
        aside.unlink(missing_ok=True)
        return None
    rejects.sort(key=lambda one: one.line)
    lines = [{"line": one.line, "reason": one.reason, "row": one.text} for one in rejects]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    aside.write_text(text, "utf-8", errors="backslashreplace")
    return aside


def _watched(values: Iterable[T], what: str) -> Iterable[T]:
    """Return values with a bar on stderr where somebody looks."""
    if not sys.stderr.isatty():
        return values
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(values, what, unit="")
    return bar
