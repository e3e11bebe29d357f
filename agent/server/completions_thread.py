"""Which session a conversation goes on in that comes whole with every request.

What was answered before is found by its hash (`agent.threads`), or by the id of the response that
the request names. Where it goes on from the last turn of a session, it goes on in that session;
where that has moved on, in a copy. What nobody answered here, or somebody changed, is taken again
from what the user said, in bounded time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agent.desk import Extras
from agent.dialogue import rehearse
from agent.errors import StoreError, UserInputError
from agent.logged import LoggedSession, LoggedTurn
from agent.planner import RulePlanner
from agent.server.asked import Asked, Refused, Said, users_words
from agent.server.completions_answer import History, calls_of
from agent.server.context import Context
from agent.server.taking import Taking
from agent.state import State
from agent.store import Session
from agent.store_turns import logged_turn
from agent.threads import Place, begun, chain
from agent.turn import Done

log = logging.getLogger(__name__)

MOST_REPLAYED = 40
"""Utterances of an unknown conversation that are taken again, the last."""

REPLAY_S = 20.0
"""How long a language model may take part in that; from then on the rules do it alone."""


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a conversation goes on.

    Args:
        hash: Of everything up to now, what is new included; empty where the request named what it
            goes on from.
        asked: Under which hash the answer is found when the same is asked again.
        again: The answer, where it was asked before.
        counted: Whether this very request was counted before; it is answered again then.
    """

    session_id: str
    history: History
    extras: Extras
    hash: str = ""
    asked: str = ""
    again: Done | None = None
    counted: bool = False


def follow(here: Context, taking: Taking, asked: Asked) -> Thread:
    """Return where a conversation goes on, a new session included."""
    extras = Extras(
        context=asked.context, tools=asked.tools, results=asked.results,
        repeated=bool(asked.results) and not users_words(asked.new),
    )  # fmt: skip
    if asked.session_id is not None:
        counted = taking.before() is not None
        return Thread(asked.session_id, History(thread="given"), extras, counted=counted)
    threads, place, left = here.parts.store.threads, asked.before, asked.history
    thread = Thread("", History(thread="new"), extras)
    if place is None:
        start = threads.opening(taking.payer, asked.user)
        ends, hashes = _hashes(start, asked.history)
        place = threads.find(hashes) if hashes else None
        left = asked.history[ends[place.length - 1] + 1 :] if place else asked.history
        before = hashes[-1] if hashes else start
        thread = replace(thread, hash=_said_hash(before, asked.new))
    taken = taking.before()
    if taken is not None:
        return replace(
            thread, session_id=taken.session_id, history=History(thread="again"), again=taken
        )
    if place is not None and (asked.before or not users_words(left)):
        return _go_on(here, place, thread, asked)
    return _replayed(here, place, left, thread, asked)


def answered_before(here: Context, response_id: str) -> tuple[Place, Done]:
    """Return the turn that a response tells of, and where it is.

    Raises:
        Refused: If there is none of that id, or not any more.
    """
    threads = here.parts.store.threads
    place = threads.find([_response_hash(response_id)])
    done = threads.turn(place) if place else None
    if place is None or done is None:
        raise Refused(
            f"no response {response_id[:64]!r}; send the whole conversation as input instead",
            "previous_response_id", "previous_response_not_found",
        )  # fmt: skip
    return place, done


def remember(
    here: Context, thread: Thread, done: Done, content: str, response_id: str | None = None
) -> None:
    """Store where the conversation has come to, so that the next request is known."""
    hashes = [thread.asked] if thread.asked else []
    if thread.hash:
        calls = [call.id for call in calls_of(done)]
        hashes.append(chain(thread.hash, "assistant", content.strip(), calls))
    if response_id is not None:
        hashes.append(_response_hash(response_id))
    if not hashes:
        return
    try:
        here.parts.store.threads.put(done.session_id, done.state.turn, *hashes)
    except StoreError as error:  # the turn is stored and is answered; the next one is replayed
        log.warning("a conversation cannot be followed: %s", error)


def _hashes(start: str, history: Sequence[Said]) -> tuple[list[int], list[str]]:
    """Return the places of the answers in a conversation, and the hashes up to each."""
    ends, hashes, hash = [], [], start
    for place, one in enumerate(history):
        hash = _said_hash(hash, [one])
        if one.role == "assistant":
            ends.append(place)
            hashes.append(hash)
    return ends, hashes


def _response_hash(id: str) -> str:
    # An id cannot be guessed, and is good for every key of the tenant, as that of a session is.
    return chain("response", id)


def _said_hash(hash: str, said: Sequence[Said]) -> str:
    # What a call asks for is left out: clients write its JSON anew. Its id says whose it is.
    for one in said:
        hash = chain(hash, one.role, one.text, [id for id, _, _ in one.calls])
    return hash


def _go_on(here: Context, place: Place, thread: Thread, asked: Asked) -> Thread:
    """Go on after a turn that is known: in its session, in a copy, or with what was answered."""
    store = here.parts.store
    if not place.shared:
        # The place is in it, so that nobody else who says the same is taken for who said it first.
        results = [[one.tool, one.content] for one in asked.results]
        said = thread.hash or _said_hash("", asked.new)
        given = [said, place.session_id, place.turn, results, dict(asked.context)]
        thread = replace(thread, asked=chain("asked", *given))
        answered = store.threads.find([thread.asked])
        again = store.threads.turn(answered) if answered else None
        if answered is not None and again is not None:
            return replace(
                thread, session_id=answered.session_id, history=History(thread="again"),
                again=again,
            )  # fmt: skip
        if store.load(place.session_id).turns == place.turn:
            return replace(
                thread, session_id=place.session_id, history=History(thread="continued"),
                extras=replace(thread.extras, after=place.turn),
            )  # fmt: skip
    copy = store.threads.before(place)
    if copy is None:
        return _replayed(here, None, asked.history, thread, asked)
    store.add_session(copy)
    return replace(thread, session_id=copy.id, history=History(thread="forked"))


def _replayed(
    here: Context, place: Place | None, said: Sequence[Said], thread: Thread, asked: Asked
) -> Thread:
    """Begin a session with what was said and is not known, after what is known."""
    store = here.parts.store
    texts = users_words(said)
    if not texts and place is None:
        return replace(thread, session_id=store.create_session(asked.user))
    known = store.threads.before(place) if place else None
    session = known or begun(asked.user, ())
    taken = texts[-MOST_REPLAYED:]
    turns = _taken_again(here, session, taken)
    store.add_session(session.model_copy(update={"turns": (*session.turns, *turns)}))
    history = History(thread="replayed", replayed=len(turns), left_out=len(texts) - len(turns))
    return replace(thread, session_id=session.id, history=history)


def _taken_again(here: Context, session: LoggedSession, texts: Sequence[str]) -> list[LoggedTurn]:
    parts, until = here.parts, time.monotonic() + REPLAY_S
    state = session.turns[-1].state if session.turns else State()
    turns: list[LoggedTurn] = []
    for text in texts:
        if time.monotonic() > until:
            parts = replace(parts, planner=RulePlanner(here.retriever.facets))
        now = Session(session.id, session.user, state, state.turn, session.created)
        try:
            done = rehearse(parts, now, text[: here.limits.characters])
        except UserInputError:  # nothing in it that is text
            continue
        state = done.state
        turns.append(logged_turn(done, datetime.now(UTC)))
    return turns
