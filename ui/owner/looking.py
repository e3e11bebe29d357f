"""What the owner sees of conversations: which there were, and one turn taken apart.

Read from the store; what was not stored (the candidates that were not shown, the prompt) is made
again over the catalog as it is now, and says so. This module changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import ValidationError

from agent.asking import ASKING
from agent.chips import chips_of
from agent.dialogue import shows
from agent.errors import UserInputError
from agent.plan import Plan
from agent.planner import PlanRequest
from agent.ports import Retriever
from agent.recommend import recommend
from agent.state import State
from agent.store import Store
from agent.store_looking import (
    Event,
    Flag,
    Lately,
    Taken,
    flagged,
    latest,
    said_in,
    slowest,
    told,
    turns_of,
)
from agent.turn import Done
from retrieval.filters import to_json

Json = dict[str, Any]

Only = Literal["all", "thumbs_down", "fallback", "nothing", "handover", "slow"]
ONLY: tuple[Only, ...] = get_args(Only)
_FLAGS: tuple[Flag, ...] = get_args(Flag)

MOST_CANDIDATES = 20
MOST_SESSIONS = 200
MOST_SEARCHED = 5_000
"""Sessions looked through, newest first, for those that have what is looked for."""
SLOW_MS = 1_000.0
"""Milliseconds from which a turn is said to be slow."""
MOST_TIMED = 20_000
"""The latest turns among which the slowest are looked for."""
KINDS = ("click", "select", "purchase", "rating", "reject", "critique", "edit", "dwell")
"""What people tell; impressions are noted by themselves."""
_AROUND = 60
_PAGE = 400
_MOST_MODEL_PROMPT = 40_000
_BEGUN = 120


@dataclass(slots=True)
class _Looked:
    """What was looked up of a session: flags by number of the turn, and how long each took."""

    flags: dict[int, set[Flag]] = field(default_factory=lambda: defaultdict(set))
    ms: dict[int, float] = field(default_factory=dict)

    def number(self, only: Only) -> int | None:
        """Return the last turn that is what is looked for; the slowest, where that is it."""
        if only == "slow":
            return max(self.ms, key=lambda number: self.ms[number], default=None)
        return max((n for n, own in self.flags.items() if only in own), default=None)


def sessions(store: Store, limit: int = 50, only: Only = "all", words: str = "") -> list[Json]:
    """Return the conversations that went on last, newest first: who, when, how much, the start.

    Args:
        only: Those with such a turn, among the `MOST_SEARCHED` latest; with "slow", those with the
            slowest of the `MOST_TIMED` latest turns, slowest first.
        words: Only those with a turn in which, or in whose answer, all of these were said; or the
            one whose id it is.

    Raises:
        UserInputError: If there is no such thing to look for.
    """
    if only not in ONLY:
        raise UserInputError(f"only={only!r}: expected one of {', '.join(ONLY)}")
    limit = min(max(limit, 1), MOST_SESSIONS)
    wanted = words.casefold().split()
    if len(wanted) == 1 and (named := latest(store.database, 1, ids=[words.strip()])):
        return _rows(store, named, "all", [])
    plain = only == "all" and not wanted
    found: list[Json] = []
    for page in _pages(store, only, limit if plain else _PAGE):
        found += _rows(store, page, only, wanted)
        if plain or len(found) >= limit:
            break
    return found[:limit]


def _pages(store: Store, only: Only, size: int) -> Iterator[list[Lately]]:
    """Yield sessions in the order they are told in."""
    if only == "slow":
        order = list(slowest(store.database, MOST_TIMED, MOST_SEARCHED))
        for at in range(0, len(order), size):
            ids = order[at : at + size]
            yield sorted(latest(store.database, size, ids=ids), key=lambda one: ids.index(one.id))
        return
    for offset in range(0, MOST_SEARCHED, size):
        page = latest(store.database, size, offset)
        yield page
        if len(page) < size:
            return


def _rows(store: Store, page: Sequence[Lately], only: Only, wanted: Sequence[str]) -> list[Json]:
    """Return the sessions of a page that are looked for, each with the turn that is."""
    said = _said(store, [one.id for one in page], wanted) if wanted else {}
    page = [one for one in page if not wanted or one.id in said]
    looked = _looked(store, [one.id for one in page])
    found = []
    for one in page:
        own = looked.get(one.id, _Looked())
        number = None if only == "all" else own.number(only)
        if only == "all" or number is not None:
            at, text = said.get(one.id, (None, ""))
            found.append({**_session(one, own), "found": number or at, "said": text})
    return found


def _said(store: Store, ids: Sequence[str], wanted: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Return the last turn of each session that has all words, with what is around the first.

    One in which a person said them comes before one in whose answer they are.
    """
    found: dict[str, tuple[int, str]] = {}
    by_person: set[str] = set()
    for id, number, utterance, reply in said_in(store.database, ids):
        whole = f"{utterance} … {reply}"
        own = all(word in utterance.casefold() for word in wanted)
        if own or (id not in by_person and all(word in whole.casefold() for word in wanted)):
            at = whole.casefold().find(wanted[0])
            text = whole[max(at - _AROUND, 0) : at + len(wanted[0]) + _AROUND]
            found[id] = (number, " ".join(text.split()))
            by_person.update([id] if own else [])
    return found


def _session(one: Lately, looked: _Looked) -> Json:
    flags = {flag for own in looked.flags.values() for flag in own}
    return {
        "id": one.id, "user": one.user[:12] if one.user else None,
        "last": one.last.isoformat(timespec="seconds"), "turns": one.turns,
        "begun": one.begun[:_BEGUN],
        "handover": one.state.desk.handover if one.state else None,
        "flags": [flag for flag in _FLAGS if flag in flags],
        "slowest_ms": round(max(looked.ms.values(), default=0.0), 1),
    }  # fmt: skip


def _looked(store: Store, ids: Sequence[str]) -> dict[str, _Looked]:
    """Return what makes turns of some sessions worth a look, by session."""
    found: dict[str, _Looked] = defaultdict(_Looked)
    for (session, number), own in flagged(store.database, ids).items():
        found[session].flags[number].update(own)
    for turn in turns_of(store.database, ids):
        looked = found[turn.session_id]
        looked.ms[turn.number] = turn.ms
        if own := planned_flags(turn):
            looked.flags[turn.number].update(own)
    return found


def planned_flags(turn: Taken) -> set[Flag]:
    """Return what the plan of a turn, and what came of it, say against it."""
    try:
        plan = Plan.model_validate(turn.plan)
    except ValidationError:  # stored by a version that this one cannot read
        return set()
    found: set[Flag] = set()
    if plan.fallback:
        found.add("fallback")
    if unmet(turn, plan):
        found.add("nothing")
    if turn.ms >= SLOW_MS:
        found.add("slow")
    return found


def unmet(turn: Taken, plan: Plan) -> bool:
    """Return whether nothing was found for what was asked: not at all, or with less asked."""
    return shows(plan) and bool(not turn.items or turn.relaxations)


def conversation(store: Store, session_id: str) -> Json:
    """Return what was said in a session, turn by turn.

    Raises:
        UnknownSession: If there is no such session.
    """
    turns = store.turns(session_id)
    flags = _looked(store, [session_id])[session_id].flags
    times = {one.number: one.time for one in turns_of(store.database, [session_id])}
    return {
        "id": session_id,
        "turns": [
            {
                "number": number, "utterance": done.utterance, "reply": done.reply,
                "items": len(done.slate.items), "planner": done.planner,
                "time": times[number].isoformat(timespec="seconds"),
                "flags": [flag for flag in _FLAGS if flag in flags.get(number, ())],
            }
            for number, done in enumerate(turns, start=1)
        ],
    }  # fmt: skip


def inspected(store: Store, retriever: Retriever, session_id: str, number: int) -> Json:
    """Return one turn taken apart.

    Args:
        number: Of the turn, from 1.

    Raises:
        UnknownSession: If there is no such session.
        UserInputError: If it has no such turn.
    """
    turns = store.turns(session_id)
    if not 1 <= number <= len(turns):
        raise UserInputError(f"session {session_id!r} has turns 1 to {len(turns)}, not {number}")
    done = turns[number - 1]
    before = turns[number - 2].state if number > 1 else State()
    flags = _looked(store, [session_id])[session_id].flags.get(number, set())
    return {
        "number": number, "turns": len(turns), "utterance": done.utterance, "reply": done.reply,
        "planner": done.planner, "voice": done.voice, "model": done.plan.model,
        "prompt_id": done.plan.prompt, "shortened": done.plan.shortened,
        "fallback": done.plan.fallback, "notes": list(done.notes),
        "flags": [flag for flag in _FLAGS if flag in flags],
        "mentions": [_mention(one) for one in done.plan.mentions],
        "acts": [one.model_dump(mode="json", exclude_defaults=True) for one in done.plan.acts],
        "before": _wishes(before, retriever), "after": _wishes(done.state, retriever),
        "filter": to_json(done.state.need.filter()),
        "shown": [_shown(one, done) for one in done.slate.items],
        "relaxations": [one.text for one in done.relaxations],
        "timings": done.timings,
        "told": [told_json(one) for one in told(store.database, KINDS, slate=done.slate.id)],
        "state": {"before": _plain(before), "after": _plain(done.state)},
        **(ranked(done, retriever) if shows(done.plan) else {"candidates": [], "matched": None}),
        "service": done.service.model_dump(mode="json") if done.service else None,
        "written": [one.model_dump(mode="json") for one in done.written],
        "prompt": prompt_of(done, before, retriever),
    }  # fmt: skip


def told_json(event: Event) -> Json:
    """Return something that somebody told, as JSON."""
    return {
        "time": event.time.isoformat(timespec="seconds"), "kind": event.kind,
        "value": event.value, "consent": event.consent, "item": event.item, "title": event.title,
        "session": event.session, "number": event.number, "utterance": event.utterance[:_BEGUN],
    }  # fmt: skip


def _plain(state: State) -> Json:
    made: Json = state.model_dump(mode="json", exclude_defaults=True)
    return made


def _mention(mention: Any) -> Json:
    made: Json = mention.model_dump(mode="json", exclude_defaults=True)
    return made


def _wishes(state: State, retriever: Retriever) -> list[str]:
    return [one.label for one in chips_of(state.need, retriever)]


def _shown(one: Any, done: Done) -> Json:
    return {"rank": one.rank, "id": one.item_id, "title": one.fields.get("title"),
            "score": round(one.score, 4),
            "reasons": [reason.text for reason in one.reasons]}  # fmt: skip


def ranked(done: Done, retriever: Retriever) -> Json:
    """Return the ranking for the state after a turn, over the catalog as it is now.

    `vector` and `words` are the two searches; `parts` is what the score was added up from.
    """
    found = recommend(retriever, done.state, k=MOST_CANDIDATES)
    shown = {one.item_id: one.rank for one in done.slate.items}
    return {
        "matched": found.matched, "searched": found.query_text,
        "candidates": [
            {
                "rank": rank, "id": one.item.id, "title": one.item.title,
                "shown": shown.get(one.item.id), "score": round(one.score, 4),
                "vector": one.dense, "words": one.lexical,
                "parts": {name: round(n, 4)
                          for name, n in found.features.get(one.item.id, {}).items()},
            }
            for rank, one in enumerate(found.candidates, start=1)
        ],
    }  # fmt: skip


def prompt_of(done: Done, before: State, retriever: Retriever) -> list[Json]:
    """Return what the model was shown, made again; nothing where rules planned without one.

    It is made from what is stored, in which personal data is masked.
    """
    prompt = done.plan.prompt
    if prompt is None:
        return []
    asking = ASKING.get(prompt)
    if asking is None:
        return []
    slate = tuple(retriever.get_many(before.slate))
    request = PlanRequest(done.plan.utterance, done.plan.mentions, before, slate, retriever.facets)
    messages: Sequence[Any] = asking().messages(request)
    return [
        {"role": one["role"], "content": str(one["content"])[:_MOST_MODEL_PROMPT]}
        for one in messages
    ]
